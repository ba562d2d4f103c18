"""What can be done between the batches and epochs of a training."""

import itertools
import math
from typing import TYPE_CHECKING, Any

from framework.checks import check_count, check_non_negative

if TYPE_CHECKING:
    from framework.training.loop import Training


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

    def checkpoint_state(self) -> dict[str, Any]:
        """Return what a checkpoint has to keep of this callback, by name: here, nothing.

        It can be None, numbers, texts, arrays, and lists and dictionaries of these, by texts. It
        is also asked for right after ``on_train_begin``, to see that a checkpoint can hold it.
        """
        return {}

    def resume(self, training: "Training", state: dict[str, Any]) -> None:
        """After ``on_train_begin``, if training goes on: take up what ``checkpoint_state`` gave.

        The parameters and the history are those of the checkpoint by then. An error ends the
        training before it goes on, and leaves the model as it was.
        """


class EarlyStopping(Callback):
    """Stops when a figure has not become better for a while. NaN is never better.

    Args:
        monitor: a list of ``History``; those with "accuracy" in their name should grow, all
            others shrink.
        patience: how many epochs in a row may bring nothing better, at least 1.
        restore_best: whether to go back to the parameters of the best epoch at the end.
        min_delta: by how much an epoch must be better to count, at least 0.

    Attributes:
        best: the best figure so far; None before the first that is a number.
        best_epoch: the epoch it comes from.
        reason: why training stopped, in words; empty if it did not.

    Where training goes on from a checkpoint, it knows what it knew, unless it monitored another
    figure or kept no parameters then.

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
        if is_better(self.monitor, value, self.best, self.min_delta):
            self.best, self.best_epoch = value, training.epoch
            if self.restore_best:
                self._best_parameters = training.model.get_parameters()
        else:
            self._stop_if_patience_is_over(training)

    def on_train_end(self, training: "Training") -> None:
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

    def resume(self, training: "Training", state: dict[str, Any]) -> None:
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

    def _stop_if_patience_is_over(self, training: "Training") -> None:
        if self.best is not None:
            waited = len(training.history) - self.best_epoch
            found = f"not been better than {self.best:.4f}, reached in epoch {self.best_epoch},"
        else:
            figures = getattr(training.history, self.monitor)
            waited = sum(1 for _ in itertools.takewhile(math.isnan, reversed(figures)))
            found = "been NaN"
        if waited >= self.patience:
            self.reason = f"{self.monitor} has {found} for {self.patience} epochs"
            training.stop(self.reason)


def is_better(monitor: str, value: float, best: float | None, min_delta: float = 0.0) -> bool:
    """Whether ``value`` of that list of ``History`` is better than ``best``, as far as known.

    NaN is never better.
    """
    if math.isnan(value):
        return False
    if best is None or math.isnan(best):
        return True
    gain = value - best if "accuracy" in monitor else best - value
    return gain > min_delta
