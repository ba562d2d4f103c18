"""Running operations in order, forward and back, whether or not they know of training."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array
from framework.operation import not_stored
from optimizers.arrays import Array

# How an operation with a ``forward_inside`` is run, among those of ``training_argument``.
INSIDE = "inside"


class LeafPass(NamedTuple):
    """What an operation was given, and what it made of it."""

    operation: Any
    inputs: Array
    output: Array


def training_argument(layer: Any) -> str:
    """How ``layer.forward`` is told the mode: "positional", "keyword" or "" (not at all)."""
    forward = layer.forward
    if inspect.ismethod(forward):
        return _argument_of(forward.__func__, 1)
    return _argument_of.__wrapped__(forward, 0)


@lru_cache(maxsize=256)
def _argument_of(forward: Callable[..., Any], leading: int) -> str:
    """Return ``training_argument`` of a function, without its ``leading`` parameters.

    Of methods the functions are remembered, and not the layers with their arrays.
    """
    parameters = list(inspect.signature(forward).parameters.values())[leading:]
    kinds = {p.name: p.kind for p in parameters}
    if "training" in kinds:
        # By keyword unless it is second in line, since there may be others before it.
        second = len(parameters) > 1 and parameters[1].name == "training"
        keyword_only = kinds["training"] is inspect.Parameter.KEYWORD_ONLY
        return "positional" if second and not keyword_only else "keyword"
    required = [
        p
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return "positional" if len(required) > 1 else ""


def call(layer: Any, argument: str, values: Array, training: bool) -> Array:
    """Run ``layer`` and return its output.

    That is the array it returns or, if it returns None, the array it has stored. The stored one
    may be another thread's by the time it is read.

    Raises ValueError if there is neither.
    """
    if argument == "positional":
        output: Array | None = layer.forward(values, training)
    elif argument == "keyword":
        output = layer.forward(values, training=training)
    else:
        output = layer.forward(values)
    if output is None:
        output = getattr(layer, "output", None)
    if output is None:
        raise not_stored(layer, "output", "forward")
    return output


def as_inputs(values: ArrayLike, dtype: np.dtype[Any] | None) -> Array:
    """Return ``values`` as an array of ``dtype``, or of their own without one."""
    array = values if type(values) is np.ndarray else as_array(values, "inputs")
    return array if dtype is None else array.astype(dtype, copy=False)


def lined_up(operations: Iterable[Any]) -> list[tuple[Any, str]]:
    """Return the operations, each with how its ``forward`` is told the mode."""
    return [
        (layer, INSIDE if hasattr(layer, "forward_inside") else training_argument(layer))
        for layer in operations
    ]


def run_forward(calls: Iterable[tuple[Any, str]], values: Array, training: bool) -> Array:
    """Run the operations of ``lined_up`` in order and return the last output."""
    for layer, argument in calls:
        if argument == INSIDE:
            values = layer.forward_inside(values, training)
        else:
            values = call(layer, argument, values, training)
    return values


def leaf_passes(operations: Iterable[Any], values: Array) -> list[LeafPass]:
    """Run the operations in order, not in training, and return the pass of each.

    A container with ``passes_inside`` is replaced by the passes that it returns, of which the last
    has its output; it returns None where a ``forward`` of its own computes something else.
    """
    passes: list[LeafPass] = []
    for layer, argument in lined_up(operations):
        inside = layer.passes_inside(values) if hasattr(layer, "passes_inside") else None
        if inside is None:
            output = run_forward([(layer, argument)], values, training=False)
            inside = [LeafPass(layer, values, output)]
        passes += inside
        values = passes[-1].output if passes else values
    return passes


def run_backward(operations: Sequence[Any], dvalues: Array) -> Array:
    """Go back through the operations in reverse and return the last ``dinputs``.

    Raises ValueError for an operation that stores none.
    """
    for layer in reversed(operations):
        if hasattr(layer, "backward_inside"):
            dvalues = layer.backward_inside(dvalues)
        else:
            layer.backward(dvalues)
            dinputs: Array | None = getattr(layer, "dinputs", None)
            if dinputs is None:
                raise not_stored(layer, "dinputs", "backward")
            dvalues = dinputs
    return dvalues
