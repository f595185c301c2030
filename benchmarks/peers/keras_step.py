"""Times a training or prediction step of a network in Keras 3 on TensorFlow, graph mode."""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import options as cli


def convolution(x, channels, kernel, strides=1):
    return layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False)(x)


def norm(x):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def norm_relu(x):
    return layers.ReLU()(norm(x))


def image_input(options):
    return keras.Input((options.height, options.width, options.channels))


def imagenet_stem(x, channels):
    return layers.MaxPooling2D(3, 2, padding="same")(norm_relu(convolution(x, channels, 7, 2)))


def classifier(inputs, x, options):
    return keras.Model(inputs, layers.Dense(options.classes)(layers.GlobalAveragePooling2D()(x)))


def dense_net(options):
    inputs = x = image_input(options)
    channels = options.stem_channels
    x = imagenet_stem(x, channels) if options.imagenet else convolution(x, channels, 3)
    for index, count in enumerate(options.layers):
        if index > 0:
            channels = int(channels * options.compression)
            x = layers.AveragePooling2D(2)(convolution(norm_relu(x), channels, 1))
        for _ in range(count):
            y = norm_relu(x)
            if not options.basic:
                y = norm_relu(convolution(y, 4 * options.growth_rate, 1))
            x = layers.Concatenate()([x, convolution(y, options.growth_rate, 3)])
            channels += options.growth_rate
    return classifier(inputs, norm_relu(x), options)


def residual_unit(x, inner, outputs, stride, options):
    pre = options.activation == "pre"
    widths = [inner, outputs] if options.basic else [inner, inner, outputs]
    kernels = [3, 3] if options.basic else [1, 3, 1]
    strides = [1, stride, 1] if not (pre or options.basic) else [stride, 1, 1]
    projects = stride != 1 or x.shape[-1] != outputs
    if pre:
        y = norm_relu(x)
        shortcut = convolution(y, outputs, 1, stride) if projects else x
        for i, (width, kernel) in enumerate(zip(widths, kernels)):
            y = convolution(y if i == 0 else norm_relu(y), width, kernel, strides[i])
        return layers.Add()([y, shortcut])
    y = x
    for i, (width, kernel) in enumerate(zip(widths[:-1], kernels[:-1])):
        y = norm_relu(convolution(y, width, kernel, strides[i]))
    y = norm(convolution(y, widths[-1], kernels[-1]))
    shortcut = norm(convolution(x, outputs, 1, stride)) if projects else x
    return layers.ReLU()(layers.Add()([y, shortcut]))


def res_net(options):
    """With projections where the shape changes, as torch_resnet.py."""
    inputs = x = image_input(options)
    pre = options.activation == "pre"
    if options.imagenet:
        x = imagenet_stem(x, 64)
    else:
        x = convolution(x, 16, 3) if pre else norm_relu(convolution(x, 16, 3))
    for stage, count in enumerate(options.layers):
        inner = (64 if options.imagenet else 16 * options.widening) * 2**stage
        for unit in range(count):
            outputs = inner if options.basic else 4 * inner
            x = residual_unit(x, inner, outputs, 2 if stage > 0 and unit == 0 else 1, options)
    return classifier(inputs, norm_relu(x) if pre else x, options)


def main():
    options = cli.parse()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    gpus = tf.config.list_physical_devices("GPU")
    if options.device == "gpu" and not gpus:
        sys.exit("error: this TensorFlow finds no GPU; give --keras-python one with CUDA")
    tf.config.set_visible_devices(gpus if options.device == "gpu" else [], "GPU")
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if options.precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    keras.utils.set_random_seed(1)
    net = {"densenet": dense_net, "resnet": res_net}[options.family](options)
    net.compile(
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=1e-4),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    images = np.random.randn(options.batch, options.height, options.width, options.channels).astype("float32")
    labels = np.random.randint(options.classes, size=options.batch)
    if options.mode == "train":
        times = cli.measure(options, lambda: float(net.train_on_batch(images, labels)))
    else:
        times = cli.measure(options, lambda: net.predict_on_batch(images))
    parameters = sum(int(np.prod(w.shape)) for w in net.trainable_weights)
    version = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"
    if options.device == "gpu":
        version += f", {tf.config.experimental.get_device_details(gpus[0])['device_name']}"
    cli.report(times, parameters, version)


main()
