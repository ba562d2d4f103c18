"""What a network is trained with, and whether its last activation and loss are computed as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.losses.binary_crossentropy import BinaryCrossentropy
from framework.losses.categorical_crossentropy import CategoricalCrossentropy
from framework.losses.loss import FusedLoss, Loss, no_losses
from framework.losses.sigmoid_binary_crossentropy import SigmoidBinaryCrossentropy
from framework.losses.softmax_categorical_crossentropy import SoftmaxCategoricalCrossentropy
from optimizers.arrays import Array

# An activation, a loss, and the class that computes both.
FusedClasses: TypeAlias = tuple[tuple[type[Activation], type[Loss], type[FusedLoss]], ...]

FUSED: FusedClasses = (
    (Softmax, CategoricalCrossentropy, SoftmaxCategoricalCrossentropy),
    (Sigmoid, BinaryCrossentropy, SigmoidBinaryCrossentropy),
)


def check_methods(role: str, candidate: Any, methods: Sequence[str]) -> None:
    """Raise TypeError unless ``candidate``, if there is one, is an object with these methods."""
    if candidate is None:
        return
    missing = [name for name in methods if not callable(getattr(candidate, name, None))]
    if missing or isinstance(candidate, type):
        needs = "an object, not its class" if isinstance(candidate, type) else ", ".join(methods)
        raise TypeError(f"the {role} needs {needs}, received {candidate!r}")


def check_head(operations: Sequence[Any], loss: Any, fused_classes: FusedClasses) -> None:
    """Raise ValueError for a fused loss after the activation that it contains."""
    contained = next((act for act, _, fused in fused_classes if isinstance(loss, fused)), None)
    if contained is not None and operations and isinstance(operations[-1], contained):
        raise ValueError(
            f"{loss!r} contains the activation {operations[-1]!r}: leave that out, or use "
            f"{loss.loss!r}"
        )


def head_of(
    operations: Sequence[Any], loss: Any, fused_classes: FusedClasses
) -> tuple[FusedLoss | None, list[Any]]:
    """Return the fused form of the loss, or None, and the operations that it does not contain."""
    if isinstance(loss, FusedLoss):
        return loss, list(operations)
    last = operations[-1]
    for activation, unfused, fused in fused_classes:
        if type(last) is activation and type(loss) is unfused:
            computed = fused()
            computed.activation, computed.loss = last, loss
            return computed, list(operations[:-1])
    return None, list(operations)


def losses_and_outputs(loss: Any, outputs: Array, y: ArrayLike) -> tuple[Any, Array]:
    """Return the losses against ``y``, and the outputs: of the activation if ``loss`` is fused.

    Raises ValueError if the loss returns nothing.
    """
    if isinstance(loss, FusedLoss):
        outputs, losses = loss.outputs_and_losses(outputs, y)
    else:
        losses = loss.forward(outputs, y)
    if losses is None:
        raise no_losses(loss)
    return losses, outputs
