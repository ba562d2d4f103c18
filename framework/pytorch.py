"""Networks from PyTorch, and to it: ``from_torch`` and ``to_torch``.

Both copy the parameters, so either network can be trained without changing the other. PyTorch is
imported when one of them is called. The module of each operation is its entry in ``MODULES``.

A batch normalization differs in one respect: PyTorch's running variance moves towards the variance
divided by ``m - 1``, ours towards the variance divided by ``m``, for ``m`` values in a batch.
Outputs and gradients are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from framework.activations import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    Linear,
    Mish,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
)
from framework.containers.shapes import text_of_shape
from framework.interchange.builders import build, flattened, supported_class
from framework.layers import BatchNormalization, Dense, Dropout, Flatten
from framework.model import Model
from framework.operation import Operation, Shape
from framework.utils import rng
from framework.utils.optional import required
from optimizers.arrays import Array

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TorchModule:
    """The PyTorch module of an operation.

    Attributes:
        name: its class in ``torch.nn``.
        arguments: our constructor arguments, with their names in PyTorch.
        arrays: our parameters and running statistics, with their names in PyTorch. A matrix is
            transposed on the way.
        settings: PyTorch's further arguments, with the values they must have.
        our_settings: our further arguments, with the values they must have.
        bias: the name of the argument for ``use_bias``, "" if ours has no such argument.
        converted: functions for arguments that PyTorch states otherwise; each is its own inverse.
        rows_only: whether several features have to be on axis 1, where PyTorch has its channels,
            and not on a last axis behind it.
    """

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    our_settings: Mapping[str, Any] = field(default_factory=dict)
    bias: str = ""
    converted: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    rows_only: bool = False

    def convert(self, argument: str, value: Any) -> Any:
        """Return the value of one of our arguments as PyTorch states it, or the other way."""
        return self.converted[argument](value) if argument in self.converted else value


MODULES: dict[type[Operation], TorchModule] = {
    Dense: TorchModule(
        "Linear",
        {"n_inputs": "in_features", "n_neurons": "out_features"},
        arrays={"weights": "weight", "biases": "bias"},
        bias="bias",
    ),
    BatchNormalization: TorchModule(
        "BatchNorm1d",
        {"n_features": "num_features", "momentum": "momentum", "epsilon": "eps"},
        arrays={
            "weights": "weight",
            "biases": "bias",
            "running_mean": "running_mean",
            "running_variance": "running_var",
        },
        converted={"momentum": lambda momentum: 1 - momentum},
    ),
    Dropout: TorchModule("Dropout", {"rate": "p"}),
    Flatten: TorchModule("Flatten", settings={"start_dim": 1, "end_dim": -1}),
    Linear: TorchModule("Identity"),
    Sigmoid: TorchModule("Sigmoid"),
    Tanh: TorchModule("Tanh"),
    ReLU: TorchModule("ReLU"),
    LeakyReLU: TorchModule("LeakyReLU", {"alpha": "negative_slope"}),
    ELU: TorchModule("ELU", {"alpha": "alpha"}),
    SELU: TorchModule("SELU"),
    PReLU: TorchModule(
        "PReLU", {"n_features": "num_parameters"}, arrays={"weights": "weight"}, rows_only=True
    ),
    Softplus: TorchModule("Softplus", settings={"beta": 1, "threshold": 20}),
    Swish: TorchModule("SiLU"),
    Mish: TorchModule("Mish"),
    GELU: TorchModule("GELU", {"approximate": "approximate"}),
    Softmax: TorchModule("Softmax", settings={"dim": -1}, our_settings={"temperature": 1}),
}


def from_torch(sequential: torch.nn.Sequential) -> Model:
    """Return a finalized model with the outputs of ``sequential`` in evaluation mode.

    Its modules, and those of a ``Sequential`` inside it, can be the ones in ``MODULES``. Where a
    normalization has no bias and no scale, ours has zeros and ones.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: it is no ``Sequential``, or one with a ``forward`` of its own; or a module is
            not in ``MODULES``, or has a forward hook; the message names it.
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
    operations: list[Operation] = []
    seen: set[int] = set()
    # The initial weights of new layers are replaced: they must use up no random numbers.
    with rng.preserve_rng():
        for path, module in _modules(nn, sequential):
            parameters = {id(parameter) for parameter in module.parameters()}
            try:
                _check_forward(module)
                if parameters & seen:
                    raise ValueError("it shares its parameters with another module")
                # After one of these, the samples are rows, whose last axis is axis 1.
                rows = any(isinstance(operation, (Dense, Flatten)) for operation in operations)
                operations.append(_operation(nn, module, rows))
            except (TypeError, ValueError) as error:
                raise type(error)(f"module {path}, {module}: {error}") from None
            seen |= parameters
    model = Model(operations)
    model.finalize()
    return model


