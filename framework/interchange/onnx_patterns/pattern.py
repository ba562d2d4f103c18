"""What a pattern is: the forms that an operation has in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from framework.interchange.assembly import Assembly
from framework.interchange.builders import build, number_of
from framework.interchange.onnx_expressions import Expression, Node, arguments_in, operators_in
from framework.operation import Operation, Shape
from optimizers.configuration import constructor_arguments

# Adds operations to an ``Assembly``, given the values found for the arguments of a pattern.
Builder: TypeAlias = Callable[..., None]
Arguments: TypeAlias = Mapping[str, Any]

# The operators that onnxruntime does not have in float64, or whose attributes round to float32.
ONLY_FLOAT32 = {
    "AveragePool",
    "Conv",
    "Elu",
    "Erf",
    "Gelu",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "LayerNormalization",
    "LeakyRelu",
    "Mish",
    "PRelu",
    "Selu",
    "Softplus",
}


@dataclass(frozen=True, eq=False)
class Form:
    """A way to write an operation.

    Attributes:
        expression: the operators that compute it. ``X`` alone leaves the operation out.
        axes: whether these work on any axes, or take features or channels last or first.
        when: whether it is the form of an operation, given the shape of a sample of its inputs.
        arguments: the values of the expression's arguments by name, for an operation and such a
            shape. None takes those of the pattern.
        builder: makes the operation from this form. None takes that of the pattern.
        leaves_rows: whether it leaves rows of images that have their channels first.
    """

    expression: Expression
    axes: Literal["any", "last", "first"] = "any"
    when: Callable[[Any, Shape], bool] | None = None
    arguments: Callable[[Any, Shape], Arguments] | None = None
    builder: Builder | None = None
    leaves_rows: bool = False

    @property
    def operator(self) -> str:
        """The last operator of the expression, "" if it has none."""
        return self.expression.operator if isinstance(self.expression, Node) else ""


@dataclass(frozen=True, eq=False)
class Pattern:
    """The forms of an operation, in order of preference.

    Attributes:
        forms: the first is written that the file's operators and dtype allow.
        arguments: the values of the arguments of a form without ``arguments``. None reads the
            operation's attributes of these names.
        builder: makes the operation again. None calls its class with the constructor's arguments
            and copies the arrays (see ``build``).
    """

    forms: tuple[Form, ...]
    arguments: Callable[[Any, Shape], Arguments] | None = None
    builder: Builder | None = None

    def values(self, form: Form, operation: Any, shape: Shape) -> Arguments:
        """Return the values of the arguments in ``form``, by name."""
        arguments = form.arguments or self.arguments
        if arguments is not None:
            return arguments(operation, shape)
        return {name: getattr(operation, name) for name in arguments_in(form.expression)}


def single(expression: Expression, builder: Builder | None = None, **options: Any) -> Pattern:
    """Return the pattern of an operation with one form."""
    return Pattern((Form(expression, **options),), builder=builder)


def default_builder(cls: type[Operation]) -> Builder:
    """Return the builder of an operation that works on any axes."""

    def builder(assembly: Assembly, **found: Any) -> None:
        taken = constructor_arguments(cls)
        values = {name: number_of(v) if name in taken else v for name, v in found.items()}
        assembly.append(build(cls, **values))

    return builder


def is_available(
    expression: Expression, dtype: np.dtype[Any], onnx: Any, operator_set: int
) -> bool:
    """Whether onnxruntime has the operators of ``expression`` in this dtype and operator set."""
    return all(_is_available(part, dtype, onnx, operator_set) for part in operators_in(expression))


def _is_available(part: Node, dtype: np.dtype[Any], onnx: Any, operator_set: int) -> bool:
    if dtype == np.float64 and part.operator in ONLY_FLOAT32:
        return False
    try:
        schema = onnx.defs.get_schema(part.operator, operator_set, "")
    except onnx.defs.SchemaError:
        return False
    return (
        part.attributes.keys() <= schema.attributes.keys() and len(part.inputs) <= schema.max_input
    )
