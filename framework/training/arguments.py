"""The arguments of ``Model.train``, as one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

from numpy.typing import ArrayLike

from framework.checks import check_count
from framework.data.checked_batches import ValidationData
from framework.data.checks import Transform
from framework.training.state import Callback


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingArguments:
    """The arguments of ``Model.train``, which documents each of them."""

    X: Any
    y: ArrayLike | None
    epochs: int
    batch_size: int | None
    sample_weight: ArrayLike | None
    validation_data: ValidationData | None
    validation_split: float
    shuffle: bool
    transform: Transform | None
    callbacks: Iterable[Callback]
    progress: bool
    print_every: int | None
    resume_from: str | PathLike[str] | None
    communicator: Any
    sharded: bool

    def checked(self) -> TrainingArguments:
        """Return the arguments with numbers as int and callbacks as a list.

        Data and weights are checked against the model later: see ``training_batches``.

        Raises TypeError or ValueError for an argument that cannot be right for any model.
        """
        callbacks = _check_callbacks(self.callbacks)
        epochs = check_count("epochs", self.epochs)
        batch_size = self.batch_size
        if batch_size is not None:
            batch_size = check_count("batch_size", batch_size)
        if self.print_every is not None:
            check_count("print_every", self.print_every)
        if self.transform is not None and not callable(self.transform):
            raise TypeError(
                f"transform must be a function of a batch's X, received {self.transform!r}"
            )
        return replace(self, callbacks=callbacks, epochs=epochs, batch_size=batch_size)


def _check_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    methods = ("on_train_begin", "on_batch_end", "on_epoch_end", "on_train_end")
    try:
        found = list(callbacks)
    except TypeError:
        raise TypeError(f"callbacks must be a list of callbacks, received {callbacks!r}") from None
    for callback in found:
        if isinstance(callback, type) or not all(hasattr(callback, name) for name in methods):
            raise TypeError(
                f"a callback needs {', '.join(methods)}: derive it from framework.Callback; "
                f"received {callback!r}"
            )
    return found
