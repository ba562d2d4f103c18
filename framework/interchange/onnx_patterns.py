"""What each operation looks like in ONNX, written down once.

A form is an expression of ONNX operators, such as ``Mul(X, Sigmoid(X))`` for ``Swish``. Exporting
writes the form of an operation into a graph; reading finds it there. So what is exported is read
back, and a further operation is one line of ``WRITTEN``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from framework.activations import (
    ELU,
    GELU,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)
from framework.activations.gelu import CUBIC, SCALE
from framework.interchange.builders import batch_normalization, dense
from framework.layers import BatchNormalization, Dense, Flatten, Scale
from framework.operation import Array, Operation
from optimizers.configuration import constructor_arguments


class Inputs:
    """Stands in a form where the inputs of the operation go."""


@dataclass(frozen=True)
class Argument:
    """Stands in a form where a number or an array of the operation goes."""

    name: str


@dataclass(frozen=True)
class Node:
    """An ONNX operator with its inputs, where a number is a constant, and its attributes."""

    operator: str
    inputs: "tuple[Part, ...]"
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def commutative(self) -> bool:
        """Whether the order of the inputs makes no difference."""
        return self.operator in ("Add", "Mul", "Max", "Min")

    @property
    def size(self) -> int:
        """The number of operators in the expression."""
        return 1 + sum(part.size for part in self.inputs if isinstance(part, Node))


Part: TypeAlias = Inputs | Argument | Node | float

# From what the arguments of a form stand for to the operations that it is, in order.
Builder: TypeAlias = Callable[..., list[Operation]]


def node(operator: str, *inputs: Part, **attributes: Any) -> Node:
    """Return the operator with these inputs and attributes."""
    return Node(operator, inputs, attributes)


# The forms are written in ONNX's operators of this version, the first that has GELU.
OPERATOR_SET = 20

X = Inputs()
WEIGHTS, BIASES, MEAN = Argument("weights"), Argument("biases"), Argument("mean")
ALPHA = Argument("alpha")
# An operator's attributes are all there: the defaults of one that is read are compared too.
GEMM = {"alpha": 1.0, "beta": 1.0, "transA": 0}
PLAIN_SOFTMAX = node("Softmax", X, axis=-1)

WRITTEN: dict[type[Operation], Node] = {
    Dense: node("Gemm", X, WEIGHTS, BIASES, **GEMM, transB=0),
    Flatten: node("Flatten", X, axis=1),
    Scale: node("Add", node("Mul", X, Argument("factor")), Argument("offset")),
    # ONNX's own operator wants the channels of an image before its rows and columns.
    BatchNormalization: node("Add", node("Mul", node("Sub", X, MEAN), WEIGHTS), BIASES),
    Linear: node("Identity", X),
    Step: node("Where", node("GreaterOrEqual", X, 0.0), 1.0, 0.0),
    Sigmoid: node("Sigmoid", X),
    Tanh: node("Tanh", X),
    ReLU: node("Relu", X),
    LeakyReLU: node("LeakyRelu", X, alpha=ALPHA),
    ELU: node("Elu", X, alpha=ALPHA),
    Softplus: node("Softplus", X),
    Swish: node("Mul", X, node("Sigmoid", X)),
    GELU: node("Gelu", X, approximate="tanh"),
    Softmax: node("Softmax", node("Div", X, Argument("temperature")), axis=-1),
}

# onnxruntime computes these operators in float32 alone, so in float64 they are written out.
POSITIVE = node("Greater", X, 0.0)
EXPM1 = node("Sub", node("Exp", node("Min", X, 0.0)), 1.0)
LOG1P = node("Log", node("Add", node("Exp", node("Neg", node("Abs", X))), 1.0))
WRITTEN_IN_FLOAT64: dict[type[Operation], Node] = {
    LeakyReLU: node("Where", POSITIVE, X, node("Mul", X, ALPHA)),
    ELU: node("Where", POSITIVE, X, node("Mul", EXPM1, ALPHA)),
    Softplus: node("Add", node("Max", X, 0.0), LOG1P),
}


def form_of(operation: Any, kind: type[Operation], dtype: np.dtype[Any]) -> Node:
    """Return the form in which ``operation``, which computes as ``kind``, is written."""
    if kind is Softmax and operation.temperature == 1:
        return PLAIN_SOFTMAX
    if dtype == np.float64 and kind in WRITTEN_IN_FLOAT64:
        return WRITTEN_IN_FLOAT64[kind]
    return WRITTEN[kind]


def arguments_of(operation: Any, kind: type[Operation]) -> dict[str, ArrayLike]:
    """Return what the arguments of the operation's form stand for, by name.

    Batch normalization has its running statistics folded in:

        output = (inputs - running_mean) * (weights / √(running_variance + epsilon)) + biases

    The mean could go into the biases too, but where it is large that would cost digits.
    """
    if kind is Dense:
        return {"weights": operation.weights, "biases": operation.biases[0]}
    if kind is BatchNormalization:
        variance = operation.running_variance.astype(np.float64) + operation.epsilon
        return {
            "mean": operation.running_mean[0],
            "weights": (operation.weights / np.sqrt(variance))[0],
            "biases": operation.biases[0],
        }
    return {name: getattr(operation, name) for name in constructor_arguments(kind)}


# Reading


def _dense(weights: Array, biases: Array | float = 0.0, transposed: int = 0) -> list[Operation]:
    return [dense(weights.T if transposed else weights, biases)]


def _folded(mean: Array, weights: Array, biases: Array) -> list[Operation]:
    layer = batch_normalization(weights, biases, mean, np.ones_like(mean))
    layer.running_variance -= layer.epsilon  # so that it divides by 1
    return [layer]


def _unfolded(**found: Any) -> list[Operation]:
    return [batch_normalization(**found)]


def _both_classes() -> list[Operation]:
    # The sigmoid of a number is the softmax of 0 and that number.
    return [dense(np.array([[0, 1]], dtype=np.float32)), Softmax()]


def _plainly(kind: type[Operation]) -> Builder:
    return lambda **found: [kind(**{name: _number(value) for name, value in found.items()})]


def _number(value: Array | float) -> float:
    array = np.asarray(value)
    if array.shape not in ((), (1,)):
        raise ValueError(f"expected one number, received shape {array.shape}")
    return shortest(array.reshape(-1)[0])


def shortest(number: np.generic) -> float:
    """Return the float with the fewest digits that is ``number`` in its dtype: 0.1, say."""
    return float(str(number))


CUBES = [node("Mul", X, node("Mul", X, X)), node("Pow", X, 3.0)]
ONE_PLUS_TANH = [
    node("Add", 1.0, node("Tanh", node("Mul", SCALE, node("Add", X, node("Mul", CUBIC, cube)))))
    for cube in CUBES
]

# What else PyTorch and scikit-learn write, and what the operations of this framework are then.
FOREIGN: list[tuple[Node, Builder]] = [
    (node("Gemm", X, WEIGHTS, BIASES, **GEMM, transB=Argument("transposed")), _dense),
    (node("Gemm", X, WEIGHTS, **GEMM, transB=Argument("transposed")), _dense),
    (node("Add", node("MatMul", X, WEIGHTS), BIASES), _dense),
    (node("MatMul", X, WEIGHTS), _dense),
    (
        node(
            "BatchNormalization",
            *(X, WEIGHTS, BIASES, MEAN, Argument("variance")),
            epsilon=Argument("epsilon"),
            momentum=Argument("momentum"),
            training_mode=0,  # since operator set 14
            spatial=1,  # until operator set 8
        ),
        _unfolded,
    ),
    (PLAIN_SOFTMAX, _plainly(Softmax)),
    # Above 20, the softplus of a number is that number, to 3e-9.
    (node("Where", node("Greater", X, 20.0), X, node("Softplus", X)), _plainly(Softplus)),
    *((node("Mul", 0.5, node("Mul", X, part)), _plainly(GELU)) for part in ONE_PLUS_TANH),
    *((node("Mul", X, node("Mul", 0.5, part)), _plainly(GELU)) for part in ONE_PLUS_TANH),
    # Both probabilities of a classifier of two classes.
    (
        node("Concat", node("Sub", 1.0, node("Sigmoid", X)), node("Sigmoid", X), axis=1),
        _both_classes,
    ),
]


def forms_to_read() -> dict[str, list[tuple[Node, Builder]]]:
    """Return every form with its builder, by its last operator, the largest forms first."""
    special: dict[type[Operation], Builder] = {Dense: _dense, BatchNormalization: _folded}
    forms = list(FOREIGN)
    for written in (WRITTEN, WRITTEN_IN_FLOAT64):
        forms += [(form, special.get(kind, _plainly(kind))) for kind, form in written.items()]
    found: dict[str, list[tuple[Node, Builder]]] = {}
    for form, builder in sorted(forms, key=lambda entry: -entry[0].size):
        found.setdefault(form.operator, []).append((form, builder))
    return found
