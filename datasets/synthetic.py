"""The book's made-up data, from its package ``nnfs``.

Without a seed they draw from NumPy's global generator, as in the book, so that
``nnfs.init()`` or ``np.random.seed`` decide them. With one they leave it as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import nnfs.datasets
import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_count

Data = tuple[Array, Array]


def spiral_data(samples: int, classes: int, *, seed: int | None = None) -> Data:
    """Return points on the arms of a spiral, one arm for each class.

    Args:
        samples: points of each class, at least 1.
        classes: 1 to 256.
        seed: makes the points repeatable, without a trace on NumPy's global generator.

    Returns:
        Points ``(samples * classes, 2)`` and labels ``(samples * classes,)``, uint8, sorted by
        class: shuffle them before taking batches.

    Raises:
        TypeError, ValueError: an argument that is no whole number or out of its range.

    Source: *Neural Networks from Scratch*, chapter 3; Karpathy, CS231n.
    """
    with _seeded(seed):
        data: Data = nnfs.datasets.spiral_data(*_sizes(samples, classes))
    return data


def vertical_data(samples: int, classes: int, *, seed: int | None = None) -> Data:
    """Return points in clouds side by side, one cloud for each class.

    Arguments, returned arrays and errors are those of ``spiral_data``.

    Source: *Neural Networks from Scratch*, chapter 6.
    """
    with _seeded(seed):
        data: Data = nnfs.datasets.vertical_data(*_sizes(samples, classes))
    return data


def sine_data(samples: int = 1000, *, seed: int | None = None) -> Data:
    """Return one period of a sine: x from 0 up to 1, and ``sin(2πx)``, both ``(samples, 1)``.

    Nothing in it is random; ``seed`` is there so that all data sets are called alike.

    Raises:
        TypeError, ValueError: ``samples`` is no whole number or below 1.

    Source: *Neural Networks from Scratch*, chapter 17.
    """
    with _seeded(seed):
        data: Data = nnfs.datasets.sine_data(check_count("samples", samples))
    return data


def _sizes(samples: int, classes: int) -> tuple[int, int]:
    samples, classes = check_count("samples", samples), check_count("classes", classes)
    if classes > 256:
        raise ValueError(f"classes must be at most 256, since labels are uint8, received {classes}")
    return samples, classes


@contextmanager
def _seeded(seed: int | None) -> Iterator[None]:
    """Seed NumPy's global generator, which ``nnfs`` draws from, and put it back afterwards."""
    if seed is None:
        yield
        return
    before = np.random.get_state()
    try:
        np.random.seed(check_count("seed", seed, 0))
        yield
    finally:
        np.random.set_state(before)
