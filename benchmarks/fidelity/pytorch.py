"""
Trains a DenseNet on CIFAR-10 in PyTorch, with the recipe of the paper and code of its own from the files to the test
error, and writes a line for every epoch: what `densenet train` is held against. Beside the CSV file lies a JSON file
that says what was trained, on which images and with what. Goes on where it was stopped, after the last whole epoch, and
does nothing where it came to its end.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent / "peers"))
from torch_densenet import DenseNet

# Mean and deviation of the training pixels, 0 to 255 (fb.resnet.torch, datasets/cifar10.lua).
MEAN = np.array([125.3, 123.0, 113.9], np.float32).reshape(3, 1, 1)
DEVIATION = np.array([63.0, 62.1, 66.7], np.float32).reshape(3, 1, 1)

BATCH, PADDING = 64, 4
RATE, MILESTONES = 0.1, (0.5, 0.75)


TRAINING = [f"data_batch_{i}.bin" for i in range(1, 6)]
TESTING = ["test_batch.bin"]


def digest(folder):
    """As environment.json has it: SHA-256 over the digests and names of the files."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in TRAINING + TESTING]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def record(options):
    """Writes what is trained, on what and with what, or makes sure that it is what was trained before."""
    path = options.output.with_suffix(".json")
    names = ("depth", "growth_rate", "basic", "dropout", "augment", "epochs", "seed")
    training = {name: getattr(options, name) for name in names} | {"data": digest(options.data)}
    if path.exists():
        before = {name: value for name, value in json.loads(path.read_text()).items() if name in training}
        if before != training:
            sys.exit(f"{path} is of another training: {before}; this one is {training}. Choose another output.")
        return
    machine = {"torch": torch.__version__, "platform": platform.platform(), "cores": os.cpu_count()}
    path.write_text(json.dumps(training | machine | {"threads": options.threads}, indent=2) + "\n")


def read(folder, names):
    """Images [N, 3, 32, 32], normalised, and labels [N], from files of the binary version."""
    records = np.concatenate([np.fromfile(folder / name, np.uint8).reshape(-1, 3073) for name in names])
    images = (records[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) - MEAN) / DEVIATION
    return torch.from_numpy(images), torch.from_numpy(records[:, 0].astype(np.int64))


def augmented(images):
    """Each image padded with zeros, cropped at random, and mirrored with probability 1/2."""
    padded = F.pad(images, [PADDING] * 4)
    mirrored = torch.rand(len(images)) < 0.5
    offsets = torch.randint(2 * PADDING + 1, (len(images), 2)).tolist()
    crops = [image[:, y : y + 32, x : x + 32] for image, (y, x) in zip(padded, offsets)]
    return torch.stack([crop.flip(2) if mirror else crop for crop, mirror in zip(crops, mirrored)])


def initialize(net):
    """
    As models/densenet.lua: convolutions by He et al. with fan-out; the classifier's bias is 0, and its weights keep
    PyTorch's U(±1/√in).
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    nn.init.zeros_(net.classifier.bias)


def train_epoch(net, sgd, images, labels, augment):
    """Mean loss and error in percent over the epoch's images, as they were trained."""
    net.train()
    order = torch.randperm(len(labels))
    loss_sum = wrong = 0
    for chosen in order.split(BATCH):
        batch, target = images[chosen], labels[chosen]
        logits = net((augmented(batch) if augment else batch).contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits, target)
        sgd.zero_grad(set_to_none=True)
        loss.backward()
        sgd.step()
        loss_sum += loss.item() * len(chosen)
        wrong += (logits.argmax(1) != target).sum().item()
    return loss_sum / len(labels), 100 * wrong / len(labels)


@torch.inference_mode()
def test(net, images, labels):
    """Mean loss and error in percent."""
    net.eval()
    loss_sum = wrong = 0
    for batch, target in zip(images.split(250), labels.split(250)):
        logits = net(batch.contiguous(memory_format=torch.channels_last))
        loss_sum += F.cross_entropy(logits, target, reduction="sum").item()
        wrong += (logits.argmax(1) != target).sum().item()
    return loss_sum / len(labels), 100 * wrong / len(labels)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of data_batch_1.bin … test_batch.bin")
    parser.add_argument("output", type=Path, help="CSV file to write; a checkpoint lies beside it while it trains")
    parser.add_argument("--depth", type=int, default=40, help="L")
    parser.add_argument("--growth-rate", type=int, default=12, help="k")
    parser.add_argument("--basic", action="store_true", help="no bottleneck, no compression")
    parser.add_argument("--dropout", type=float, default=0)
    parser.add_argument("--augment", action="store_true", help="shift and mirror (C10+)")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def build(options):
    architecture = SimpleNamespace(
        layers=[(options.depth - 4) // (3 if options.basic else 6)] * 3,
        growth_rate=options.growth_rate,
        compression=1 if options.basic else 0.5,
        stem_channels=16 if options.basic else 2 * options.growth_rate,
        classes=10,
        channels=3,
        basic=options.basic,
        imagenet=False,
        memory_efficient=False,
    )
    net = DenseNet(architecture, options.dropout).to(memory_format=torch.channels_last)
    initialize(net)
    return net


def main():
    options = parse()
    record(options)
    if options.output.exists():
        print(f"{options.output} is there already")
        return
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    net = build(options)
    sgd = torch.optim.SGD(net.parameters(), RATE, momentum=0.9, nesterov=True, weight_decay=1e-4)
    lines = ["epoch,learning_rate,train_loss,train_error,test_loss,test_error,seconds"]

    checkpoint = options.output.with_suffix(".pt")
    if checkpoint.exists():
        saved = torch.load(checkpoint)
        lines = saved["lines"]
        net.load_state_dict(saved["net"])
        sgd.load_state_dict(saved["sgd"])
        torch.set_rng_state(saved["random"])

    training = read(options.data, TRAINING)
    testing = read(options.data, TESTING)
    for epoch in range(len(lines), options.epochs + 1):
        passed = sum(epoch - 1 >= milestone * options.epochs for milestone in MILESTONES)
        for group in sgd.param_groups:
            group["lr"] = RATE * 0.1**passed
        start = time.monotonic()
        train_loss, train_error = train_epoch(net, sgd, *training, options.augment)
        test_loss, test_error = test(net, *testing)
        lines.append(
            f"{epoch},{RATE * 0.1**passed:.6g},{train_loss:.6f},{train_error:.3f},{test_loss:.6f},{test_error:.2f},"
            f"{time.monotonic() - start:.1f}"
        )
        print(lines[-1], flush=True)
        state = {"lines": lines, "net": net.state_dict(), "sgd": sgd.state_dict(), "random": torch.get_rng_state()}
        torch.save(state, f"{checkpoint}.part")
        os.replace(f"{checkpoint}.part", checkpoint)
    options.output.write_text("\n".join(lines) + "\n")
    checkpoint.unlink()


main()
