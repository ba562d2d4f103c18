"""What the user sees while a model trains."""

import math
import sys
import time
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any

from framework.forks import after_fork, importing

if TYPE_CHECKING:
    from framework.training import EpochSums, Training


def figures_line(training: "Training", accuracy: float, data_loss: float, penalties: float) -> str:
    """Return the book's line: accuracy (if the model has one), losses and learning rate."""
    measured = "" if training.model.accuracy is None else f"acc: {accuracy:.3f}, "
    return (
        f"{measured}loss: {data_loss + penalties:.3f} (data_loss: {data_loss:.3f}, "
        f"reg_loss: {penalties:.3f}), lr: {training.learning_rate}"
    )


class Reporter:
    """Tells the user how training goes: a bar per epoch, the book's lines, or nothing."""

    def __init__(self, training: "Training", progress: bool, print_every: int | None) -> None:
        self.training = training
        self.print_every = print_every
        self.silent = not progress and print_every is None
        self.bar: Any = None
        self._new_bar: Callable[..., Any] | None = None
        if progress and print_every is None:
            # Imported here, since in a notebook it brings a good deal with it.
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

    def show(self, sums: "EpochSums") -> None:
        if self.bar is None:
            return
        now = time.perf_counter()
        if now - self._shown > 0.1:
            self._shown = now
            loss = (sums.data_loss + sums.penalties) / sums.amount
            self._describe(loss, sums.right / sums.amount)
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
            print(f"epoch: {training.epoch}, {figures_line(training, accuracy, *losses)}")

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
        figures = f"loss {loss:.3f}{measured} lr {self.training.learning_rate:.3g}{validation}"
        self.bar.set_description_str(f"{self.title} {figures}", refresh=False)


def _renew_lock_of_bars() -> None:
    """Let bars be shown in a forked child, even if another thread was at one.

    The lock of threads is one of the child's own. tqdm's lock of processes does without: what a
    thread held at the fork is never right again, in the child nor, after it, in its parent.
    """
    if "tqdm.auto" in sys.modules:
        from tqdm.auto import tqdm

        tqdm.set_lock(RLock())


after_fork(_renew_lock_of_bars)
