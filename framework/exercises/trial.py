"""A reference operation on one batch: what it computes, and would with one thing changed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from framework.containers.calls import call, training_argument
from framework.containers.supervised import Supervised
from framework.utils import rng
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names

# Of the random numbers that an operation draws, so that each run draws the same.
SEED = 0


def in_float64(operation: Any) -> Any:
    """Return a copy of ``operation`` that computes in float64."""
    found = copy.deepcopy(operation)
    Supervised([found], dtype=np.float64).finalize()
    # A copy again, whose arrays are its own.
    return copy.deepcopy(found)


class Trial:
    """One batch, and the reference that it is run through.

    Args:
        reference: an operation. Every run takes a copy.
        inputs, dvalues: the arguments of ``forward`` and ``backward``.
        training: the mode.
    """

    def __init__(self, reference: Any, inputs: Array, dvalues: Array, training: bool) -> None:
        self.reference, self.training = reference, training
        self.inputs, self.dvalues = inputs, dvalues
        self.names = ("output", "dinputs", *(f"d{name}" for name in parameter_names(reference)))

    def run(
        self,
        change: Callable[[Any], None] = lambda operation: None,
        *,
        inputs: Array | None = None,
        dvalues: Array | None = None,
        before: Array | None = None,
        training: bool | None = None,
    ) -> Mapping[str, Array]:
        """Return copies of what is stored, by name; nothing of what cannot be computed.

        Args:
            change: changes the copy that is run.
            inputs, dvalues, training: in place of those of this batch.
            before: the inputs that ``backward`` is to go back through, where ``forward`` is
                first given others.
        """
        operation = copy.deepcopy(self.reference)
        inputs = self.inputs if inputs is None else inputs
        dvalues = self.dvalues if dvalues is None else dvalues
        training = self.training if training is None else training
        found: dict[str, Array] = {}
        with (
            np.errstate(all="ignore"),
            rng.use_generator(np.random.default_rng(SEED)),
        ):
            try:
                change(operation)
                found["output"] = self._forward(operation, inputs, training)
                if before is not None:
                    self._forward(operation, before, training)
                operation.backward(dvalues.copy())
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                return found
        for name in self.names[1:]:
            array = getattr(operation, name, None)
            if array is not None:
                found[name] = np.array(array, dtype=np.float64)
        return found

    def forward(self, inputs: Array) -> Array | None:
        """Return the output for ``inputs``, None if it cannot be computed."""
        return self.run(inputs=inputs).get("output")

    def _forward(self, operation: Any, inputs: Array, training: bool) -> Array:
        output = call(operation, training_argument(operation), inputs.copy(), training)
        return np.array(output, dtype=np.float64)

    def jacobian_diagonal(self) -> Array | None:
        """Return the derivative of each output with respect to the input at the same place."""
        if self.inputs.shape != self.dvalues.shape:
            return None
        diagonal = np.full(self.inputs.shape, np.nan)
        unit = np.zeros_like(self.dvalues)
        for index in np.ndindex(unit.shape):
            unit[index] = 1
            found = self.run(dvalues=unit)
            if "dinputs" in found:
                diagonal[index] = found["dinputs"][index]
            unit[index] = 0
        return diagonal

    def forward_slope(self, step: float = 1e-6) -> Array | None:
        """Return the Jacobian times ``dvalues``, where ``backward`` multiplies its transpose."""
        if self.inputs.shape != self.dvalues.shape:
            return None
        up = self.forward(self.inputs + step * self.dvalues)
        down = self.forward(self.inputs - step * self.dvalues)
        return None if up is None or down is None else (up - down) / (2 * step)
