"""What every peer is asked on the command line, and what it answers: one line of JSON."""

import argparse
import json
import resource
import time


def parse(add_arguments=lambda parser: None):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--family", choices=["densenet", "resnet"], default="densenet")
    parser.add_argument("--depth", type=int, default=100, help="L")
    parser.add_argument("--growth-rate", type=int, default=12, help="k")
    parser.add_argument("--activation", choices=["pre", "post"], default="pre", help="of a ResNet")
    parser.add_argument("--widening", type=int, default=1, help="k of a Wide ResNet")
    parser.add_argument("--basic", action="store_true", help="no bottleneck, no compression")
    parser.add_argument("--blocks", help="layers or units of each block, with the ImageNet stem: 6,12,24,16")
    parser.add_argument("--input", default="3x32x32", help="channels, height, width")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--mode", choices=["train", "predict"], default="train")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--memory-efficient", action="store_true")
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    options.channels, options.height, options.width = map(int, options.input.split("x"))
    options.imagenet = options.blocks is not None
    if options.imagenet:
        options.layers = [int(n) for n in options.blocks.split(",")]
    elif options.family == "densenet":
        options.layers = [(options.depth - 4) // (3 if options.basic else 6)] * 3
    else:
        outer = 4 if options.widening > 1 else 2
        options.layers = [(options.depth - outer) // (6 if options.basic else 9)] * 3
    wide = options.imagenet or not options.basic
    options.stem_channels = 2 * options.growth_rate if wide else 16
    options.compression = 1 if options.basic else 0.5
    return options


def measure(options, step):
    """Times `step`, which must return only when its result is there; milliseconds."""
    for _ in range(options.warmup):
        step()
    times = []
    for _ in range(options.steps):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return times


def report(times, parameters, version):
    """`parameters` are the trainable ones, unless the network is given; the reader checks that all are the same."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = {"times": times, "parameters": parameters, "peakRssBytes": 1024 * kilobytes, "version": version}
    print(json.dumps(answer))
