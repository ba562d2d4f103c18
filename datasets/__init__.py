"""Data sets, synthetic or read from files; batches and one-hot labels for a training loop."""

from datasets.batches import batch, one_hot_encode
from datasets.cifar10 import cifar10
from datasets.fetching import DownloadError, remove
from datasets.logic_gates import logic_gate
from datasets.mnist import fashion_mnist, mnist
from datasets.published import class_names
from datasets.reading import DataError
from datasets.synthetic import sine_data, spiral_data, vertical_data

__all__ = [
    "DataError",
    "DownloadError",
    "batch",
    "cifar10",
    "class_names",
    "fashion_mnist",
    "logic_gate",
    "mnist",
    "one_hot_encode",
    "remove",
    "sine_data",
    "spiral_data",
    "vertical_data",
]


def __dir__() -> list[str]:
    return __all__
