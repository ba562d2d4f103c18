"""The record of a training: the metrics of every epoch."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import TYPE_CHECKING

from framework.training.learning_curves import learning_curves
from framework.utils.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The table of more epochs than this has only the first rows and the last.
MOST_ROWS, ROWS_AT_EACH_END = 50, 10


@dataclass(repr=False)
class History:
    """The metrics of every completed epoch: one number per epoch in each list.

    It is shown as a table, in a notebook too; where there are more than 50 epochs, of the first 10
    and the last 10. ``pandas.DataFrame(history.to_dict())`` is a table to compute with.

    ``loss`` is ``data_loss + regularization_loss``. These and ``accuracy`` are means over the
    samples of the epoch, weighted if the samples have weights; each batch is measured before its
    update. ``val_loss`` contains no penalties. Lists of metrics that were not measured stay empty.

    The metrics of the model (see ``framework.metrics``) are further lists, ``history.val_f1`` for
    instance; or ``history.f1`` where there are no validation data.

    Attributes:
        metrics: the lists of the model's metrics, by name.
        seconds: how long each epoch took, evaluation included.
        stopped: why training ended before its last epoch, in words; empty if it did not.
    """

    loss: list[float] = field(default_factory=list)
    data_loss: list[float] = field(default_factory=list)
    regularization_loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped: str = ""
    metrics: dict[str, list[float]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> list[float]:
        found = vars(self).get("metrics", {}).get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        return found

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        lines = ["epoch" + "".join(f"  {name:>19}" for name in self._columns())]
        for epoch, values in self._rows():
            lines.append(f"{epoch:>5}" + "".join(f"  {value:>19}" for value in values))
        return "\n".join(lines + [f"stopped: {self.stopped}"] * bool(self.stopped))

    def _repr_html_(self) -> str:
        heading = "".join(f"<th>{html.escape(name)}</th>" for name in ("epoch", *self._columns()))
        lines = ["<table>", f"<tr>{heading}</tr>"]
        for epoch, values in self._rows():
            cells = "".join(f"<td>{value}</td>" for value in values)
            lines.append(f"<tr><th>{epoch}</th>{cells}</tr>")
        lines.append("</table>")
        if self.stopped:
            lines.append(f"<p>stopped: {html.escape(self.stopped)}</p>")
        return "\n".join(lines)

    @staticmethod
    def names() -> list[str]:
        """The names of the lists, those of the model's metrics left out."""
        return [f.name for f in fields(History) if f.name not in ("stopped", "metrics")]

    def to_dict(self) -> dict[str, list[float]]:
        """Return copies of the lists that were measured, by name."""
        return {name: list(values) for name, values in self._columns().items()}

    def to_csv(self, path: str | PathLike[str] | None = None) -> str:
        """Return the table as CSV: a line of names, and one for each epoch, with all digits.

        With ``path``, it is also written to that file. Raises OSError if that cannot be done; an
        old file is still there then.
        """
        lines = [",".join(("epoch", *self._columns())), *self.csv_lines()]
        text = "".join(f"{line}\n" for line in lines)
        if path is not None:
            write_atomically(path, text.encode())
        return text

    def csv_lines(self, first: int = 1) -> list[str]:
        """Return the lines of ``to_csv`` from the epoch ``first`` on, without the names."""
        rows = zip(*(values[first - 1 :] for values in self._columns().values()), strict=True)
        return [",".join(map(repr, (epoch, *row))) for epoch, row in enumerate(rows, first)]

    def plot(self) -> Axes:
        """Draw the learning curves and return their axes: see ``plots.learning_curves``.

        A script shows them when it ends, or, where there is no display, says how to save them.
        """
        return learning_curves(self)

    def _columns(self) -> dict[str, list[float]]:
        """Return the lists that were measured, by name; the model's metrics behind validation."""
        columns: dict[str, list[float]] = {}
        for name in self.names():
            if name == "learning_rate":
                columns |= self.metrics
            columns[name] = getattr(self, name)
        return {name: values for name, values in columns.items() if values}

    def _rows(self) -> Iterator[tuple[str, list[str]]]:
        """Yield the rows that are shown: the epoch and its numbers, as texts."""
        columns, epochs = self._columns().values(), range(len(self))
        for epoch in epochs:
            if len(self) <= MOST_ROWS or min(epoch, epochs[-1 - epoch]) < ROWS_AT_EACH_END:
                yield str(epoch + 1), [f"{values[epoch]:.6g}" for values in columns]
            elif epoch == ROWS_AT_EACH_END:
                yield "…", []
