"""Small synthetic data in the plane, to look at: each needs another kind of boundary.

With a seed they are repeatable; without one they are new each time. NumPy's global generator is not
used.
"""

from __future__ import annotations

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_count

Data = tuple[Array, Array]


def circle_data(samples: int, classes: int = 2, *, seed: int | None = None) -> Data:
    """Return a disc of points in the middle, and a ring around it for each further class.

    Args:
        samples: points of each class, at least 1.
        classes: 2 to 256.
        seed: makes the points repeatable.

    Returns:
        Points ``(samples * classes, 2)`` with coordinates from -1 to 1, and labels
        ``(samples * classes,)``, uint8, sorted by class: shuffle them before taking batches.

    Raises:
        TypeError, ValueError: an argument that is not a whole number, or out of its range.
    """
    generator, labels = _begin(samples, classes, seed)
    # Rings of one width, with gaps of half of it; the root spreads points evenly over their areas.
    width = 1 / (1.5 * classes - 0.5)
    inner = 1.5 * width * labels
    radius = np.sqrt(generator.uniform(inner**2, (inner + width) ** 2))
    angle = generator.uniform(0, 2 * np.pi, len(labels))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), labels


def gaussian_data(samples: int, classes: int = 2, *, seed: int | None = None) -> Data:
    """Return a round cloud of points for each class, the clouds around the middle.

    Arguments, returned arrays and errors are those of ``circle_data``; a few points lie farther out
    than 1.
    """
    generator, labels = _begin(samples, classes, seed)
    angle = 2 * np.pi * labels / classes + np.pi / 4
    centres = 0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    spread = 0.45 * np.sin(np.pi / classes)
    return centres + spread * generator.normal(size=centres.shape), labels


def xor_data(samples: int, *, seed: int | None = None) -> Data:
    """Return points in a square: class 0 where both coordinates have one sign, class 1 elsewhere.

    A band along the axes is left free. Arguments, returned arrays and errors are those of
    ``circle_data``, with two classes.
    """
    generator, labels = _begin(samples, 2, seed)
    points = generator.uniform(0.05, 1, (len(labels), 2))
    signs = generator.choice([-1.0, 1.0], len(labels))
    return points * np.stack([signs, np.where(labels == 0, signs, -signs)], axis=1), labels


def moons_data(samples: int, *, seed: int | None = None) -> Data:
    """Return two half circles, each of which reaches into the other.

    Arguments, returned arrays and errors are those of ``circle_data``, with two classes.
    """
    generator, labels = _begin(samples, 2, seed)
    angle = generator.uniform(0, np.pi, len(labels)) + np.pi * labels
    points = 0.62 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + np.where(labels[:, np.newaxis] == 0, [-0.31, -0.2], [0.31, 0.2]), labels


def plane_data(samples: int, *, seed: int | None = None) -> Data:
    """Return points in a square, and the height of a tilted plane above each: ``(x + y) / 2``.

    Returns:
        Points ``(samples, 2)`` from -1 to 1, and heights ``(samples, 1)``.

    Raises:
        TypeError, ValueError: an argument that is not a whole number, or out of its range.
    """
    generator, _ = _begin(samples, 2, seed)
    points = generator.uniform(-1, 1, (samples, 2))
    return points, points.mean(axis=1, keepdims=True)


def _begin(samples: int, classes: int, seed: int | None) -> tuple[np.random.Generator, Array]:
    """Return a generator, and the labels of ``samples`` points of each class."""
    samples, classes = check_count("samples", samples), check_count("classes", classes, 2)
    if classes > 256:
        raise ValueError(f"classes must be at most 256, since labels are uint8, received {classes}")
    seed = None if seed is None else check_count("seed", seed, 0)
    labels = np.repeat(np.arange(classes, dtype=np.uint8), samples)
    return np.random.default_rng(seed), labels
