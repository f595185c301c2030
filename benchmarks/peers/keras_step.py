"""Times a training or prediction step of a DenseNet in Keras 3 on TensorFlow, graph mode."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import options as cli


def convolution(x, channels, kernel, strides=1):
    return layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False)(x)


def norm_relu(x):
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))


def dense_net(options):
    inputs = x = keras.Input((options.height, options.width, options.channels))
    channels = options.stem_channels
    if options.imagenet:
        x = norm_relu(convolution(x, channels, 7, 2))
        x = layers.MaxPooling2D(3, 2, padding="same")(x)
    else:
        x = convolution(x, channels, 3)
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
    x = layers.GlobalAveragePooling2D()(norm_relu(x))
    return keras.Model(inputs, layers.Dense(options.classes)(x))


def main():
    options = cli.parse()
    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    if options.precision == "bfloat16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    keras.utils.set_random_seed(1)
    net = dense_net(options)
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
    cli.report(times, parameters, f"Keras {keras.__version__}, TensorFlow {tf.__version__}")


main()
