"""The errors of a training whose loss or parameters became NaN or infinite."""

from __future__ import annotations

import math

import numpy as np

from framework.errors import DivergenceError
from framework.operation import describe
from framework.training.state import Training


def loss_diverged(training: Training) -> DivergenceError:
    """Return the error for a last batch whose loss is not finite; it names the first cause."""
    culprit = "the loss itself is the first that is not finite"
    if math.isfinite(training.batch_data_loss):
        culprit = "every output is finite, but the penalties on the parameters are not"
    for position, layer in enumerate(training.model.layers, 1):
        if not np.isfinite(layer.output).all():
            culprit = (
                f"the first output that is not finite is of operation {position}, {describe(layer)}"
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
        raise DivergenceError(
            f"the parameters became NaN or infinite in the last update of epoch "
            f"{training.epoch}, {_where(training)}",
            training.history,
        )


def _where(training: Training) -> str:
    restored = "The parameters of the last completed epoch"
    if training.resumed_at is not None and training.resumed_at[0] == training.epoch:
        restored = f"The parameters from after batch {training.resumed_at[1]}, of the checkpoint,"
    of_all = "" if training.batches is None else f" of {training.batches}"
    return (
        f"batch {training.batch}{of_all}, at learning rate {training.learning_rate:g}. {restored} "
        "were restored. A lower learning rate, max_gradient_norm, or inputs of a smaller scale may "
        "help."
    )
