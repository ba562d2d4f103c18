"""The record that a training leaves: what each epoch came to."""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(repr=False)
class History:
    """What each completed epoch came to: one number per epoch in every list.

    ``loss`` is ``data_loss + regularization_loss``; these and ``accuracy`` are means over the
    epoch's samples (weighted ones, if these have weights), each measured before the update that
    its batch led to. ``val_loss`` has no penalties in it. Lists of what was not measured stay
    empty.

    Attributes:
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

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        columns = {name: getattr(self, name) for name in self.names() if getattr(self, name)}
        lines = ["epoch" + "".join(f"  {name:>19}" for name in columns)]
        for epoch in range(len(self)):
            row = "".join(f"  {values[epoch]:19.6g}" for values in columns.values())
            lines.append(f"{epoch + 1:5}{row}")
        return "\n".join(lines + [f"stopped: {self.stopped}"] * bool(self.stopped))

    @staticmethod
    def names() -> list[str]:
        """The names of the lists."""
        return [f.name for f in fields(History) if f.name != "stopped"]

    def plot(self) -> "Axes":
        """Draw the learning curves and return their axes: see ``plots.learning_curves``."""
        from framework import plots

        return plots.learning_curves(self)
