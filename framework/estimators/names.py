"""The activations, optimizers and losses that an estimator takes by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TypeVar

import optimizers
from framework import activations
from framework.activations import Activation, Linear, Sigmoid
from framework.losses import Huber, Loss, MeanAbsoluteError, MeanSquaredError, Poisson
from framework.utils.exports import exported
from optimizers import SGD, Adagrad, Optimizer

Named = TypeVar("Named")

ACTIVATIONS: dict[str, type[Activation]] = {
    name: cls for name, cls in exported(activations, Activation).items() if cls.differentiable
}
# scikit-learn's names.
ACTIVATIONS |= {"logistic": Sigmoid, "identity": Linear}

OPTIMIZERS: dict[str, type[Optimizer]] = exported(optimizers, Optimizer)
# For these optimizers, the default is the learning rate of the book, which is too large here.
LEARNING_RATES: dict[type[Optimizer], float] = {SGD: 0.01, Adagrad: 0.01}

LOSSES: dict[str, type[Loss]] = {
    "squared_error": MeanSquaredError,
    "absolute_error": MeanAbsoluteError,
    "huber": Huber,
    "poisson": Poisson,
}


def by_name(argument: str, name: str, known: Mapping[str, Named]) -> Named:
    """Return ``known[name]``. Raises ValueError with the nearest name that is known."""
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    raise ValueError(f"{argument}: there is none named {name!r}; {hint}")
