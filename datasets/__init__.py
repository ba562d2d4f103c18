"""Data sets, synthetic or read from files; batches and one-hot labels for a training loop."""

import optimizers

if getattr(optimizers, "__distribution__", None) != "dinputs":
    _place = getattr(optimizers, "__file__", None) or next(iter(optimizers.__path__))
    raise ImportError(
        f"datasets needs the package optimizers of dinputs, but {_place} is in the way: give it "
        "another name, run Python elsewhere, or install dinputs into a virtual environment of its "
        "own",
        name="optimizers",
    )

from datasets.batches import batch, one_hot_encode
from datasets.cifar10 import cifar10
from datasets.fetching import DownloadError, remove
from datasets.image_folder import ImageFolder, image_folder
from datasets.logic_gates import logic_gate
from datasets.mnist import fashion_mnist, mnist
from datasets.plane import circle_data, gaussian_data, moons_data, plane_data, xor_data
from datasets.published import class_names
from datasets.reading import DataError
from datasets.synthetic import sine_data, spiral_data, vertical_data
from optimizers.installation import warn_of_mixture

__distribution__ = "dinputs"  # by which framework knows this package from others of its name
warn_of_mixture(__name__, __path__[0])

__all__ = [
    "DataError",
    "DownloadError",
    "ImageFolder",
    "batch",
    "cifar10",
    "circle_data",
    "class_names",
    "fashion_mnist",
    "gaussian_data",
    "image_folder",
    "logic_gate",
    "mnist",
    "moons_data",
    "one_hot_encode",
    "plane_data",
    "remove",
    "sine_data",
    "spiral_data",
    "vertical_data",
    "xor_data",
]


def __dir__() -> list[str]:
    return __all__
