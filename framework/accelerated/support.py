"""Which networks the kernels can take, and a warning that names the parts they cannot take."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from framework.accelerated.kernels import ACCURACIES, LOSSES, OPERATIONS, OPTIMIZERS, takes
from framework.containers.container import is_trained
from framework.containers.flattening import flattened
from framework.containers.residual import Residual
from framework.containers.supervised import Supervised
from framework.losses import FusedLoss
from framework.operation import describe
from framework.utils.warnings import warn_user

STEP_METHODS = (
    "calculate_loss",
    "loss_and_outputs",
    "regularization_loss",
    "backward",
    "calculate_accuracy",
    "accuracy_of",
)

FUSED_ACTIVATIONS = [type(k.loss().activation) for k in LOSSES if issubclass(k.loss, FusedLoss)]


def unsupported(model: Supervised, operations: Sequence[Any], loss: Any) -> list[str]:
    """Return why kernels cannot compute the steps of ``model``, a reason for each such part.

    Args:
        operations: those before the loss.
        loss: the loss, or the fused form that takes its place.
    """
    reasons = [
        f"the model has its own {name}"
        for name in STEP_METHODS
        if getattr(getattr(model, name), "__func__", None) is not getattr(Supervised, name)
    ]
    candidates: list[tuple[Any, Collection[type]]] = [
        (operation, _classes_taken(operation)) for operation in _with_inner(operations)
    ]
    candidates.append((loss, [kernel.loss for kernel in LOSSES]))
    if isinstance(loss, FusedLoss):
        candidates.append((loss.activation, FUSED_ACTIVATIONS))
    candidates.append((model.optimizer, [kernel.optimizer for kernel in OPTIMIZERS]))
    candidates.append((model.accuracy, ACCURACIES))
    reasons += [reason for part, classes in candidates if (reason := _unknown(part, classes))]
    if not any(map(is_trained, operations)):
        reasons.append("no operation before the loss has parameters")
    return reasons


def warn_of_plain_steps(reasons: Sequence[str]) -> None:
    """Warn that training runs in plain NumPy, and say why."""
    warn_user(
        f"accelerated=True changes nothing for this model, which trains in plain NumPy: "
        f"{'; '.join(reasons)}"
    )


def _with_inner(operations: Iterable[Any]) -> Iterator[Any]:
    """Yield the operations, and after each ``Residual`` those in it."""
    for operation in operations:
        yield operation
        if type(operation) is Residual:
            for branch in (operation.operations, operation.shortcut):
                yield from _with_inner(flattened(branch))


def _classes_taken(operation: Any) -> list[type]:
    """Return the class of ``operation`` if it has a kernel that takes it, else none."""
    taken = [type(operation) for kernel in OPERATIONS if takes(kernel, [operation])]
    return [*taken, Residual]


def _unknown(part: Any, classes: Collection[type]) -> str:
    """Return why ``part`` is not computed by the kernel of one of ``classes``, "" if it is.

    A class derived from one may compute something else, and so may an object that was given a
    method, or a list of its ``parameters``, of its own.
    """
    if type(part) not in classes:
        return f"{describe(part)} has no kernel"
    own = [
        name
        for name in getattr(part, "__dict__", ())
        if (name == "parameters" and not _are_declared(part))
        or callable(getattr(type(part), name, None))
    ]
    return f"{describe(part)} was given its own {own[0]}" if own else ""


def _are_declared(operation: Any) -> bool:
    """Whether ``parameters`` are those that the class itself sets, such as without ``use_bias``."""
    declared = set(operation.stored_shapes(vars(operation))) - set(operation.state)
    return set(operation.parameters) == declared
