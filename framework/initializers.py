"""Initial values of the parameters of a layer.

An initializer is any function ``(shape, generator) -> array``, where ``generator`` is the
``numpy.random.Generator`` that ``framework.seed`` seeds. Those of this module can be given by
name (``"he_normal"``), as an object (``normal(0.05)``) or as a class (``zeros``).

``fan_in`` is the number of inputs of a neuron, ``fan_out`` the number of neurons that an input is
connected to: the two numbers of a dense layer's shape. A kernel of a convolution, ``(height,
width, n_channels, n_filters)``, sees ``n_channels`` at each of its ``height · width`` positions:
``fan_in = height · width · n_channels`` and ``fan_out = height · width · n_filters``. The Glorot
and He initializers choose the variance so that signals neither vanish nor explode on their way
through many layers.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from framework.checks import as_floats, check_non_negative, check_number
from framework.utils import rng
from optimizers.arrays import Array
from optimizers.configuration import Configurable

Initializer: TypeAlias = Callable[[tuple[int, ...], np.random.Generator], Array]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return ``(fan_in, fan_out)`` of parameters of this shape, which has at least one axis.

    >>> fans((784, 64)), fans((3, 3, 16, 32))
    ((784, 64), (144, 288))
    """
    positions = math.prod(shape[:-2])
    return positions * shape[max(-2, -len(shape))], positions * shape[-1]


class zeros(Configurable):
    """All 0."""

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        return np.zeros(shape, dtype=np.float64)


class constant(Configurable):
    """All ``value``."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = check_number("value", value)

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        return np.full(shape, self.value)


class normal(Configurable):
    """Normally distributed around 0, as in *Neural Networks from Scratch*."""

    def __init__(self, standard_deviation: float = 0.01) -> None:
        self.standard_deviation = check_non_negative("standard_deviation", standard_deviation)

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        return generator.normal(0.0, self.standard_deviation, shape)


class uniform(Configurable):
    """Evenly distributed from ``low`` up to ``high``."""

    def __init__(self, low: float = -0.1, high: float = 0.1) -> None:
        self.low = check_number("low", low)
        self.high = check_number("high", high)
        if self.low > self.high:
            raise ValueError(f"low must not exceed high, received low={low!r}, high={high!r}")

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        return generator.uniform(self.low, self.high, shape)


class glorot_uniform(Configurable):
    """Uniform within ``±√(6 / (fan_in + fan_out))``: for sigmoid, tanh and softmax.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.
    """

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        limit = math.sqrt(6 / sum(fans(shape)))
        return generator.uniform(-limit, limit, shape)


class glorot_normal(Configurable):
    """Normal with standard deviation ``√(2 / (fan_in + fan_out))``. Source: as glorot_uniform."""

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        return generator.normal(0.0, math.sqrt(2 / sum(fans(shape))), shape)


class he_uniform(Configurable):
    """Uniform within ``±√(6 / fan_in)``: for ReLU and its relatives.

    Source: He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        limit = math.sqrt(6 / fans(shape)[0])
        return generator.uniform(-limit, limit, shape)


class he_normal(Configurable):
    """Normal with standard deviation ``√(2 / fan_in)``. Source: as he_uniform."""

    def __call__(self, shape: tuple[int, ...], generator: np.random.Generator) -> Array:
        return generator.normal(0.0, math.sqrt(2 / fans(shape)[0]), shape)


BY_NAME: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        zeros,
        constant,
        normal,
        uniform,
        glorot_uniform,
        glorot_normal,
        he_uniform,
        he_normal,
    )
}


def check_initializer(name: str, initializer: str | Initializer) -> str | Initializer:
    """Return ``initializer`` if it is a known name, an initializer, its class or a callable.

    Raises ValueError with the nearest known name for any other name, otherwise TypeError.
    """
    if isinstance(initializer, str):
        if initializer in BY_NAME:
            return initializer
        near = difflib.get_close_matches(initializer, BY_NAME, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(BY_NAME)}"
        raise ValueError(f"{name}: there is no initializer named {initializer!r}; {hint}")
    if isinstance(initializer, type) and initializer in BY_NAME.values():
        return initializer()
    if callable(initializer):
        return initializer
    raise TypeError(
        f"{name} must be the name of an initializer or a function (shape, generator) -> array, "
        f"received {initializer!r}"
    )


def initialize(
    initializer: str | Initializer, shape: tuple[int, ...], dtype: np.dtype[Any], name: str
) -> Array:
    """Return a new array of ``shape`` and ``dtype``, filled by ``initializer``.

    Raises ValueError if ``initializer`` returns another shape.
    """
    draw: Initializer = BY_NAME[initializer]() if isinstance(initializer, str) else initializer
    values = as_floats(draw(shape, rng.generator()), name)
    if values.shape != shape:
        raise ValueError(f"{name} must return an array of shape {shape}, returned {values.shape}")
    return np.array(values, dtype=dtype)
