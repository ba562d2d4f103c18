"""A ``torch.nn.Sequential`` from a model: ``to_torch``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from framework.activations import PReLU
from framework.containers import Residual
from framework.interchange.builders import flattened, supported_class
from framework.layers import BatchNormalization, Dense, Flatten, Permute, Reshape
from framework.model import Model
from framework.pytorch.module_writer import ModuleWriter
from framework.pytorch.modules import MODULES
from framework.pytorch.writers import WRITERS
from framework.utils.optional import required

if TYPE_CHECKING:
    import torch


def to_torch(model: Model) -> torch.nn.Sequential:
    """Return a ``Sequential`` with the outputs of ``model.predict``, in the model's dtype.

    Images and sequences it takes and gives with their channels first, where the model has layers
    for them. It is in evaluation mode; call its ``train()`` to train it. The activation of a fused
    loss is its last module. A ``Sequential`` inside the model is replaced by its operations. Where
    PyTorch has no module, as for ``Residual``, it is one of ``framework.pytorch.own_modules``.

    Raises:
        ImportError: PyTorch is not installed.
        RuntimeError: ``model.finalize`` has not been called.
        TypeError: an operation has no module.
        ValueError: a softmax has a temperature, which PyTorch's has not; or padding depends on the
            size of images, and none were seen.
    """
    torch = required("torch", "torch")
    dtype = getattr(torch, model.parameters.dtype.name)
    operations = list(flattened(model.operations_of_predict))
    sizes = _sizes(model, operations)
    # The initial weights of new modules are replaced: they must use up no random numbers.
    with torch.random.fork_rng(devices=[]):
        writer = ModuleWriter(torch, dtype, sizes, len(sizes) > 1 and _takes_images(operations))
        _write(operations, writer)
        writer.finish()
    return torch.nn.Sequential(*writer.modules).eval()


def _takes_images(operations: Iterable[Any]) -> bool:
    """Whether channels have to be first for one of these, before they are rows or reshaped."""
    for operation in flattened(operations):
        if isinstance(operation, Residual):
            if _takes_images([*operation.operations, *operation.shortcut]):
                return True
        elif isinstance(operation, (Flatten, Reshape, Permute, Dense)):
            return False
        else:
            several_slopes = isinstance(operation, PReLU) and operation.n_features > 1
            if isinstance(operation, BatchNormalization) or several_slopes:
                return True
            if hasattr(operation, "axes"):
                return True
    return False


def _write(operations: Iterable[Any], writer: ModuleWriter) -> ModuleWriter:
    for operation in flattened(operations):
        cls = supported_class(operation, (*MODULES, *WRITERS, Residual), "PyTorch module")
        if cls is Residual:
            branches = (operation.operations, operation.shortcut)
            writer.add_sum(*(_write(branch, writer.branch()) for branch in branches))
        elif cls in WRITERS:
            WRITERS[cls](writer, operation)
        else:
            entry = MODULES[cls]
            arguments = {
                theirs: getattr(operation, ours) for ours, theirs in entry.arguments.items()
            }
            writer.add(getattr(writer.torch.nn, entry.name)(**arguments, **entry.settings))
    return writer


def _sizes(model: Model, operations: Sequence[Any]) -> Sequence[int | None]:
    """Return the sizes of a sample, as far as they are known; one axis if nothing is."""
    if model.input_shape is not None:
        return model.input_shape
    for operation in operations:
        if isinstance(operation, Residual):
            return _sizes(model, [*operation.operations, *operation.shortcut])
        if hasattr(operation, "axes"):
            return [*(None for _ in operation.axes), getattr(operation, "n_channels", None)]
        if isinstance(operation, (Dense, Flatten, Reshape)):
            break
    return [None]
