"""The callback ``EarlyStopping``; the base class ``Callback`` is in ``state.py``."""

from __future__ import annotations

import itertools
import math
from typing import Any

from framework.checks import check_count, check_non_negative
from framework.training.monitoring import (
    check_mode,
    check_monitor,
    chosen_mode,
    is_better,
    latest,
)
from framework.training.state import Callback, Training


class EarlyStopping(Callback):
    """Stops training when a metric has not improved for a while. NaN is no improvement.

    Args:
        monitor: the name of a list of ``History``, such as "val_loss", or "val_f1" for a metric of
            the model.
        patience: how many epochs in a row may pass without an improvement, at least 1.
        restore_best: whether to restore the parameters of the best epoch at the end.
        min_delta: the smallest change that counts as an improvement, at least 0.
        mode: "max" for a metric that should grow, "min" for one that should shrink. None knows it:
            accuracies and the scores of ``framework.metrics`` grow, losses and errors shrink. For
            a metric of your own it has to be said.
        start_from_epoch: how many epochs pass before it begins to watch, at least 0: they are
            neither the best nor waited for.

    Attributes:
        best: the best value so far; None before the first that is a number.
        best_epoch: the epoch of this value.
        reason: why training stopped, in words; empty if it did not.

    If training is resumed from a checkpoint, best value, epoch and parameters are restored,
    unless the checkpoint was of another metric or has no parameters.

    Raises:
        TypeError, ValueError: for an argument out of its range; when training begins, for a
            metric that this training does not record, or whose mode is not known.

    Source: Prechelt, "Early Stopping, But When?", 1998.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        restore_best: bool = True,
        *,
        min_delta: float = 0.0,
        mode: str | None = None,
        start_from_epoch: int = 0,
    ) -> None:
        self.monitor = monitor
        self.patience = check_count("patience", patience)
        self.restore_best = restore_best
        self.min_delta = check_non_negative("min_delta", min_delta)
        self.mode = check_mode(mode)
        self.start_from_epoch = check_count("start_from_epoch", start_from_epoch, minimum=0)

    def on_train_begin(self, training: Training) -> None:
        check_monitor(training, type(self).__name__, self.monitor)
        self._mode = chosen_mode(training, self.monitor, self.mode)
        self.best: float | None = None
        self.best_epoch = 0
        self.reason = ""

    def on_epoch_end(self, training: Training) -> None:
        if training.epoch <= self.start_from_epoch:
            return
        value = latest(training.history, self.monitor)
        if is_better(value, self.best, self._mode, self.min_delta):
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
            "mode": self._mode,
            "best": self.best,
            "best_epoch": self.best_epoch,
        }
        if self.restore_best and self.best is not None:
            state["parameters"] = [list(arrays) for arrays in self._best_parameters]
        return state

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        if (state["monitor"], state.get("mode", self._mode)) != (self.monitor, self._mode):
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
            values = getattr(training.history, self.monitor)[self.start_from_epoch :]
            waited = sum(1 for _ in itertools.takewhile(math.isnan, reversed(values)))
            found = "been NaN"
        if waited >= self.patience:
            self.reason = f"{self.monitor} has {found} for {self.patience} epochs"
            training.stop(self.reason)
