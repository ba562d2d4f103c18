"""The last part of a training step: the optimizer moves the parameters."""

from __future__ import annotations

from framework.containers.supervised import Supervised
from optimizers.optimizer import Optimizer


def update_parameters(model: Supervised) -> None:
    """Update all parameters by their gradients.

    An ``Optimizer`` updates them in one call. One of another class, which knows only the protocol
    of the book, gets one layer after the other.
    """
    optimizer = model.optimizer
    optimizer.pre_update_params()
    if isinstance(optimizer, Optimizer):
        optimizer.update_params(model.parameters)
    else:
        for layer in model.trained_layers:
            optimizer.update_params(layer)
    optimizer.post_update_params()
