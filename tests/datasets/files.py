"""Small files in the formats of the real data sets."""

import gzip
import io
import struct
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

MEMBERS = [f"data_batch_{number}.bin" for number in range(1, 6)] + ["test_batch.bin"]


def idx(items: Bytes) -> bytes:
    """An IDX file, written from the format's description."""
    magic = bytes([0, 0, 8, items.ndim])
    return magic + struct.pack(f">{items.ndim}I", *items.shape) + items.tobytes()


def random_images(count: int, seed: int = 0) -> tuple[Bytes, Bytes]:
    """Images ``(count, 28, 28)`` and labels ``(count,)``."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return images, generator.integers(0, 10, count, dtype=np.uint8)


def mnist_files(train: int = 7, test: int = 3) -> dict[str, bytes]:
    """The four files of a tiny MNIST, gzipped."""
    contents = {}
    for prefix, count, seed in (("train", train, 1), ("t10k", test, 2)):
        images, labels = random_images(count, seed)
        contents[f"{prefix}-images-idx3-ubyte.gz"] = gzip.compress(idx(images), mtime=0)
        contents[f"{prefix}-labels-idx1-ubyte.gz"] = gzip.compress(idx(labels), mtime=0)
    return contents


def records(count: int, seed: int = 0) -> Bytes:
    """Records of CIFAR-10's binary version, ``(count, 3073)``."""
    generator = np.random.default_rng(seed)
    rows = generator.integers(0, 256, (count, 3073), dtype=np.uint8)
    rows[:, 0] %= 10
    return rows


def archive(members: dict[str, bytes], folder: str = "cifar-10-batches-bin/") -> bytes:
    """A tar archive, not gzipped."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, contents in members.items():
            member = tarfile.TarInfo(folder + name)
            member.size = len(contents)
            tar.addfile(member, io.BytesIO(contents))
    return packed.getvalue()


def cifar_members(per_batch: int = 2) -> dict[str, bytes]:
    """The six files of a tiny CIFAR-10, with two others as in the real archive."""
    batches = {name: records(per_batch, seed).tobytes() for seed, name in enumerate(MEMBERS)}
    return {"batches.meta.txt": b"airplane\n", **batches, "readme.html": b"<html></html>"}


def write(folder: Path, contents: dict[str, bytes]) -> Path:
    """Write files into ``folder``, which is made, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder
