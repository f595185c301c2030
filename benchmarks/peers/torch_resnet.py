"""ResNets in PyTorch, as plainly as one would write them: those whose shortcuts project where the shape changes."""

import torch.nn.functional as F
from torch import nn


def convolution(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class Unit(nn.Module):
    """
    Shortcut plus two 3x3 convolutions, or 1x1, 3x3 and 1x1, whose stride is that of the first convolution in a
    pre-activation unit and of the 3x3 in a post-activation one. Before each convolution BN-ReLU ("pre"), or after.
    """

    def __init__(self, inputs, inner, outputs, stride, options):
        super().__init__()
        self.pre = options.activation == "pre"
        kernels = [3, 3] if options.basic else [1, 3, 1]
        widths = [inputs] + [inner] * (len(kernels) - 1) + [outputs]
        strided = 0 if self.pre or options.basic else 1
        self.convolutions = nn.ModuleList(
            convolution(widths[i], widths[i + 1], kernel, stride if i == strided else 1)
            for i, kernel in enumerate(kernels)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in (widths[:-1] if self.pre else widths[1:]))
        self.projection = None
        if stride != 1 or inputs != outputs:
            project = convolution(inputs, outputs, 1, stride)
            self.projection = project if self.pre else nn.Sequential(project, nn.BatchNorm2d(outputs))

    def forward(self, x):
        if self.pre:
            y = F.relu(self.norms[0](x), inplace=True)
            shortcut = self.projection(y) if self.projection else x
            y = self.convolutions[0](y)
            for norm, conv in zip(self.norms[1:], self.convolutions[1:]):
                y = conv(F.relu(norm(y), inplace=True))
            return y + shortcut
        y = x
        for norm, conv in zip(self.norms[:-1], self.convolutions[:-1]):
            y = F.relu(norm(conv(y)), inplace=True)
        y = self.norms[-1](self.convolutions[-1](y))
        return F.relu(y + (self.projection(x) if self.projection else x), inplace=True)


class ResNet(nn.Module):
    """
    `options` has: layers (units of each stage), activation ("pre" or "post"), basic (no bottleneck), widening, imagenet
    (its stem), classes, channels (of the images).
    """

    def __init__(self, options):
        super().__init__()
        pre = options.activation == "pre"
        base = 64 if options.imagenet else 16 * options.widening
        channels = 64 if options.imagenet else 16
        self.stem = nn.Sequential(convolution(options.channels, channels, *((7, 2) if options.imagenet else (3,))))
        if not pre:
            self.stem.extend([nn.BatchNorm2d(channels), nn.ReLU(inplace=True)])
        if options.imagenet:
            self.stem.append(nn.MaxPool2d(3, stride=2, padding=1))
        self.units = nn.Sequential()
        for stage, count in enumerate(options.layers):
            inner = base * 2**stage
            outputs = inner if options.basic else 4 * inner
            for unit in range(count):
                self.units.append(Unit(channels, inner, outputs, 2 if stage > 0 and unit == 0 else 1, options))
                channels = outputs
        if pre:
            self.units.extend([nn.BatchNorm2d(channels), nn.ReLU(inplace=True)])
        self.classifier = nn.Linear(channels, options.classes)

    def forward(self, x):
        return self.classifier(self.units(self.stem(x)).mean((2, 3)))
