"""The record of a training: the metrics of every epoch."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from framework.training.learning_curves import learning_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The table of more epochs than this has only the first rows and the last.
MOST_ROWS, ROWS_AT_EACH_END = 50, 10


@dataclass(repr=False)
class History:
    """The metrics of every completed epoch: one number per epoch in each list.

    It is shown as a table; where there are more than 50 epochs, of the first 10 and the last 10.

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
        columns = self.to_dict()
        lines = ["epoch" + "".join(f"  {name:>19}" for name in columns)]
        for epoch in range(len(self)):
            row = "".join(f"  {values[epoch]:19.6g}" for values in columns.values())
            lines.append(f"{epoch + 1:5}{row}")
        if len(self) > MOST_ROWS:
            lines[1 + ROWS_AT_EACH_END : -ROWS_AT_EACH_END] = ["    …"]
        return "\n".join(lines + [f"stopped: {self.stopped}"] * bool(self.stopped))

    @staticmethod
    def names() -> list[str]:
        """The names of the lists, those of the model's metrics left out."""
        return [f.name for f in fields(History) if f.name not in ("stopped", "metrics")]

    def to_dict(self) -> dict[str, list[float]]:
        """Return copies of the lists that were measured, by name."""
        columns: dict[str, list[float]] = {}
        for name in self.names():
            if name == "learning_rate":
                columns |= self.metrics
            columns[name] = getattr(self, name)
        return {name: list(values) for name, values in columns.items() if values}

    def plot(self) -> Axes:
        """Draw the learning curves and return their axes: see ``plots.learning_curves``.

        A script shows them when it ends, or, where there is no display, says how to save them.
        """
        return learning_curves(self)
