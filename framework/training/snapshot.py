"""A copy of the model to go back to after an error."""

from __future__ import annotations

from framework.containers.supervised import Supervised
from optimizers.arrays import Array
from optimizers.optimizer import Optimizer, State


class Snapshot:
    """A copy of all that an epoch changes in a model: parameters, statistics, optimizer state.

    The state of an optimizer that is not derived from ``Optimizer`` is not known, and not copied.
    """

    def __init__(self, model: Supervised) -> None:
        self.model = model

    def take(self) -> None:
        """Copy the model as it is now."""
        self.arrays = [(array, array.copy()) for array in self.model.stored_arrays()]
        self.iterations = getattr(self.model.optimizer, "iterations", 0)
        self.states = _copied(self._optimizer_states())

    @property
    def parameters(self) -> Array:
        """The copy of all parameters in one vector."""
        return self.arrays[0][1]

    def restore(self) -> None:
        """Put the copy back."""
        for array, copied in self.arrays:
            array[...] = copied
        if isinstance(self.model.optimizer, Optimizer):
            states = self._optimizer_states()
            states.clear()
            states.update(self.states)
            self.model.optimizer.iterations = self.iterations
            self.model.optimizer.pre_update_params()

    def _optimizer_states(self) -> dict[str, State]:
        optimizer = self.model.optimizer
        return optimizer.state(self.model.parameters) if isinstance(optimizer, Optimizer) else {}


def _copied(states: dict[str, State]) -> dict[str, State]:
    return {
        parameter: State({name: array.copy() for name, array in state.items()})
        for parameter, state in states.items()
    }
