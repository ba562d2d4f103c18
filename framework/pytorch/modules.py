"""The PyTorch module of each operation that works on any axes, and treats every value alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from framework.activations import (
    ELU,
    GELU,
    SELU,
    LeakyReLU,
    Linear,
    Mish,
    ReLU,
    Sigmoid,
    Softplus,
    Swish,
    Tanh,
)
from framework.layers import Dropout
from framework.operation import Operation


@dataclass(frozen=True)
class TorchModule:
    """The PyTorch module of an operation.

    Attributes:
        name: its class in ``torch.nn``.
        arguments: our constructor arguments, with their names in PyTorch.
        settings: PyTorch's further arguments, with the values they must have.
    """

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


MODULES: dict[type[Operation], TorchModule] = {
    Dropout: TorchModule("Dropout", {"rate": "p"}),
    Linear: TorchModule("Identity"),
    Sigmoid: TorchModule("Sigmoid"),
    Tanh: TorchModule("Tanh"),
    ReLU: TorchModule("ReLU"),
    LeakyReLU: TorchModule("LeakyReLU", {"alpha": "negative_slope"}),
    ELU: TorchModule("ELU", {"alpha": "alpha"}),
    SELU: TorchModule("SELU"),
    Softplus: TorchModule("Softplus", settings={"beta": 1, "threshold": 20}),
    Swish: TorchModule("SiLU"),
    Mish: TorchModule("Mish"),
    GELU: TorchModule("GELU", {"approximate": "approximate"}),
}
