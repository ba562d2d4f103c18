"""A callback that lowers the learning rate where a metric no longer improves."""

from __future__ import annotations

import math
from typing import Any

from framework.checks import check_count, check_non_negative, check_number
from framework.training.monitoring import (
    check_mode,
    check_monitor,
    chosen_mode,
    is_better,
    latest,
)
from framework.training.state import Callback, Training


class ReduceLearningRate(Callback):
    """Multiplies the optimizer's learning rate when a metric has not improved for a while.

        learning_rate = max(learning_rate * factor, min_learning_rate)

    The wait begins anew with each reduction, and with each improvement. NaN is no improvement.

    Args:
        monitor: the name of a list of ``History``, such as "val_loss", or "val_f1" for a metric of
            the model.
        factor: greater than 0 and less than 1.
        patience: how many epochs in a row may pass without an improvement, at least 1.
        min_delta: the smallest change that counts as an improvement, at least 0.
        mode: "max", "min" or None: see ``EarlyStopping``.
        cooldown: how many epochs after a reduction are not counted, at least 0.
        min_learning_rate: below this it is not lowered, at least 0.

    Attributes:
        best: the best value so far; None before the first that is a number.
        waited: for how many epochs it has not improved.

    If training is resumed from a checkpoint, all of this is restored, unless the checkpoint was of
    another metric; and so is the learning rate.

    Raises:
        TypeError, ValueError: for an argument out of its range; when training begins, for a metric
            that this training does not record, or whose mode is not known, and for an optimizer
            whose learning rate is no number, such as a schedule, which it could not lower.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        *,
        min_delta: float = 0.0,
        mode: str | None = None,
        cooldown: int = 0,
        min_learning_rate: float = 0.0,
    ) -> None:
        self.monitor = monitor
        self.factor = check_number("factor", factor)
        if not 0 < self.factor < 1:
            raise ValueError(f"factor must be greater than 0 and less than 1, received {factor!r}")
        self.patience = check_count("patience", patience)
        self.min_delta = check_non_negative("min_delta", min_delta)
        self.mode = check_mode(mode)
        self.cooldown = check_count("cooldown", cooldown, minimum=0)
        self.min_learning_rate = check_non_negative("min_learning_rate", min_learning_rate)

    def on_train_begin(self, training: Training) -> None:
        check_monitor(training, type(self).__name__, self.monitor)
        self._mode = chosen_mode(training, self.monitor, self.mode)
        rate = getattr(training.model.optimizer, "learning_rate", None)
        if callable(rate) or rate is None:
            raise TypeError(
                "ReduceLearningRate needs an optimizer whose learning_rate is a number, received "
                f"{training.model.optimizer!r}"
            )
        self.best: float | None = None
        self.waited = 0
        self._cooling = 0

    def on_epoch_end(self, training: Training) -> None:
        value = latest(training.history, self.monitor)
        if is_better(value, self.best, self._mode, self.min_delta):
            self.best, self.waited = value, 0
        elif not self._cooling:
            self.waited += 1
        self._cooling = max(0, self._cooling - 1)
        if self.waited >= self.patience:
            optimizer = training.model.optimizer
            lower = max(optimizer.learning_rate * self.factor, self.min_learning_rate)
            optimizer.learning_rate = min(optimizer.learning_rate, lower)
            self.waited, self._cooling = 0, self.cooldown

    def checkpoint_state(self) -> dict[str, Any]:
        return {
            "monitor": self.monitor,
            "mode": self._mode,
            "best": self.best,
            "waited": self.waited,
            "cooling": self._cooling,
        }

    def resume(self, training: Training, state: dict[str, Any]) -> None:
        if (state["monitor"], state["mode"]) != (self.monitor, self._mode):
            return
        best = None if state["best"] is None else float(state["best"])
        self.best = None if best is None or math.isnan(best) else best
        self.waited = check_count("waited", state["waited"], minimum=0)
        self._cooling = check_count("cooling", state["cooling"], minimum=0)
