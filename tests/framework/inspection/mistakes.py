"""Wrong gradients, and what they are tried on."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

generator = np.random.default_rng(0)
INPUTS = generator.normal(size=(4, 4))
CLASSES = generator.integers(0, 4, size=4)
PROBABILITIES = generator.uniform(0.1, 0.9, size=(4, 4))


def one_at(like: np.ndarray, place: int) -> np.ndarray:
    """Return zeros, but for a one at this place."""
    values = np.zeros(like.size)
    values[place] = 1
    return values.reshape(like.shape)


WRONG: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sign": lambda gradient: -gradient,
    "missing factor": lambda gradient: 2 * gradient,
    "slightly off": lambda gradient: 1.0001 * gradient,
    "missing 1/n": lambda gradient: len(INPUTS) * gradient,
    "transposed": lambda gradient: gradient.T,
    "zero": lambda gradient: 0 * gradient,
    "not a number": lambda gradient: gradient * math.nan,
    "one element": lambda gradient: gradient + one_at(gradient, 1 % gradient.size),
}


def break_backward(subject: Any, name: str, wrong: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Let ``subject`` store a wrong gradient ``name`` after its own, right backward."""
    cls = type(subject)

    class Broken(cls):  # type: ignore[misc,valid-type]
        def backward(self, *arguments: Any) -> Any:
            super().backward(*arguments)
            vars(self)[name] = wrong(getattr(self, name))

    subject.__class__ = Broken
    return subject
