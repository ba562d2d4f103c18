"""The arguments of ``Model.train``, as one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

from framework.checks import check_count
from framework.data.arguments import DataArguments
from framework.training.state import Callback


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingArguments:
    """The arguments of ``Model.train``, which documents each of them."""

    data: DataArguments
    epochs: int
    callbacks: Iterable[Callback]
    progress: bool
    print_every: int | None
    resume_from: str | PathLike[str] | None
    communicator: Any
    sharded: bool

    def checked(self) -> TrainingArguments:
        """Return the arguments with numbers as int and callbacks as a list.

        Raises TypeError or ValueError for an argument that cannot be right for any model.
        """
        callbacks = _check_callbacks(self.callbacks)
        epochs = check_count("epochs", self.epochs)
        if self.print_every is not None:
            check_count("print_every", self.print_every)
        return replace(self, callbacks=callbacks, epochs=epochs, data=self.data.checked())


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
