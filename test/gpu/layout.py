"""
Runs a training step and an evaluation of graphs in a session on the null GPU, and looks at the graphs that the session
executes: those that all of TensorFlow's optimizers have rewritten. Prints one JSON line for each, with both: how many
operations have which data format, how many transposes there are, and, if it is to be compared, how far the step's
gradient, computed on the CPU, is from that of the graph as it was written.
A folder holds saved_model.pb and, as raw floats, the state to begin with: weights, momentum, running. FLOAT32 is a
library of tensorflow/float32.cc, which the engine has in its binding.

usage: layout.py FLOAT32 SAVED_MODEL_FOLDER[:compare]...
"""
import ctypes
import json
import os
import sys

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2

IMAGES = 4
STATE = ["weights", "momentum", "running"]
SENDS, RECEIVES = ("_Send", "_HostSend"), ("_Recv", "_HostRecv")
EXECUTED = "executed/"


def restore(session, folder):
    session.run("restored:0", {f"new_{name}:0": np.fromfile(os.path.join(folder, name), np.float32) for name in STATE})


def step_feeds(graph):
    """A training step with random images, by the names of what is fed."""
    random = np.random.default_rng(1)

    def tensor(name):
        return graph.get_tensor_by_name(name + ":0")

    _, *sizes = tensor("images").shape.as_list()
    pixels = random.normal(size=[IMAGES, *sizes]).astype(np.float32)
    feeds = {
        "images": pixels.view(tensor("images").dtype.as_numpy_dtype),
        "labels": np.arange(IMAGES, dtype=np.int32) % 10,
        "step_images": np.float32(IMAGES),
        "learning_rate": np.float32(0.1),
    }
    names = [operation.name for operation in graph.get_operations()]
    for name, most in (("dropout_keys", 1 << 30), ("branches", 2)):
        if name in names:
            feeds[name] = random.integers(0, most, tensor(name).shape.as_list()).astype(np.int32)
    return feeds


def tensors(feeds, prefix=""):
    return {f"{prefix}{name}:0": value for name, value in feeds.items()}


def executed(folder, graph, fetch):
    """The graphs of the devices, as a session on the GPU executes them in a training step or an evaluation."""
    with tf.Graph().as_default() as whole, tf.Session() as session:
        tf.import_graph_def(graph, name="")
        restore(session, folder)
        options, metadata = tf.RunOptions(output_partition_graphs=True), tf.RunMetadata()
        feeds = step_feeds(whole)
        if fetch == "logits":
            feeds = {"images": feeds["images"]}
        session.run(fetch + ":0", tensors(feeds), options, metadata)
    assert any("GPU" in node.device for part in metadata.partition_graphs for node in part.node)
    return metadata.partition_graphs


def one_graph(parts, feeds):
    """The graphs of the devices as one, which can be imported beside the original: its names begin with `EXECUTED`."""
    nodes = [node for part in parts for node in part.node]
    sent = {node.attr["tensor_name"].s: node.input[0] for node in nodes if node.op in SENDS}
    source = {node.name: sent[node.attr["tensor_name"].s] for node in nodes if node.op in RECEIVES}
    # Feeds are numbered by their names.
    fed = dict(enumerate(sorted(feeds)))
    name = {node.name: fed[node.attr["index"].i] if node.op == "_Arg" else node.name for node in nodes}

    def renamed(reference):
        if reference.startswith("^"):
            return "^" + renamed(source.get(reference[1:], reference[1:]).split(":")[0])
        node, *index = source.get(reference, reference).split(":")
        return ":".join([EXECUTED + name[node], *index])

    graph = tf.GraphDef(versions=parts[0].versions)
    for node in nodes:
        if node.op in SENDS + RECEIVES + ("_Retval",):
            continue
        made = graph.node.add()
        made.CopyFrom(node)
        made.name, made.device = renamed(node.name), ""
        made.input[:] = [renamed(reference) for reference in node.input]
        if node.op == "_Arg":
            made.op = "Placeholder"
            made.attr["dtype"].type = made.attr.pop("T").type
            del made.attr["index"]
        elif node.op == "_FusedBatchNormEx":
            # Python wants a multiple of four channels of it, the kernel does not.
            unfuse(graph, made)
    return graph


def unfuse(graph, fused):
    """Makes a batch normalisation with a ReLU two operations again."""
    assert fused.attr["activation_mode"].s == b"Relu" and not fused.attr["is_training"].b
    norm = graph.node.add()
    norm.CopyFrom(fused)
    norm.name, norm.op = fused.name + "/norm", "FusedBatchNormV3"
    del norm.attr["activation_mode"], norm.attr["num_side_inputs"]
    fused.op = "Relu"
    fused.input[:] = [norm.name]
    for name in [name for name in fused.attr if name != "T"]:
        del fused.attr[name]


def deviation(folder, graph, parts):
    """Between the momentum after a training step on the CPU by the two graphs, in units of its length."""
    config = tf.ConfigProto(device_count={"GPU": 0})
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with tf.Graph().as_default() as whole, tf.Session(config=config) as session:
        tf.import_graph_def(graph, name="")
        feeds = step_feeds(whole)
        tf.import_graph_def(one_graph(parts, feeds), name="")

        def momentum_after(prefix):
            restore(session, folder)
            session.run(prefix + "step:0", tensors(feeds, prefix))
            return session.run("momentum_value:0")

        own, other = momentum_after(""), momentum_after(EXECUTED)
    return float(np.linalg.norm(own - other) / np.linalg.norm(own))


def formats(nodes):
    count = {}
    for node in nodes:
        if "data_format" in node.attr:
            key = node.op + " " + node.attr["data_format"].s.decode()
            count[key] = count.get(key, 0) + 1
    return count


def seen(parts):
    nodes = [node for part in parts for node in part.node]
    return {"formats": formats(nodes), "transposes": sum(node.op == "Transpose" for node in nodes)}


def report(argument):
    folder, _, compare = argument.partition(":")
    model = saved_model_pb2.SavedModel()
    with open(os.path.join(folder, "saved_model.pb"), "rb") as file:
        model.ParseFromString(file.read())
    graph = model.meta_graphs[0].graph_def
    step = executed(folder, graph, "step")
    result = {"step": seen(step), "evaluation": seen(executed(folder, graph, "logits"))}
    if compare:
        result["deviation"] = deviation(folder, graph, step)
    print(json.dumps(result), flush=True)


ctypes.CDLL(sys.argv[1])
for argument in sys.argv[2:]:
    report(argument)
