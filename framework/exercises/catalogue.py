"""The exercises that come with the library."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files
from pathlib import Path

from framework.exercises.exercise import Exercise, parse

# From a neuron to a network for images: the order in which they are best done.
ORDER = (
    "neuron",
    "layer",
    "perceptron",
    "accuracy",
    "mean_squared_error",
    "numerical_gradient",
    "gradient_by_hand",
    "gradient_descent",
    "relu",
    "sigmoid",
    "tanh",
    "leaky_relu",
    "dense",
    "sequential",
    "softmax",
    "categorical_crossentropy",
    "softmax_crossentropy",
    "binary_crossentropy",
    "sgd",
    "training_step",
    "momentum",
    "rmsprop",
    "adam",
    "he_initialization",
    "l2_penalty",
    "dropout",
    "batch_normalization",
    "layer_normalization",
    "residual",
    "early_stopping",
    "convolution",
    "conv2d",
    "max_pooling",
)


def all() -> list[Exercise]:
    """Return the exercises, in the order in which they are best done."""
    return [get(name) for name in ORDER]


def get(name: str) -> Exercise:
    """Return the exercise ``name``, or that of a file of your own, whose name ends with ".md".

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: there is no such exercise, or the file is malformed.
    """
    if name.endswith(".md"):
        path = Path(name)
        return parse(path.stem, path.read_text(encoding="utf-8"))
    if name not in ORDER:
        near = difflib.get_close_matches(name, ORDER, n=1)
        meant = f": did you mean {near[0]}?" if near else ""
        raise ValueError(f"there is no exercise {name!r}{meant}")
    return _read(name)


@cache
def _read(name: str) -> Exercise:
    text = (files(__package__) / "texts" / f"{name}.md").read_text(encoding="utf-8")
    return parse(name, text)
