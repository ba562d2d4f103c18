"""The progress of a training on the screen: a bar and lines, or the lines of the book."""

from __future__ import annotations

import math
import sys
import time

from framework.metrics.metric import VALIDATION
from framework.training.epoch_sums import EpochSums
from framework.training.notebook_table import NotebookTable, in_notebook
from framework.training.state import Training
from framework.training.terminal_bar import TerminalBar
from framework.utils.lines import print_line

# A training of more epochs than this has about FEW_LINES lines, and not one for each epoch.
MOST_LINES, FEW_LINES = 50, 20
SECONDS_BETWEEN_UPDATES = 0.1


def metrics_line(training: Training, accuracy: float, data_loss: float, penalties: float) -> str:
    """Return the line that the book prints: accuracy, if measured, losses and learning rate."""
    measured = "" if training.model.accuracy is None else f"acc: {accuracy:.3f}, "
    return (
        f"{measured}loss: {data_loss + penalties:.3f} (data_loss: {data_loss:.3f}, "
        f"reg_loss: {penalties:.3f}), lr: {training.learning_rate}"
    )


class Reporter:
    """Shows the progress of ``training``.

    That is a bar for the whole training, with the present metrics, and a line for each epoch, or
    about 20 lines if there are more than 50 epochs; with ``print_every`` the lines of the book;
    or nothing.
    """

    def __init__(self, training: Training, progress: bool, print_every: int | None) -> None:
        self.training = training
        self.print_every = print_every
        self.silent = not progress and print_every is None
        self.has_bar = progress and print_every is None
        self.bar: TerminalBar | NotebookTable | None = None
        self._every = 1
        if training.epochs > MOST_LINES:
            self._every = math.ceil(training.epochs / FEW_LINES)
        self._line: list[str] = []  # of an epoch that has none yet
        self._shown = 0.0

    def say(self, text: str) -> None:
        """Show a line that is about no epoch, where progress is shown."""
        if not self.silent:
            print_line(text, None if in_notebook() else sys.stderr, flush=True)

    def begin_epoch(self) -> None:
        if self.has_bar and self.bar is None:
            new = NotebookTable if in_notebook() else TerminalBar
            self.bar = new(self.training.epochs, len(self.training.history))

    def show(self, sums: EpochSums) -> None:
        """Show the means over the batches of the epoch so far."""
        if self.bar is None:
            return
        now = time.perf_counter()
        if now - self._shown > SECONDS_BETWEEN_UPDATES:
            self._shown = now
            training = self.training
            part = training.batch / training.batches if training.batches else 0.0
            loss = (sums.data_loss + sums.penalties) / sums.total_weight
            metrics = self._metrics(loss, sums.correct / sums.total_weight)
            self.bar.show(training.epoch - 1 + part, metrics)

    def end_epoch(self) -> None:
        training, history = self.training, self.training.history
        accuracy = history.accuracy[-1] if history.accuracy else math.nan
        if self.bar is not None:
            self._line = self._metrics(history.loss[-1], accuracy)
            if training.epoch % self._every == 0:
                self._add_line()
        elif self.print_every is not None and training.epoch % self.print_every == 0:
            losses = history.data_loss[-1], history.regularization_loss[-1]
            line = metrics_line(training, accuracy, *losses)
            print_line(", ".join([f"epoch: {training.epoch}", line, *self._latest(": ")]))

    def close(self) -> None:
        """Add the line of the last epoch, and leave the bar with its metrics."""
        if self.bar is not None:
            if self._line:
                self._add_line()
            self.bar.close()
            self.bar = None

    def finish(self) -> None:
        history = self.training.history
        if self.print_every is not None and history.val_loss:
            accuracy = f"acc: {history.val_accuracy[-1]:.3f}, " if history.val_accuracy else ""
            line = f"validation, {accuracy}loss: {history.val_loss[-1]:.3f}"
            print_line(", ".join([line, *self._latest(": ", VALIDATION)]))
        if history.stopped and not self.training.interrupted and not self.silent:
            print_line(f"stopped in epoch {self.training.epoch}: {history.stopped}")

    def _add_line(self) -> None:
        if self.bar is not None:
            self.bar.add_line(self._line)
            self.bar.show(len(self.training.history), self._line)
            self._line = []

    def _metrics(self, loss: float, accuracy: float) -> list[str]:
        """Return the texts of an epoch: its number, its metrics and those of validation."""
        training, history = self.training, self.training.history
        epoch = f"epoch {training.epoch:{len(str(training.epochs))}}/{training.epochs}"
        metrics = [epoch, f"loss {loss:.3f}"]
        if training.model.accuracy is not None:
            metrics.append(f"acc {accuracy:.3f}")
        metrics += self._latest(" ")
        metrics.append(f"lr {training.learning_rate:.3g}")
        metrics += [f"val_loss {value:.3f}" for value in history.val_loss[-1:]]
        metrics += [f"val_acc {value:.3f}" for value in history.val_accuracy[-1:]]
        return metrics + [VALIDATION + text for text in self._latest(" ", VALIDATION)]

    def _latest(self, between: str, prefix: str = "") -> list[str]:
        """Return the model's metrics of the last complete epoch, as texts: name and number.

        With ``prefix``, those of the validation data, without this beginning of their names.
        """
        return [
            f"{name.removeprefix(prefix)}{between}{value:.3f}"
            for name, values in self.training.history.metrics.items()
            if name.startswith(VALIDATION) is bool(prefix)
            for value in values[-1:]
        ]
