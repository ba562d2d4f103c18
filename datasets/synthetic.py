"""The synthetic data of the book, from its package ``nnfs``.

Without a seed they are drawn from NumPy's global generator, as in the book, so they depend on
``nnfs.init()`` or ``np.random.seed``. With a seed, the global generator is not changed.
"""

from __future__ import annotations

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
        seed: makes the points repeatable; NumPy's global generator is not changed.

    Returns:
        Points ``(samples * classes, 2)`` and labels ``(samples * classes,)``, uint8, sorted by
        class: shuffle them before taking batches.

    Raises:
        TypeError, ValueError: an argument that is not a whole number, or out of its range.

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

    Nothing is random; ``seed`` exists so that all data sets have the same arguments.

    Raises:
        TypeError, ValueError: ``samples`` is not a whole number, or below 1.

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
    """Seed NumPy's global generator, which ``nnfs`` draws from, and restore it afterwards."""
    if seed is None:
        yield
        return
    before = np.random.get_state()
    try:
        np.random.seed(check_count("seed", seed, 0))
        yield
    finally:
        np.random.set_state(before)
