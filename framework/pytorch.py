"""Networks from PyTorch, and to it: ``from_torch`` and ``to_torch``.

Both copy, so that either network can be trained without the other. PyTorch is imported when one
of them is called.

A batch normalization differs in one respect: PyTorch's running variance moves by the variance
divided by ``m - 1``, where ours divides by ``m``. Outputs and gradients are the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from framework.activations import (
    ELU,
    GELU,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
)
from framework.interchange.builders import batch_normalization, dense, kind_of
from framework.layers import BatchNormalization, Dense, Dropout, Flatten
from framework.model import Model
from framework.operation import Array, Operation
from framework.utils import rng
from framework.utils.optional import required

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Counterpart:
    """A module of PyTorch: its class, what it calls our arguments, and how it has to be set."""

    module: str
    arguments: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


WITHOUT_PARAMETERS: dict[type[Operation], Counterpart] = {
    Dropout: Counterpart("Dropout", {"rate": "p"}),
    Flatten: Counterpart("Flatten", settings={"start_dim": 1, "end_dim": -1}),
    Linear: Counterpart("Identity"),
    Sigmoid: Counterpart("Sigmoid"),
    Tanh: Counterpart("Tanh"),
    ReLU: Counterpart("ReLU"),
    LeakyReLU: Counterpart("LeakyReLU", {"alpha": "negative_slope"}),
    ELU: Counterpart("ELU", {"alpha": "alpha"}),
    Softplus: Counterpart("Softplus", settings={"beta": 1, "threshold": 20}),
    Swish: Counterpart("SiLU"),
    GELU: Counterpart("GELU", settings={"approximate": "tanh"}),
    Softmax: Counterpart("Softmax", settings={"dim": -1}),
}


def from_torch(sequential: "torch.nn.Sequential") -> Model:
    """Return a finalized model that computes what ``sequential`` does in evaluation mode.

    Its modules, also of a ``Sequential`` within, can be ``Linear``, ``BatchNorm1d``, ``Dropout``,
    ``Flatten``, ``Identity`` and the activations that this framework has. A bias or a scale that
    a module does without is there with the value that changes nothing.

    Raises:
        ImportError: PyTorch is not installed.
        TypeError: it is no ``Sequential``, or one with a ``forward`` of its own; or a module has
            no counterpart, or a forward hook; the message names it.
        ValueError: a module has a setting that its counterpart lacks; two places share their
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
    _check_untouched(sequential)
    operations: list[Operation] = []
    seen: set[int] = set()
    # New layers draw initial weights, which nobody asked for here.
    with rng.preserve_rng():
        for place, module in _modules(nn, sequential):
            parameters = {id(parameter) for parameter in module.parameters()}
            try:
                _check_untouched(module)
                if parameters & seen:
                    raise ValueError("it shares its parameters with another place")
                # What comes after these are rows, whose last axis is their axis 1.
                rows = any(isinstance(operation, (Dense, Flatten)) for operation in operations)
                operations.append(_operation(nn, module, rows))
            except (TypeError, ValueError) as error:
                raise type(error)(f"module {place}, {module}: {error}") from None
            seen |= parameters
    model = Model(operations)
    model.finalize()
    return model


def to_torch(model: Model) -> "torch.nn.Sequential":
    """Return a ``Sequential`` that computes what ``model.predict`` does, in the model's dtype.

    It is in evaluation mode; call its ``train()`` to train it. The activation of a fused loss is
    its last module.

    Raises:
        ImportError: PyTorch is not installed.
        RuntimeError: ``model.finalize`` has not been called.
        TypeError: an operation has no counterpart in PyTorch.
        ValueError: a softmax has a temperature, which PyTorch's has not.
    """
    torch = required("torch", "torch")
    dtype = getattr(torch, model.parameters.dtype.name)
    modules = [_module(torch, operation, dtype) for operation in model.operations_of_predict]
    return torch.nn.Sequential(*modules).eval()


