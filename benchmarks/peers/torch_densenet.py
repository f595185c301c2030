"""DenseNets in PyTorch, as plainly as one would write them: for timing, and for training beside this program."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


class DenseLayer(nn.Module):
    """BN-ReLU-Conv; with bottleneck BN-ReLU-Conv(1x1)-BN-ReLU-Conv(3x3). Reads a list of feature maps."""

    def __init__(self, inputs, growth_rate, bottleneck, memory_efficient, dropout):
        super().__init__()
        self.dropout = dropout
        self.bottleneck = bottleneck
        self.memory_efficient = memory_efficient
        width = 4 * growth_rate if bottleneck else growth_rate
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 1 if bottleneck else 3, padding=0 if bottleneck else 1, bias=False)
        if bottleneck:
            self.norm2 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, growth_rate, 3, padding=1, bias=False)

    def first(self, *maps):
        return self.drop(self.conv1(F.relu(self.norm1(torch.cat(maps, 1)), inplace=True)))

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training)

    def forward(self, maps):
        if self.memory_efficient and self.training:
            x = checkpoint(self.first, *maps, use_reentrant=False)
        else:
            x = self.first(*maps)
        return self.drop(self.conv2(F.relu(self.norm2(x), inplace=True))) if self.bottleneck else x


class DenseNet(nn.Module):
    """
    `options` has: layers (of each block), growth_rate, compression, stem_channels, classes, channels (of the images),
    basic (no bottleneck), imagenet (its stem), memory_efficient. Dropout follows every convolution but the first.
    """

    def __init__(self, options, dropout=0.0):
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
                        nn.Dropout(dropout),
                        nn.AvgPool2d(2),
                    )
                )
                channels = kept
            block = nn.ModuleList()
            for _ in range(layers):
                block.append(
                    DenseLayer(channels, options.growth_rate, not options.basic, options.memory_efficient, dropout)
                )
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
