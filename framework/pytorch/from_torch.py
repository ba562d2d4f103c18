"""A model from a ``torch.nn.Sequential``: ``from_torch``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from framework.interchange.assembly import Assembly, ChannelsFirst
from framework.model import Model
from framework.pytorch.readers import reader_of
from framework.utils import rng
from framework.utils.optional import required

if TYPE_CHECKING:
    import torch

# Modules that tell how many axes a sample has; BatchNorm1d takes rows and sequences.
OF_ROWS = ("Linear", "Flatten", "Unflatten")
OF_IMAGES = ("Conv", "Pool", "Pad", "BatchNorm2d")


def from_torch(sequential: torch.nn.Sequential) -> Model:
    """Return a finalized model with the outputs of ``sequential`` in evaluation mode.

    Images and sequences it takes and gives with their channels last. The modules, and those of a
    ``Sequential`` inside, can be linear, convolutions, pooling, padding with zeros, batch and layer
    normalizations, dropout, activations, ``Flatten`` and ``Unflatten``, and all that ``to_torch``
    gives. Where a normalization has no bias and no scale, ours has zeros and ones.

    Other networks can be read by ``Model.from_onnx`` from what ``torch.onnx.export`` writes.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: it is no ``Sequential``, or one with a ``forward`` of its own; or a module is
            another one, or has a forward hook; the message names it.
        ValueError: a module has a setting that our operation lacks; two modules share their
            parameters; modules do not fit each other.
    """
    nn = required("torch", "torch").nn
    if not isinstance(sequential, nn.Sequential):
        raise TypeError(f"from_torch needs a torch.nn.Sequential, received {sequential!r}")
    if not _is_plain(nn, sequential):
        raise TypeError(
            f"from_torch needs a torch.nn.Sequential that calls its modules in turn, but "
            f"{type(sequential).__name__} has a forward of its own"
        )
    _check_forward(sequential)
    modules = list(_modules(nn, sequential))
    sizes = _sizes(nn, modules)
    # The initial weights of new layers are replaced: they must use up no random numbers.
    with rng.preserve_rng():
        try:
            assembly = _read(nn, modules, Assembly(sizes), set())
        except ChannelsFirst:
            assembly = _read(nn, modules, Assembly(sizes, channels_last=True), set())
        assembly.finish()
    model = Model(assembly.operations)
    model.finalize()
    return model


def _read(nn: Any, modules: list[tuple[str, Any]], assembly: Assembly, seen: set[int]) -> Assembly:
    """Add the operations of ``modules``. ``seen`` are the ids of the parameters so far."""
    from framework.pytorch.own_modules import Residual

    for path, module in modules:
        if isinstance(module, Residual):
            branches = []
            for name in ("operations", "shortcut"):
                inside = list(_modules(nn, getattr(module, name), f"{path}.{name}."))
                branches.append(_read(nn, inside, assembly.branch(), seen))
            assembly.add_sum(*branches)
            continue
        parameters = {id(parameter) for parameter in module.parameters()}
        try:
            _check_forward(module)
            if parameters & seen:
                raise ValueError("it shares its parameters with another module")
            reader_of(nn, module)(assembly, module)
        except (TypeError, ValueError) as error:
            raise type(error)(f"module {path}, {module}: {error}") from None
        seen |= parameters
    return assembly


def _sizes(nn: Any, modules: list[tuple[str, Any]]) -> list[int | None]:
    """Return the sizes of a sample of the inputs, as far as modules tell; one axis if none does."""
    from framework.pytorch.own_modules import Permute, Residual

    axes, channels = 1, None
    for _, module in modules:
        name = type(module).__name__
        if isinstance(module, Residual):
            inside = [*_modules(nn, module.operations), *_modules(nn, module.shortcut)]
            return _sizes(nn, inside)
        if name in OF_ROWS:
            break
        if isinstance(module, Permute):
            axes = len(module.dims)
            break
        if any(part in name for part in OF_IMAGES):
            axes = 1 + (len(module.size) if name.startswith("Padded") else 2 if "2d" in name else 1)
            channels = getattr(module, "in_channels", getattr(module, "num_features", channels))
            if channels is not None:
                break
    return [channels, *(None,) * (axes - 1)]


def _modules(nn: Any, sequential: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each module with its path, such as "1.0" for the first one of the second one."""
    for position, module in enumerate(sequential):
        if _is_plain(nn, module):
            try:
                _check_forward(module)
            except TypeError as error:
                raise TypeError(f"module {prefix}{position}, {module}: {error}") from None
            yield from _modules(nn, module, f"{prefix}{position}.")
        else:
            yield f"{prefix}{position}", module


def _is_plain(nn: Any, module: Any) -> bool:
    """Whether ``module`` calls the modules in it in turn, and does nothing else."""
    return bool(type(module).forward is nn.Sequential.forward)


def _check_forward(module: Any) -> None:
    """Raise TypeError if the user's own code takes part in the ``forward`` of ``module``."""
    if "forward" in vars(module):
        raise TypeError(f"this {type(module).__name__} was given another forward")
    hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
    if hooks:
        names = ", ".join(getattr(hook, "__qualname__", repr(hook)) for hook in hooks)
        raise TypeError(
            f"{type(module).__name__} has a forward hook, {names}, which may change what it "
            "computes: remove it first"
        )