def _modules(nn: Any, sequential: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for position, module in enumerate(sequential):
        if _is_plain(nn, module):
            try:
                _check_untouched(module)
            except TypeError as error:
                raise TypeError(f"module {prefix}{position}, {module}: {error}") from None
            yield from _modules(nn, module, f"{prefix}{position}.")
        else:
            yield f"{prefix}{position}", module


def _is_plain(nn: Any, module: Any) -> bool:
    """Whether ``module`` is of a class that calls those within it in turn, and nothing else."""
    return bool(type(module).forward is nn.Sequential.forward)


def _check_untouched(module: Any) -> None:
    """Raise TypeError if something of the user's own takes part in the ``forward`` of this one."""
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
    if type(module) is nn.Linear:
        biases = 0.0 if module.bias is None else _numbers(module.bias)
        return dense(_numbers(module.weight).T, biases)
    if type(module) is nn.BatchNorm1d:
        return _batch_normalization(module)
    classes = {getattr(nn, other.module): ours for ours, other in WITHOUT_PARAMETERS.items()}
    if type(module) not in classes:
        raise TypeError("it has no counterpart here")
    kind = classes[type(module)]
    counterpart = WITHOUT_PARAMETERS[kind]
    for name, expected in counterpart.settings.items():
        found = getattr(module, name)
        if found != expected and not (name == "dim" and found == 1 and rows):
            raise ValueError(
                f"{kind.__name__}() computes what it does with {name}={expected!r}, not {found!r}"
            )
    arguments = {ours: getattr(module, theirs) for ours, theirs in counterpart.arguments.items()}
    return kind(**arguments)


def _batch_normalization(module: Any) -> BatchNormalization:
    if module.running_mean is None or module.momentum is None:
        raise ValueError("it needs running statistics, and a momentum to move them by")
    mean, variance = _numbers(module.running_mean), _numbers(module.running_var)
    return batch_normalization(
        np.ones_like(mean) if module.weight is None else _numbers(module.weight),
        np.zeros_like(mean) if module.bias is None else _numbers(module.bias),
        mean,
        variance,
        momentum=1 - module.momentum,
        epsilon=module.eps,
    )


def _numbers(tensor: Any) -> Array:
    if str(tensor.dtype) not in ("torch.float32", "torch.float64"):
        raise ValueError(f"expected parameters in float32 or float64, found {tensor.dtype}")
    array: Array = tensor.detach().cpu().numpy()
    return array


def _module(torch: Any, operation: Any, dtype: Any) -> Any:
    kinds = {Dense, BatchNormalization, *WITHOUT_PARAMETERS}
    kind = kind_of(operation, kinds, "counterpart in PyTorch")
    if kind is Dense:
        return _filled(
            torch,
            torch.nn.utils.skip_init(
                torch.nn.Linear, operation.n_inputs, operation.n_neurons, dtype=dtype
            ),
            weight=operation.weights.T,
            bias=operation.biases[0],
        )
    if kind is BatchNormalization:
        return _filled(
            torch,
            torch.nn.BatchNorm1d(
                operation.n_features,
                eps=operation.epsilon,
                momentum=1 - operation.momentum,
                dtype=dtype,
            ),
            weight=operation.weights[0],
            bias=operation.biases[0],
            running_mean=operation.running_mean[0],
            running_var=operation.running_variance[0],
        )
    if kind is Softmax and operation.temperature != 1:
        raise ValueError(f"{operation!r}: the softmax of PyTorch has no temperature")
    counterpart = WITHOUT_PARAMETERS[kind]
    arguments = {theirs: getattr(operation, ours) for ours, theirs in counterpart.arguments.items()}
    return getattr(torch.nn, counterpart.module)(**arguments, **counterpart.settings)


def _filled(torch: Any, module: Any, **arrays: Array) -> Any:
    """Return ``module`` with copies of ``arrays`` for its parameters and statistics."""
    state = module.state_dict()
    module.load_state_dict({**state, **{k: torch.tensor(v) for k, v in arrays.items()}})
    return module