def to_torch(model: Model) -> torch.nn.Sequential:
    """Return a ``Sequential`` with the outputs of ``model.predict``, in the model's dtype.

    It is in evaluation mode; call its ``train()`` to train it. The activation of a fused loss is
    its last module. A ``Sequential`` inside the model is replaced by its operations.

    Raises:
        ImportError: PyTorch is not installed.
        RuntimeError: ``model.finalize`` has not been called.
        TypeError: an operation is not in ``MODULES``.
        ValueError: a softmax has a temperature, which PyTorch's has not; a ``PReLU`` with several
            slopes takes images, whose channels PyTorch has on another axis.
    """
    torch = required("torch", "torch")
    dtype = getattr(torch, model.parameters.dtype.name)
    # The initial weights of new modules are replaced: they must use up no random numbers.
    with torch.random.fork_rng(devices=[]):
        modules, shape = [], model.input_shape
        for operation in flattened(model.operations_of_predict):
            modules.append(_module(torch, operation, dtype, shape))
            shape = operation.output_shape(shape)
    return torch.nn.Sequential(*modules).eval()


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


def _operation(nn: Any, module: Any, rows: bool) -> Operation:
    """Return our operation for ``module``. ``rows`` is whether its inputs have two axes."""
    classes = {getattr(nn, entry.name): cls for cls, entry in MODULES.items()}
    if type(module) not in classes:
        raise TypeError("this framework has no such operation")
    cls = classes[type(module)]
    entry = MODULES[cls]
    for name, expected in entry.settings.items():
        found = getattr(module, name)
        if found != expected and not (name == "dim" and found == 1 and rows):
            raise ValueError(
                f"{cls.__name__}() is the same only with {name}={expected!r}, not {found!r}"
            )
    values: dict[str, Any] = dict(entry.our_settings)
    for ours, theirs in entry.arguments.items():
        found = getattr(module, theirs)
        if found is None:
            raise ValueError(f"{cls.__name__} needs a {theirs}, and it has none")
        values[ours] = entry.convert(ours, found)
    if entry.bias:
        values["use_bias"] = module.bias is not None
    for ours, theirs in entry.arrays.items():
        tensor = getattr(module, theirs)
        if tensor is not None:
            values[ours] = _array(tensor)
        elif ours in cls.state:
            raise ValueError(f"{cls.__name__} needs a {theirs}, and it has none")
    operation: Operation = build(cls, **values)
    return operation


def _array(tensor: Any) -> Array:
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise ValueError(f"expected parameters in float32 or float64, found {tensor.dtype}")
    array: Array = tensor.detach().cpu().numpy()
    return array.T


def _module(torch: Any, operation: Any, dtype: Any, shape: Shape) -> Any:
    """Return the PyTorch module of ``operation``, with its arrays in ``dtype``.

    ``shape`` is that of one sample of its inputs, if known.
    """
    entry = MODULES[supported_class(operation, MODULES, "PyTorch module")]
    if entry.rows_only and operation.n_features > 1 and shape is not None and len(shape) > 1:
        raise ValueError(
            f"{operation!r} takes features on the last axis of {text_of_shape(shape)}, the "
            f"{entry.name} of PyTorch on axis 1: put a Flatten before it, or use a single slope"
        )
    for name, expected in entry.our_settings.items():
        if getattr(operation, name) != expected:
            raise ValueError(f"{operation!r}: the {entry.name} of PyTorch has no {name}")
    arguments = {
        theirs: entry.convert(ours, getattr(operation, ours))
        for ours, theirs in entry.arguments.items()
    }
    if entry.bias:
        arguments[entry.bias] = operation.use_bias
    module = getattr(torch.nn, entry.name)(**arguments, **entry.settings).to(dtype)
    state = module.state_dict()
    for ours, theirs in entry.arrays.items():
        if theirs not in state:
            continue
        array = getattr(operation, ours).T
        state[theirs] = torch.tensor(array.reshape(state[theirs].shape))
    module.load_state_dict(state)
    return module
