"""The moments of a training that one can go back to, and the curves of what was left behind."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from framework.playground.run import Moment, Run
from framework.training.history import History

MOST_MOMENTS = 300
MOST_BYTES = 32 * 2**20
MOST_BRANCHES = 5


@dataclass(frozen=True)
class Branch:
    """The metrics of a training that was left: from the epoch after ``start`` on.

    Attributes:
        curves: a list for each metric, such as "loss", from the first epoch on.
    """

    start: int
    curves: Mapping[str, Sequence[float]]


class Timeline:
    """Keeps moments of a run, evenly thinned out: at most 300, and at most 32 megabytes.

    Attributes:
        moments: from the first to the last.
        position: which of them the run was brought to; None while it is at its end.
        branches: what was left behind, the latest last.
        curves: the metrics of all epochs, those after ``position`` too.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.moments: list[Moment] = [run.moment()]
        self.position: int | None = None
        self.branches: list[Branch] = []
        self.curves: Mapping[str, Sequence[float]] = metrics(run.history)
        self._every = 1  # epochs
        self._whole = run.history  # with what comes after ``position``
        most = MOST_BYTES // max(1, self.moments[0].size * 3)  # the optimizer may keep two arrays
        self._most = max(4, min(MOST_MOMENTS, most))
        run.on_epoch_end = self.note

    @property
    def is_new(self) -> bool:
        """Whether there is nothing yet but the beginning."""
        return len(self.moments) == 1 and not self.run.steps

    def note(self) -> None:
        """Keep the present moment, the end of an epoch, if it is due."""
        if self.run.epoch % self._every == 0:
            self.keep()

    def keep(self) -> None:
        """Keep the present moment."""
        if self.moments[-1].steps == self.run.steps:
            return
        self.moments.append(self.run.moment() if self.run.batch else self.run.completed)
        if len(self.moments) > self._most:
            self._every *= 2
            last = self.moments[-1]
            self.moments = [
                one for one in self.moments[:-1] if not one.batch and one.epoch % self._every == 0
            ]
            self.moments.append(last)

    def renew(self) -> None:
        """Take the last moment again, if it is the present one: its learning rate has changed."""
        if self.moments[-1].steps == self.run.steps and not self.run.batch:
            self.moments[-1] = self.run.completed

    def go_to(self, position: int) -> None:
        """Bring the run to one of the moments. What comes after it is left when it trains on."""
        if self.position is None:
            self.keep()
            self._whole = copy.deepcopy(self.run.history)
            self.curves = metrics(self._whole)
        position = min(max(position, 0), len(self.moments) - 1)
        self.run.go_to(self.moments[position], self._whole)
        self.position = position

    def leave(self) -> None:
        """Begin a branch at the present position: call it before the run trains on."""
        if self.position is None:
            return
        moment = self.moments[self.position]
        if self.position < len(self.moments) - 1:
            self._add(Branch(moment.epoch, self.curves))
        del self.moments[self.position + 1 :]
        if len(self.moments) == 1:
            self._every = 1
        self.position, self.curves = None, metrics(self.run.history)

    def take_over(self, before: Timeline) -> None:
        """Keep the curves of another timeline, its branches too, to compare with."""
        self.branches = list(before.branches)
        if any(before.curves["loss"]):
            self._add(Branch(0, {name: list(values) for name, values in before.curves.items()}))

    def _add(self, branch: Branch) -> None:
        self.branches = [*self.branches, branch][-MOST_BRANCHES:]


def metrics(history: History) -> dict[str, list[float]]:
    """Return the lists of a history that are drawn, by name; they grow with it."""
    names = ("loss", "val_loss", "accuracy", "val_accuracy")
    return {name: getattr(history, name) for name in names}
