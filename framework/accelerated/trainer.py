"""Whole training steps of a model whose every part has a twin."""

from typing import TYPE_CHECKING, Any

import numpy as np

from framework.accelerated.computation import Computation
from framework.accelerated.steps import take_steps
from framework.accelerated.table import (
    ACCURACIES,
    Table,
    loss_line,
    offsets,
    optimizer_line,
    optimizer_memory,
)
from framework.losses import FusedLoss
from framework.operation import Array
from optimizers.optimizer import parameter_names

if TYPE_CHECKING:
    from framework.model import Model


class Trainer:
    """Takes steps of training, many in one call.

    Args:
        model: whose operations, accuracy and optimizer all have twins.
        operations: those before the loss.
        loss: what the model computes its loss with.
    """

    def __init__(self, model: "Model", operations: list[Any], loss: FusedLoss) -> None:
        self.model = model
        self.operations = operations
        self.loss = loss
        self.offsets = offsets(model.parameters)
        self.first = next(i for i, op in enumerate(operations) if parameter_names(op))

    def take_steps(
        self, X: Array, y: Array, weights: Array | None, order: Array | None, batch_size: int
    ) -> Array:
        """Train on the samples, ``batch_size`` at a time, and leave the model as the last did.

        Args:
            X, y, weights: as ``Model.check_weighted_data`` returns them.
            order: the rows to take, in this order; None takes all.

        Returns:
            For each step, the data loss, the penalties, the accuracy and the amount of the batch,
            ``(steps, 4)``. After a loss that is not finite no more steps are taken.
        """
        parameters, optimizer = self.model.parameters, self.model.optimizer
        dtype = parameters.dtype
        X = np.require(np.asarray(X), dtype, ["C", "W"])
        y = np.require(np.asarray(y), None, ["C", "W"])
        samples = len(X) if order is None else len(order)
        batch_size = min(batch_size, samples)
        figures = np.zeros((-(-samples // batch_size), 4))
        table = Table(self.operations, self.offsets, X.shape[1])
        classes = table.n_outputs
        computation = Computation(self.operations, table, batch_size, dtype, 2 * classes + 1)
        loss = loss_line(self.loss, classes, table.memory)
        room = 0 if order is None else batch_size
        batch = np.empty((room, X.shape[1]), dtype)
        batch_y = np.empty((room, *y.shape[1:]), y.dtype)
        began = optimizer.iterations
        rates = self._learning_rates(len(figures))
        taken = take_steps(
            table.lines,
            self.first,
            loss,
            ACCURACIES[type(self.model.accuracy)],
            optimizer_line(optimizer),
            parameters.weights,
            parameters.dweights,
            computation.statistics,
            *optimizer_memory(optimizer, parameters),
            rates,
            began,
            X,
            y,
            np.empty(0) if weights is None else weights,
            np.empty(0, np.intp) if order is None else order,
            batch_size,
            computation.draw(samples),
            table.chances,
            computation.memory,
            batch,
            batch_y,
            figures,
        )
        optimizer.iterations = began + taken
        last = min(taken, len(figures) - 1)
        size = min(batch_size, samples - last * batch_size)
        computation.hand_out_outputs(
            X[last * batch_size :][:size] if order is None else batch[:size], training=True
        )
        self.loss.output = computation.rows(loss["output"], size, classes)
        self.loss.activation.output = self.loss.output
        if taken == len(figures):
            computation.hand_out_gradients(size, self.first, all_dinputs=False)
            self.loss.dinputs = computation.rows(loss["dinputs"], size, classes)
            self.loss.activation.dinputs = self.loss.dinputs
        return figures[: taken + 1]

    def _learning_rates(self, steps: int) -> Array:
        optimizer, began = self.model.optimizer, self.model.optimizer.iterations
        rates = np.empty(steps)
        for step in range(steps):
            optimizer.iterations = began + step
            optimizer.pre_update_params()
            rates[step] = optimizer.current_learning_rate
        return rates
