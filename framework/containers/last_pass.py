"""Keeps the arrays that the last pass stored in a network, while another pass is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from framework.containers.container import Container
from framework.containers.supervised import Supervised
from framework.losses.loss import FusedLoss
from framework.parameters import stored_names
from optimizers.configuration import constructor_arguments

OF_CONTAINERS = ("inputs", "output", "_output", "dinputs")  # the third is that of a Supervised
# Operations store these for their backward pass: arrays, None where there is no mask, their shapes,
# and whether it is a training pass.
STORED_TYPES = (np.ndarray, type(None), tuple, bool)


class LastPass:
    """The arrays that the last pass through ``model`` stored in its operations and in its loss.

    The arrays are not copied: each ``forward`` and ``backward`` makes new ones. Parameters, their
    gradients, running statistics and constructor arguments are left out.
    """

    def __init__(self, model: Supervised) -> None:
        self.stored = [(part, _stored_by(part)) for part in _parts(model)]

    def restore(self) -> None:
        """Put back what another pass has replaced."""
        for part, values in self.stored:
            for name, value in values.items():
                if getattr(part, name, None) is not value:
                    setattr(part, name, value)


@contextmanager
def last_pass_kept(model: Supervised) -> Iterator[None]:
    """Restore afterwards what the operations of ``model`` had stored before."""
    last_pass = LastPass(model)
    try:
        yield
    finally:
        last_pass.restore()


def _parts(model: Supervised) -> Iterator[Any]:
    yield from _with_children([model])
    if model.loss is None:
        return
    yield model.loss
    if model.computed_loss is not model.loss:
        yield model.computed_loss
    if isinstance(model.loss, FusedLoss):
        yield model.loss.activation


def _with_children(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        yield operation
        if isinstance(operation, Container):
            yield from _with_children(operation.children().values())


def _stored_by(part: Any) -> dict[str, Any]:
    if not hasattr(part, "__dict__"):
        names = [name for name in OF_CONTAINERS if hasattr(part, name)]
    elif isinstance(part, Container):
        names = [name for name in OF_CONTAINERS if name in vars(part)]
    else:
        parameters = stored_names(part)
        others = {*parameters, *("d" + name for name in parameters), *_arguments(part.__class__)}
        names = [name for name in vars(part) if name not in others]
    values = {name: getattr(part, name) for name in names}
    return {name: value for name, value in values.items() if isinstance(value, STORED_TYPES)}


@lru_cache(maxsize=256)
def _arguments(cls: type) -> frozenset[str]:
    return frozenset({*constructor_arguments(cls), "trainable"})
