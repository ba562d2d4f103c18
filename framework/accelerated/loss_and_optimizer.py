"""The instructions of a loss and of an optimizer, and the arrays that the optimizer remembers."""

from typing import Any

import numpy as np

from framework.accelerated import entries
from framework.accelerated.instructions import Instructions
from framework.accelerated.kernels import LOSSES, OPTIMIZERS, LossKernel
from framework.accelerated.records import LOSS, OPTIMIZER, row_of
from framework.losses import FusedLoss
from framework.parameters import ParameterVector
from optimizers.arrays import Array
from optimizers.optimizer import Optimizer, State
from optimizers.weight_decay import WeightDecay

PYTHONS_NUMBERS = (float, int)


def loss_instruction(loss: Any, instructions: Instructions) -> Any:
    """Return the instruction of a loss whose arrays stand behind those of ``instructions``."""
    kernel = _loss_kernel(loss)
    sources = (loss, loss.activation) if isinstance(loss, FusedLoss) else (loss,)
    n_outputs, values = instructions.n_outputs, instructions.values
    row = row_of(
        LOSS,
        is_fused=isinstance(loss, FusedLoss),
        n_outputs=n_outputs,
        output=values,
        per_sample=values + n_outputs,
        dinputs=instructions.dvalues,
        **{
            name: next(getattr(source, name) for source in sources if hasattr(source, name))
            for name in kernel.settings
        },
    )
    return np.array(row, dtype=LOSS)[()]


def find_kernels(instructions: Instructions, of_loss: Any, loss: Any) -> None:
    """Write the addresses of the kernels into the instructions of the operations and the loss.

    Those that were not needed before are compiled: see ``entries.py``.
    """
    dtype = instructions.dtype
    for op, group in zip(instructions.array, instructions.groups, strict=True):
        entries.write_addresses(op, group.kernel.module, entries.OPERATION, dtype)
    entries.write_addresses(of_loss, _loss_kernel(loss).module, entries.LOSS, dtype)


def _loss_kernel(loss: Any) -> LossKernel:
    return next(kernel for kernel in LOSSES if kernel.loss is type(loss))


def optimizer_instruction(optimizer: Optimizer, dtype: np.dtype[Any], **others: float) -> Any:
    """Return the instruction of an optimizer, with ``others`` in place of its own settings."""
    kernel = next(kernel for kernel in OPTIMIZERS if kernel.optimizer is type(optimizer))
    names = ("max_gradient_norm", *kernel.settings)
    row = row_of(
        OPTIMIZER,
        **{name: getattr(optimizer, name) or 0.0 for name in names} | others,
    )
    instruction = np.array(row, dtype=OPTIMIZER)[()]
    entries.write_addresses(instruction, kernel.module, entries.OPTIMIZER, dtype)
    return instruction


def rates_are_known(optimizer: Optimizer) -> bool:
    """Whether all learning rates follow from ``decayed``, and no function has to be asked.

    Numbers of NumPy's are left to ``pre_update_params``: alone they may be rounded otherwise than
    in an array.
    """
    return (
        type(optimizer.learning_rate) in PYTHONS_NUMBERS
        and type(optimizer.decay) in PYTHONS_NUMBERS
        and "pre_update_params" not in vars(optimizer)
    )


def decays(optimizer: Optimizer, parameters: ParameterVector) -> Array:
    """Return whether each of the parameters decays, nothing if all do."""
    if not (isinstance(optimizer, WeightDecay) and optimizer.decay_exclude):
        return np.empty(0, bool)
    found = np.empty(len(parameters), bool)
    for operation, name, part in parameters.split(found):
        part[...] = not optimizer.excludes(operation, name)
    return found


def optimizer_state(
    instruction: Any, optimizer: Optimizer, parameters: ParameterVector
) -> tuple[Array, Array]:
    """Return the two arrays that an optimizer remembers, empty where it does without.

    Whether it does is read from its ``instruction``, as the compiled code reads it, and not from
    the optimizer, whose momentum may have changed since.
    """
    kernel = next(kernel for kernel in OPTIMIZERS if kernel.optimizer is type(optimizer))
    vector = parameters.weights
    state = optimizer.state(parameters).setdefault("weights", State())
    setting = kernel.stateless_without
    names = () if setting and instruction[setting] == 0 else kernel.state
    arrays = [state.array(name, like=vector) for name in names]
    none = vector[:0]
    return (*arrays, none, none)[:2]  # type: ignore[return-value]
