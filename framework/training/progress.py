"""The progress of a training on the screen: a bar for each epoch, or the lines of the book."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from threading import RLock
from typing import Any

from framework.training.epoch_sums import EpochSums
from framework.training.state import Training
from framework.utils.forks import after_fork, importing


def metrics_line(training: Training, accuracy: float, data_loss: float, penalties: float) -> str:
    """Return the line that the book prints: accuracy, if measured, losses and learning rate."""
    measured = "" if training.model.accuracy is None else f"acc: {accuracy:.3f}, "
    return (
        f"{measured}loss: {data_loss + penalties:.3f} (data_loss: {data_loss:.3f}, "
        f"reg_loss: {penalties:.3f}), lr: {training.learning_rate}"
    )


class Reporter:
    """Shows the progress of ``training``: a bar per epoch, the lines of the book, or nothing."""

    def __init__(self, training: Training, progress: bool, print_every: int | None) -> None:
        self.training = training
        self.print_every = print_every
        self.silent = not progress and print_every is None
        self.bar: Any = None
        self._new_bar: Callable[..., Any] | None = None
        if progress and print_every is None:
            # Imported late, since in a notebook it imports a good deal itself.
            with importing:
                from tqdm.auto import tqdm

                tqdm.get_lock()  # type: ignore[no-untyped-call] # imports more
            self._new_bar = tqdm

    def begin_epoch(self) -> None:
        if self._new_bar is not None:
            training = self.training
            width = len(str(training.epochs))
            self.title = f"epoch {training.epoch:{width}}/{training.epochs}"
            self.bar = self._new_bar(
                total=training.batches,
                initial=training.batch,
                desc=self.title,
                bar_format="{bar:6} {desc}",
            )
            self._shown = 0.0

    def show(self, sums: EpochSums) -> None:
        if self.bar is None:
            return
        now = time.perf_counter()
        if now - self._shown > 0.1:
            self._shown = now
            loss = (sums.data_loss + sums.penalties) / sums.total_weight
            self._describe(loss, sums.correct / sums.total_weight)
        self.bar.update(self.training.batch - self.bar.n)

    def end_epoch(self) -> None:
        training, history = self.training, self.training.history
        accuracy = history.accuracy[-1] if history.accuracy else math.nan
        if self.bar is not None:
            validation = "".join(
                f" {name} {values[-1]:.3f}"
                for name, values in (
                    ("val_loss", history.val_loss),
                    ("val_acc", history.val_accuracy),
                )
                if values
            )
            self._describe(history.loss[-1], accuracy, validation)
            self.close()
        elif self.print_every is not None and training.epoch % self.print_every == 0:
            losses = history.data_loss[-1], history.regularization_loss[-1]
            print(f"epoch: {training.epoch}, {metrics_line(training, accuracy, *losses)}")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def finish(self) -> None:
        history = self.training.history
        if self.print_every is not None and history.val_loss:
            accuracy = f"acc: {history.val_accuracy[-1]:.3f}, " if history.val_accuracy else ""
            print(f"validation, {accuracy}loss: {history.val_loss[-1]:.3f}")
        if history.stopped and not self.training.interrupted and not self.silent:
            print(f"stopped in epoch {self.training.epoch}: {history.stopped}")

    def _describe(self, loss: float, accuracy: float, validation: str = "") -> None:
        measured = "" if self.training.model.accuracy is None else f" acc {accuracy:.3f}"
        metrics = f"loss {loss:.3f}{measured} lr {self.training.learning_rate:.3g}{validation}"
        self.bar.set_description_str(f"{self.title} {metrics}", refresh=False)


def _renew_lock_of_bars() -> None:
    """Let bars be shown in a forked child, even if another thread was drawing one.

    The child gets a lock for its threads. It does without tqdm's lock for processes: one that a
    thread held at the fork stays locked, in the child and in its parent.
    """
    if "tqdm.auto" in sys.modules:
        from tqdm.auto import tqdm

        tqdm.set_lock(RLock())


after_fork(_renew_lock_of_bars)
