"""An optimizer whose updates are compiled."""

from typing import Any

from framework.accelerated.table import (
    OPTIMIZERS,
    is_exactly,
    optimizer_line,
    optimizer_memory,
)
from framework.accelerated.update import update
from framework.parameters import ParameterVector
from optimizers.optimizer import Optimizer


class Updater:
    """Updates the parameters of a model as ``optimizer`` would, and keeps its state with it."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    def update_params(self, parameters: ParameterVector) -> None:
        """Update, in place, the whole vector by its gradient."""
        line = optimizer_line(self.optimizer)
        update(
            line,
            parameters.weights,
            parameters.dweights,
            *optimizer_memory(line, self.optimizer, parameters),
            self.optimizer.current_learning_rate,
            self.optimizer.iterations,
        )


def updater_of(optimizer: Any) -> Any:
    """Return an ``Updater``, or the optimizer itself if it has no twin."""
    return Updater(optimizer) if is_exactly(optimizer, OPTIMIZERS) else optimizer
