"""What can be done between the batches and epochs of a training."""

import math
from typing import TYPE_CHECKING

from framework.checks import check_count, check_non_negative

if TYPE_CHECKING:
    from framework.training import Training


class Callback:
    """Base class: write the methods you need. Each receives the running ``Training``.

    It knows ``model``, ``history``, ``epoch`` and ``batch`` (from 1), ``epochs``, ``batches``
    and the last ``batch_loss``; ``training.stop("why")`` ends training after the current batch.
    """

    def on_train_begin(self, training: "Training") -> None:
        """Before the first epoch."""

    def on_batch_end(self, training: "Training") -> None:
        """After each update."""

    def on_epoch_end(self, training: "Training") -> None:
        """After each epoch; its figures are the last in ``training.history``."""

    def on_train_end(self, training: "Training") -> None:
        """After the last epoch, also if that was an early one."""


class EarlyStopping(Callback):
    """Stops when a figure has not become better for a while.

    Args:
        monitor: a list of ``History``; those with "accuracy" in their name should grow, all
            others shrink.
        patience: how many epochs in a row may bring nothing better, at least 1.
        restore_best: whether to go back to the parameters of the best epoch at the end.
        min_delta: by how much an epoch must be better to count, at least 0.

    Attributes:
        best: the best figure so far; None before the first epoch.
        best_epoch: the epoch it comes from.
        reason: why training stopped, in words; empty if it did not.

    Raises:
        TypeError, ValueError: for an argument out of its range; when training begins, for a
            figure that will not be there.

    Source: Prechelt, "Early Stopping, But When?", 1998.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        restore_best: bool = True,
        *,
        min_delta: float = 0.0,
    ) -> None:
        self.monitor = monitor
        self.patience = check_count("patience", patience)
        self.restore_best = restore_best
        self.min_delta = check_non_negative("min_delta", min_delta)

    def on_train_begin(self, training: "Training") -> None:
        available = training.figures()
        if self.monitor not in available:
            raise ValueError(
                f"EarlyStopping cannot monitor {self.monitor!r}: this training records "
                f"{', '.join(available)}"
            )
        self.best: float | None = None
        self.best_epoch = 0
        self.reason = ""

    def on_epoch_end(self, training: "Training") -> None:
        value = getattr(training.history, self.monitor)[-1]
        if (
            self.best is None
            or math.isnan(self.best)
            or self._gain(value, self.best) > self.min_delta
        ):
            self.best, self.best_epoch = value, training.epoch
            if self.restore_best:
                self._best_parameters = training.model.get_parameters()
        elif training.epoch - self.best_epoch >= self.patience:
            self.reason = (
                f"{self.monitor} has not been better than {self.best:.4f}, reached in epoch "
                f"{self.best_epoch}, for {self.patience} epochs"
            )
            training.stop(self.reason)

    def on_train_end(self, training: "Training") -> None:
        if self.restore_best and self.best is not None:
            training.model.set_parameters(self._best_parameters)

    def _gain(self, value: float, best: float) -> float:
        return value - best if "accuracy" in self.monitor else best - value
