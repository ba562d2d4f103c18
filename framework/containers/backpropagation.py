"""The way back through a network: from the loss to the parameters, or to the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from framework.containers.calls import run_backward
from framework.containers.container import is_trained, leaves, numbered
from framework.losses.loss import FusedLoss
from framework.losses.weighted import weighted_gradient
from framework.operation import not_stored
from framework.parameters import ParameterVector
from optimizers.arrays import Array


def gradient_of_loss(
    loss: Any, outputs: Array, y: ArrayLike, sample_weight: Array | None, scale: float
) -> Array:
    """Run ``loss`` back and return its ``dinputs``, weighted and times ``scale``.

    Raises ValueError if it stores none.
    """
    loss.backward(outputs, y)
    dvalues: Array | None = getattr(loss, "dinputs", None)
    if dvalues is None:
        raise not_stored(loss, "dinputs", "backward")
    if sample_weight is not None:
        loss.dinputs = dvalues = weighted_gradient(dvalues, sample_weight)
    if scale != 1:
        loss.dinputs = dvalues = dvalues * scale
    if isinstance(loss, FusedLoss):
        loss.activation.dinputs = dvalues
    return dvalues


def run_to_parameters(operations: Sequence[Any], dvalues: Array) -> None:
    """Compute the gradients of all parameters, but no ``dinputs`` that none of them needs.

    The first of ``operations``, if there are any, has parameters.
    """
    if not operations:
        return
    first, *others = operations
    dvalues = run_backward(others, dvalues)
    if hasattr(first, "parameter_gradients"):
        first.parameter_gradients(dvalues)
    else:
        run_backward([first], dvalues)


def complete_backward(
    operations: Sequence[Any], dvalues: Array, parameters: ParameterVector
) -> None:
    """Compute the ``dinputs`` that ``run_to_parameters`` left out.

    Args:
        operations: up to the first with parameters.
        dvalues: the gradient with respect to the last one's output.
        parameters: their gradients stay as they are.
    """
    *before, first = operations
    if hasattr(first, "parameter_gradients"):
        gradients = parameters.dweights.copy()
        dvalues = run_backward([first], dvalues)
        parameters.dweights[...] = gradients
    else:  # its backward has computed both
        dvalues = first.dinputs
    run_backward(before, dvalues)


def gradients_by_outputs(operations: Sequence[Any], loss: Any) -> list[Array | None]:
    """Return the gradient with respect to each output: see ``Supervised.gradients``.

    ``loss`` is None if it is fused with the last of ``operations``.
    """
    first = next((i for i, one in enumerate(operations) if is_trained(one)), None)
    found: list[Array | None] = []
    for position, (layer, source) in enumerate(
        zip(operations, [*operations[1:], loss], strict=True)
    ):
        gradient = None
        if source is not None and first is not None and position >= first:
            gradient = getattr(source, "dinputs", None)
            output = getattr(layer, "output", None)
            if gradient is None or output is None or gradient.shape != output.shape:
                raise RuntimeError(
                    "there are no gradients of one batch, since evaluate and predict replace the "
                    "outputs of a training: call calculate_loss(X, y) and then backward(y)"
                )
        found.append(gradient)
    return found


def check_outputs(operations: Sequence[Any]) -> None:
    """Raise ValueError unless every operation has stored its output."""
    for _, leaf in leaves(numbered(operations)):
        if getattr(leaf, "output", None) is None:
            raise not_stored(leaf, "output", "forward")
