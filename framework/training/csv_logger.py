"""A callback that writes the metrics of every epoch to a file, as they come."""

from __future__ import annotations

from pathlib import Path

from framework.saving.file_format import FilePath
from framework.training.state import Callback, Training
from framework.utils.files import check_target


class CSVLogger(Callback):
    """Writes the ``History`` to a CSV file, a line after each epoch: see ``History.to_csv``.

    The file begins anew with each training. One that is resumed from a checkpoint writes the epochs
    before it again, and goes on after them, so that no epoch is missing, and none is there twice.
    On several processes the first one writes.

    Args:
        path: the file; an old one is replaced after the first epoch.

    Raises OSError: when training begins, if the folder does not exist or cannot be written to; at
    the end of an epoch, if the file cannot be written.
    """

    def __init__(self, path: FilePath) -> None:
        self.path = Path(path)

    def on_train_begin(self, training: Training) -> None:
        check_target(self.path)
        self._written = 0

    def on_epoch_end(self, training: Training) -> None:
        if training.rank == 0:
            self._write(training)

    def on_train_end(self, training: Training) -> None:
        if training.rank == 0 and self._written < len(training.history):
            self._write(training)  # a training that was complete already

    def _write(self, training: Training) -> None:
        history = training.history
        if not self._written:
            history.to_csv(self.path)
        else:
            with self.path.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in history.csv_lines(self._written + 1))
        self._written = len(history)
