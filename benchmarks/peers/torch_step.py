"""Times a training or prediction step of a network in PyTorch: eager mode, channels-last; or compiled."""

import statistics
import sys

import torch
import torch.nn.functional as F

import options as cli
from torch_densenet import DenseNet
from torch_resnet import ResNet

NETWORKS = {"densenet": DenseNet, "resnet": ResNet}


def measure(options, memory_format):
    """Milliseconds of every step, and the number of parameters."""
    torch.manual_seed(1)
    device = "cuda" if options.device == "gpu" else "cpu"
    net = NETWORKS[options.family](options).to(device, memory_format=memory_format)
    images = torch.randn(options.batch, options.channels, options.height, options.width)
    images = images.to(memory_format=memory_format)
    labels = torch.randint(options.classes, (options.batch,))
    if options.device == "gpu":
        # A batch goes to the GPU in every step, as in training.
        images, labels = images.pin_memory(), labels.pin_memory()
    sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    autocast = torch.autocast(device, torch.bfloat16, enabled=options.precision == "bfloat16")
    run = torch.compile(net) if options.compile else net

    def on_device(tensor):
        return tensor.to(device, non_blocking=True)

    def train():
        with autocast:
            loss = F.cross_entropy(run(on_device(images)), on_device(labels))
        sgd.zero_grad(set_to_none=True)
        loss.backward()
        sgd.step()
        return loss.item()

    @torch.inference_mode()
    def predict():
        with autocast:
            return run(on_device(images)).float().cpu().numpy()

    net.train(options.mode == "train")
    times = cli.measure(options, train if options.mode == "train" else predict)
    return times, sum(p.numel() for p in net.parameters())


def main():
    options = cli.parse(lambda parser: parser.add_argument("--compile", action="store_true", help="with Inductor"))
    torch.set_num_threads(options.threads)
    # float32 is meant: cuDNN would multiply TF32.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    version = f"PyTorch {torch.__version__}"
    if options.device == "gpu":
        if not torch.cuda.is_available():
            sys.exit("error: this PyTorch finds no GPU; give --pytorch-python one with CUDA")
        version += f", {torch.cuda.get_device_name()}"
    if not options.compile:
        times, parameters = measure(options, torch.channels_last)
    else:
        # Which layout of the images is better depends on the network; the better one counts.
        layouts = {"channels-last": torch.channels_last, "channels-first": torch.contiguous_format}
        measured = {name: measure(options, layout) for name, layout in layouts.items()}
        best = min(measured, key=lambda name: statistics.median(measured[name][0]))
        times, parameters = measured[best]
        version += f", torch.compile, {best}"
    cli.report(times, parameters, version)


main()
