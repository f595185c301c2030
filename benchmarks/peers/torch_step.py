"""Times a training or prediction step of a DenseNet in PyTorch: eager mode, channels-last; or compiled."""

import statistics

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

import options as cli


class DenseLayer(nn.Module):
    """BN-ReLU-Conv; with bottleneck BN-ReLU-Conv(1x1)-BN-ReLU-Conv(3x3). Reads a list of feature maps."""

    def __init__(self, inputs, growth_rate, bottleneck, memory_efficient):
        super().__init__()
        self.bottleneck = bottleneck
        self.memory_efficient = memory_efficient
        width = 4 * growth_rate if bottleneck else growth_rate
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 1 if bottleneck else 3, padding=0 if bottleneck else 1, bias=False)
        if bottleneck:
            self.norm2 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, growth_rate, 3, padding=1, bias=False)

    def first(self, *maps):
        return self.conv1(F.relu(self.norm1(torch.cat(maps, 1)), inplace=True))

    def forward(self, maps):
        if self.memory_efficient and self.training:
            x = checkpoint(self.first, *maps, use_reentrant=False)
        else:
            x = self.first(*maps)
        return self.conv2(F.relu(self.norm2(x), inplace=True)) if self.bottleneck else x


class DenseNet(nn.Module):
    def __init__(self, options):
        super().__init__()
        channels = options.stem_channels
        if options.imagenet:
            self.stem = nn.Sequential(
                nn.Conv2d(options.channels, channels, 7, stride=2, padding=3, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(3, stride=2, padding=1),
            )
        else:
            self.stem = nn.Conv2d(options.channels, channels, 3, padding=1, bias=False)
        self.blocks = nn.ModuleList()
        self.transitions = nn.ModuleList()
        for index, layers in enumerate(options.layers):
            if index > 0:
                kept = int(channels * options.compression)
                self.transitions.append(
                    nn.Sequential(
                        nn.BatchNorm2d(channels),
                        nn.ReLU(inplace=True),
                        nn.Conv2d(channels, kept, 1, bias=False),
                        nn.AvgPool2d(2),
                    )
                )
                channels = kept
            block = nn.ModuleList()
            for _ in range(layers):
                block.append(DenseLayer(channels, options.growth_rate, not options.basic, options.memory_efficient))
                channels += options.growth_rate
            self.blocks.append(block)
        self.norm = nn.BatchNorm2d(channels)
        self.classifier = nn.Linear(channels, options.classes)

    def forward(self, x):
        x = self.stem(x)
        for index, block in enumerate(self.blocks):
            if index > 0:
                x = self.transitions[index - 1](x)
            maps = [x]
            for layer in block:
                maps.append(layer(maps))
            x = torch.cat(maps, 1)
        return self.classifier(F.relu(self.norm(x), inplace=True).mean((2, 3)))


def measure(options, memory_format):
    """Milliseconds of every step, and the number of parameters."""
    torch.manual_seed(1)
    net = DenseNet(options).to(memory_format=memory_format)
    images = torch.randn(options.batch, options.channels, options.height, options.width)
    images = images.to(memory_format=memory_format)
    labels = torch.randint(options.classes, (options.batch,))
    sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, nesterov=True, weight_decay=1e-4)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bfloat16")
    run = torch.compile(net) if options.compile else net

    def train():
        with autocast:
            loss = F.cross_entropy(run(images), labels)
        sgd.zero_grad(set_to_none=True)
        loss.backward()
        sgd.step()
        return loss.item()

    @torch.inference_mode()
    def predict():
        with autocast:
            return run(images).float().numpy()

    net.train(options.mode == "train")
    times = cli.measure(options, train if options.mode == "train" else predict)
    return times, sum(p.numel() for p in net.parameters())


def main():
    options = cli.parse(lambda parser: parser.add_argument("--compile", action="store_true", help="with Inductor"))
    torch.set_num_threads(options.threads)
    version = f"PyTorch {torch.__version__}"
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
