"""Callbacks that come with the framework: ``EarlyStopping``.

The base class ``Callback`` is in ``state.py``, ``Checkpoint`` in ``checkpoint.py``.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from framework.checks import check_count, check_non_negative
from framework.training.state import Callback, Training


class EarlyStopping(Callback):
    """Stops training when a metric has not improved for a while. NaN is no improvement.

    Args:
        monitor: the name of a list of ``History``. A metric with "accuracy" in its name should
            grow, any other should shrink.
        patience: how many epochs in a row may pass without an improvement, at least 1.
        restore_best: whether to restore the parameters of the best epoch at the end.
        min_delta: the smallest change that counts as an improvement, at least 0.

    Attributes:
        best: the best value so far; None before the first that is a number.
        best_epoch: the epoch of this value.
        reason: why training stopped, in words; empty if it did not.

    If training is resumed from a checkpoint, best value, epoch and parameters are restored,
    unless the checkpoint was of another metric or has no parameters.

    Raises:
        TypeError, ValueError: for an argument out of its range; when training begins, for a
            metric that this training does not record.

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

    def on_train_begin(self, training: Training) -> None:
        available = training.metrics()
        if self.monitor not in available:
            raise ValueError(
                f"EarlyStopping cannot monitor {self.monitor!r}: this training records "
                f"{', '.join(available)}"
            )
        self.best: float | None = None
        self.best_epoch = 0
        self.reason = ""

    def on_epoch_end(self, training: Training) -> None:
        value = getattr(training.history, self.monitor)[-1]
        if is_better(self.monitor, value, self.best, self.min_delta):
            self.best, self.best_epoch = value, training.epoch
            if self.restore_best:
                self._best_parameters = training.model.get_parameters()
        else:
            self._stop_if_patience_is_over(training)

    def on_train_end(self, training: Training) -> None:
        if self.restore_best and self.best is not None:
            training.model.set_parameters(self._best_parameters)

    def checkpoint_state(self) -> dict[str, Any]:
        state: dict[str, Any] = {
            "monitor": self.monitor,
            "best": self.best,
            "best_epoch": self.best_epoch,
        }
        if self.restore_best and self.best is not None:
            state["parameters"] = [list(arrays) for arrays in self._best_parameters]
        return state

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        if state["monitor"] != self.monitor:
            return
        best = math.nan if state["best"] is None else float(state["best"])
        if math.isnan(best):
            self._stop_if_patience_is_over(training)
            return
        if self.restore_best:
            if "parameters" not in state:
                return
            current = training.model.get_parameters()
            training.model.set_parameters(state["parameters"])  # raises if they do not fit
            self._best_parameters = training.model.get_parameters()
            training.model.set_parameters(current)
        self.best = best
        self.best_epoch = check_count("best_epoch", state["best_epoch"])
        self._stop_if_patience_is_over(training)

    def _stop_if_patience_is_over(self, training: Training) -> None:
        if self.best is not None:
            waited = len(training.history) - self.best_epoch
            found = f"not been better than {self.best:.4f}, reached in epoch {self.best_epoch},"
        else:
            values = getattr(training.history, self.monitor)
            waited = sum(1 for _ in itertools.takewhile(math.isnan, reversed(values)))
            found = "been NaN"
        if waited >= self.patience:
            self.reason = f"{self.monitor} has {found} for {self.patience} epochs"
            training.stop(self.reason)


def is_better(monitor: str, value: float, best: float | None, min_delta: float = 0.0) -> bool:
    """Whether ``value`` of the metric ``monitor`` is better than ``best``, which may be None.

    NaN is never better.
    """
    if math.isnan(value):
        return False
    if best is None or math.isnan(best):
        return True
    gain = value - best if "accuracy" in monitor else best - value
    return gain > min_delta
