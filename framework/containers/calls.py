"""How the forward of an operation is called, whether or not it knows of training."""

from __future__ import annotations

import inspect
from typing import Any

from framework.operation import not_stored
from optimizers.arrays import Array


def training_argument(layer: Any) -> str:
    """How ``layer.forward`` is told the mode: "positional", "keyword" or "" (not at all)."""
    parameters = list(inspect.signature(layer.forward).parameters.values())
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
