"""
Sends graphs through TensorFlow's own layout optimizer, for a virtual GPU, as a session on a GPU does before its first
run. Prints one JSON line for each: how many operations have which data format afterwards, how many transposes there
are, and, if a number of images is given, how far the gradient of the rewritten graph on the CPU is from the graph's own.
A folder holds saved_model.pb and, as raw floats, the state to begin with: weights, momentum, running.

usage: layout.py SAVED_MODEL_FOLDER[:IMAGES]...
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # Its kernels know NCHW on a CPU.

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import device_properties_pb2, saved_model_pb2
from tensorflow.python.grappler import cluster, tf_optimizer

CPU, GPU = ("/job:localhost/replica:0/task:0/device:" + name for name in ("CPU:0", "GPU:0"))
FETCHES = ["step", "first_gradient", "next_gradient", "update", "logits"]
STATE = ["weights", "momentum", "running"]


def virtual_machine():
    """A CPU and a GPU of compute capability 8.0, which need not be there."""
    gpu = device_properties_pb2.DeviceProperties(
        type="GPU", vendor="NVIDIA", frequency=1410, num_cores=108, memory_size=40 << 30,
        environment={"architecture": "8.0", "cuda": "12050", "cudnn": "9300"},
    )
    cpu = device_properties_pb2.DeviceProperties(type="CPU", frequency=2000, num_cores=2)
    named = device_properties_pb2.NamedDevice
    devices = [named(name=CPU, properties=cpu), named(name=GPU, properties=gpu)]
    return cluster.Cluster(devices=devices)


def rewritten(graph):
    """The graph after the layout optimizer, which comes when operations have their devices."""
    meta = tf.MetaGraphDef(graph_def=graph)
    for node in meta.graph_def.node:
        node.device = CPU if "cpu" in node.device.lower() else GPU
    meta.collection_def["train_op"].node_list.value.extend(FETCHES)
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.optimizers.append("layout")
    config.graph_options.rewrite_options.min_graph_nodes = -1
    config.graph_options.rewrite_options.meta_optimizer_iterations = 1
    result = tf_optimizer.OptimizeGraph(config, meta, cluster=virtual_machine())
    for node in result.node:
        node.device = ""
    return result


def formats(graph):
    count = {}
    for node in graph.node:
        if "data_format" in node.attr:
            key = node.op + " " + node.attr["data_format"].s.decode()
            count[key] = count.get(key, 0) + 1
    return count


def trained(folder, graph, images):
    """The momentum after a training step on the CPU, from the folder's state and from random images: its gradient."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    random = np.random.default_rng(1)
    with tf.Graph().as_default(), tf.Session(config=config) as session:
        tf.import_graph_def(graph, name="")

        def tensor(name):
            return session.graph.get_tensor_by_name(name + ":0")

        start = {tensor("new_" + name): np.fromfile(os.path.join(folder, name), np.float32) for name in STATE}
        session.run("restored:0", start)
        _, *sizes = tensor("images").shape.as_list()
        pixels = random.normal(size=[images, *sizes]).astype(np.float32)
        step = {
            tensor("images"): pixels.view(tensor("images").dtype.as_numpy_dtype),
            tensor("labels"): np.arange(images, dtype=np.int32) % 10,
            tensor("step_images"): np.float32(images),
            tensor("learning_rate"): np.float32(0.1),
        }
        for name, most in (("dropout_keys", 1 << 30), ("branches", 2)):
            if name in [node.name for node in graph.node]:
                step[tensor(name)] = random.integers(0, most, tensor(name).shape.as_list()).astype(np.int32)
        session.run("step:0", step)
        return session.run("momentum_value:0")


def report(argument):
    folder, _, images = argument.partition(":")
    model = saved_model_pb2.SavedModel()
    with open(os.path.join(folder, "saved_model.pb"), "rb") as file:
        model.ParseFromString(file.read())
    graph = model.meta_graphs[0].graph_def
    after = rewritten(graph)
    transposes = sum(node.op == "Transpose" for node in after.node)
    result = {"formats": formats(after), "transposes": transposes}
    if images:
        own, other = trained(folder, graph, int(images)), trained(folder, after, int(images))
        result["deviation"] = float(np.linalg.norm(own - other) / np.linalg.norm(own))
    print(json.dumps(result), flush=True)


for argument in sys.argv[1:]:
    report(argument)
