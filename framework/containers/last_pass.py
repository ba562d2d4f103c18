"""What the last pass through a network stored in its operations, kept while another is made."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from framework.containers.container import Container
from framework.containers.supervised import Supervised
from framework.losses.loss import FusedLoss
from framework.parameters import stored_names
from optimizers.configuration import constructor_arguments

# What a pass stores for its way back: arrays, and whether it is a training; None is a mask that is
# not there.
STORED_TYPES = (np.ndarray, bool, type(None))


class LastPass:
    """The arrays that the last pass stored in the operations and in the loss of a model.

    They are kept as they are, not copied: each ``forward`` and ``backward`` makes new ones.
    Parameters, their gradients, running statistics and constructor arguments are left out.
    """

    def __init__(self, model: Supervised) -> None:
        self.model = model
        self.output = model._output
        self.stored = [(part, _stored_by(part)) for part in _parts(model)]

    def restore(self) -> None:
        """Put back what another pass has replaced."""
        self.model._output = self.output
        for part, values in self.stored:
            for name, value in values.items():
                if getattr(part, name, None) is not value:
                    setattr(part, name, value)


@contextmanager
def last_pass_kept(model: Supervised) -> Iterator[None]:
    """Leave the operations of ``model`` as they were, after passes that are made inside."""
    last_pass = LastPass(model)
    try:
        yield
    finally:
        last_pass.restore()


def _parts(model: Supervised) -> Iterator[Any]:
    yield from _with_children(model.layers)
    for loss in {id(loss): loss for loss in (model.loss, model.computed_loss)}.values():
        yield loss
        if isinstance(loss, FusedLoss):
            yield loss.activation


def _with_children(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        yield operation
        if isinstance(operation, Container):
            yield from _with_children(operation.children().values())


def _stored_by(part: Any) -> dict[str, Any]:
    if isinstance(part, Container) or not hasattr(part, "__dict__"):
        names: Iterable[str] = ("inputs", "output", "dinputs")
    else:
        parameters = stored_names(part)
        others = {*parameters, *("d" + name for name in parameters), "trainable"}
        names = vars(part).keys() - others - constructor_arguments(type(part)).keys()
    values = {name: getattr(part, name) for name in names if hasattr(part, name)}
    return {name: value for name, value in values.items() if isinstance(value, STORED_TYPES)}
