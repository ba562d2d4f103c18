"""The errors of a training whose loss or parameters became NaN or infinite."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from framework.containers.container import is_trained, leaves, numbered
from framework.containers.supervised import Supervised
from framework.errors import DivergenceError
from framework.operation import describe
from framework.training.state import Training
from optimizers.optimizer import parameter_names


def loss_diverged(training: Training) -> DivergenceError:
    """Return the error for a last batch whose loss is not finite; it names the first cause."""
    culprit = "the loss itself is the first that is not finite"
    if gradient := _first_bad_gradient(training):
        culprit = f"{gradient}, in the batch before"
    elif math.isfinite(training.batch_data_loss):
        culprit = "every output is finite, but the penalties on the parameters are not"
    else:
        for position, layer in enumerate(training.model.layers, 1):
            if not np.isfinite(layer.output).all():
                culprit = (
                    "the first output that is not finite is of operation "
                    f"{position}, {describe(layer)}"
                )
                break
    return DivergenceError(
        f"the loss became {training.batch_loss} in epoch {training.epoch}, {culprit}; "
        f"{_where(training)}",
        training.history,
    )


def check_parameters(training: Training) -> None:
    """Raise DivergenceError if a parameter is not finite."""
    if not np.isfinite(training.model.parameters.weights).all():
        gradient = _first_bad_gradient(training)
        raise DivergenceError(
            f"the parameters became NaN or infinite in the last update of epoch "
            f"{training.epoch}, {gradient and gradient + '; '}{_where(training)}",
            training.history,
        )


def _first_bad_gradient(training: Training) -> str:
    """Return which gradient of the last complete step is the first that is not finite, if any.

    A forward pass leaves the gradients of the step before as they are.
    """
    if not (training.sums.total_weight or len(training.history)):
        return ""  # no step has been completed
    model = training.model
    text = "the first gradient that is not finite is"
    if not _is_finite(model.computed_loss, "dinputs"):
        return f"{text} dinputs of the loss, {describe(model.computed_loss)}"
    trained = [i for i, layer in enumerate(model.before_loss) if is_trained(layer)]
    for position in reversed(range(trained[0], len(model.before_loss))):
        layer = model.before_loss[position]
        for _, leaf in reversed(list(leaves(numbered([layer])))):
            names = ["d" + name for name in parameter_names(leaf)]
            # Steps leave out the gradient of the data.
            if position > trained[0] or not hasattr(leaf, "parameter_gradients"):
                names.append("dinputs")
            for name in names:
                if not _is_finite(leaf, name):
                    place = _position(model, leaf)
                    return f"{text} {name} of operation {place}, {describe(leaf)}"
    return ""


def _position(model: Supervised, leaf: Any) -> int:
    """Return the position, from 1, of the operation of ``model`` that is or contains ``leaf``."""
    return next(
        position
        for position, layer in enumerate(model.layers, 1)
        if any(inside is leaf for _, inside in leaves(numbered([layer])))
    )


def _is_finite(owner: Any, name: str) -> bool:
    gradient = getattr(owner, name, None)
    return gradient is None or bool(np.isfinite(gradient).all())


def _where(training: Training) -> str:
    restored = "The parameters of the last completed epoch"
    if training.resumed_at is not None and training.resumed_at[0] == training.epoch:
        restored = f"The parameters from after batch {training.resumed_at[1]}, of the checkpoint,"
    of_batches = "" if training.batches is None else f" of {training.batches}"
    return (
        f"batch {training.batch}{of_batches}, at learning rate {training.learning_rate:g}. "
        f"{restored} were restored. A lower learning rate, max_gradient_norm, or inputs of a "
        "smaller scale may help."
    )
