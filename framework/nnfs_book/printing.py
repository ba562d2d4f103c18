"""The lines that the book prints while it trains in batches."""

from __future__ import annotations

import math
from collections.abc import Sequence

from numpy.typing import ArrayLike

from framework.checks import check_count
from framework.training.progress import metrics_line
from framework.training.state import Callback, Training


class Steps(Callback):
    """Prints the lines of the book's chapters that train in batches."""

    def __init__(
        self,
        print_every: int,
        validation_data: Sequence[ArrayLike] | None,
        batch_size: int | None,
    ) -> None:
        self.print_every = check_count("print_every", print_every)
        self.validation_data = validation_data
        self.batch_size = batch_size

    def on_batch_end(self, training: Training) -> None:
        step = training.batch - 1
        if step == 0:
            print(f"epoch: {training.epoch}")
        if step % self.print_every == 0 or training.batch == training.batches:
            data_loss = training.batch_data_loss
            penalties = training.batch_loss - data_loss
            line = metrics_line(training, training.batch_accuracy, data_loss, penalties)
            print(f"step: {step}, {line}")

    def on_epoch_end(self, training: Training) -> None:
        model, history = training.model, training.history
        # The losses are means over the epoch; the penalties are those at its end.
        penalties = model.regularization_loss()
        accuracy = history.accuracy[-1] if history.accuracy else math.nan
        print(f"training, {metrics_line(training, accuracy, history.data_loss[-1], penalties)}")
        if self.validation_data is not None:
            model.evaluate(*self.validation_data, batch_size=self.batch_size)
