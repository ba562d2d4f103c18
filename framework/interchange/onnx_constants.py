"""The values in an ONNX graph that do not depend on the data.

They are in the file, or are computed from such values, or from the shapes of others: what PyTorch
writes for ``x.view(x.size(0), -1)`` takes the shape of ``x`` apart. Each is computed when it is
asked for. The number of samples is ``SAMPLES`` there, whatever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from framework.errors import OnnxError
from framework.interchange.onnx_nodes import GraphNode
from optimizers.arrays import Array

Function: TypeAlias = Callable[..., Any]

# Stand for the number of samples, and for sizes that are not known. Anything that is computed
# with them is no possible size.
SAMPLES = -7_000_000_001
UNKNOWN = -7_000_000_003

# A small file could demand any number of values.
FEW = 100_000


class Constants:
    """The constants of a graph by name.

    Args:
        stored: those in the file; None for one of a type that no operation here has.

    Attributes:
        stored: how many numbers are in the file.
    """

    def __init__(self, stored: Mapping[str, Array | None]) -> None:
        self._arrays: dict[str, Array | None] = {}
        self._nodes: dict[str, GraphNode] = {}
        self._shapes: dict[str, Array] = {}
        self._left = FEW
        self.stored = 0
        for name, array in stored.items():
            self.store(name, array)

    def __contains__(self, name: str) -> bool:
        return name in self._arrays or name in self._nodes

    def store(self, name: str, array: Array | None) -> None:
        """Add a constant that is in the file."""
        self._arrays[name] = array
        self.stored += 0 if array is None else array.size
        self._left += 0 if array is None else 16 * array.size

    def compute(self, name: str, node: GraphNode) -> None:
        """Add a constant that ``node`` computes from others, or from the shape of a value."""
        self._nodes[name] = node

    def measure(self, name: str, sizes: Sequence[int | None]) -> None:
        """Tell the sizes of a sample of a value that depends on the data."""
        known = [UNKNOWN if size is None else size for size in sizes]
        self._shapes[name] = np.array([SAMPLES, *known])

    def array(self, name: str) -> Array | None:
        """Return a constant, None if it is not known, or not yet."""
        if name not in self._arrays and name in self._nodes:
            found = self._computed(self._nodes[name])
            if found is None:
                return None
            self._left -= found.size
            if self._left < 0:
                raise OnnxError(
                    "it computes more numbers from those in the file than a network has"
                )
            self._arrays[name] = found
        return self._arrays.get(name)

    def _computed(self, node: GraphNode) -> Array | None:
        function = FUNCTIONS.get(node.operator)
        if function is None or node.attributes is None or node.domain:
            return None
        if node.operator == "Shape":
            operands = [self._shape(node.inputs[0])]
        else:
            operands = [self.array(name) if name else None for name in node.inputs]
            if sum(array is None for array in operands) > node.inputs.count(""):
                return None
        largest = max((array.size for array in operands if array is not None), default=0)
        try:
            with np.errstate(all="ignore"):  # a Where may choose another number
                return np.asarray(function(FEW + 16 * largest, node.attributes, *operands))
        except (ArithmeticError, IndexError, TypeError, ValueError):
            return None

    def _shape(self, name: str) -> Array | None:
        if name in self:
            array = self.array(name)
            return None if array is None else np.array(array.shape)
        return self._shapes.get(name)


# Each function is given the largest size that its result may have, the attributes and operands.


def _elementwise(ufunc: Function) -> Function:
    def function(largest: int, attributes: Any, *operands: Array) -> Array:
        _check(largest, np.broadcast_shapes(*(operand.shape for operand in operands)))
        return ufunc(*operands)

    return function


def _divide(one: Array, other: Array) -> Array:
    whole = np.issubdtype(one.dtype, np.integer) and np.issubdtype(other.dtype, np.integer)
    return np.trunc(one / other).astype(one.dtype) if whole else one / other


def _cast(largest: int, attributes: Any, operand: Array) -> Array:
    return operand.astype(DTYPES[attributes["to"]])


def _shape_of(largest: int, attributes: Any, shape: Array) -> Array:
    return shape[attributes.get("start", 0) : attributes.get("end")]


def _gather(largest: int, attributes: Any, operand: Array, positions: Array) -> Array:
    axis = attributes["axis"]
    _check(largest, (*positions.shape, operand.size // operand.shape[axis]))
    return np.take(operand, positions, axis=axis)


def _concat(largest: int, attributes: Any, *operands: Array) -> Array:
    _check(largest, [sum(operand.size for operand in operands)])
    return np.concatenate(operands, axis=attributes["axis"])


def _filled(largest: int, attributes: Any, shape: Array) -> Array:
    _check(largest, shape.tolist())
    value = attributes.get("value", np.zeros(1, np.float32))
    return np.full(shape.tolist(), value.reshape(-1)[0])


def _slice(
    largest: int,
    attributes: Any,
    operand: Array,
    starts: Array | None = None,
    ends: Array | None = None,
    axes: Array | None = None,
    steps: Array | None = None,
) -> Array:
    first = attributes["starts"] if starts is None else starts.tolist()
    last = attributes["ends"] if ends is None else ends.tolist()
    chosen = attributes.get("axes") if axes is None else axes.tolist()
    by = [1] * len(first) if steps is None else steps.tolist()
    slices = [slice(None)] * operand.ndim
    for axis, *numbers in zip(chosen or range(len(first)), first, last, by, strict=True):
        slices[axis] = slice(*numbers)
    return operand[tuple(slices)]


def _axes(attributes: Any, operand: Array | None) -> Any:
    found = attributes.get("axes") if operand is None else operand.reshape(-1).tolist()
    return None if found is None else tuple(found)


def _squeeze(largest: int, attributes: Any, operand: Array, axes: Array | None = None) -> Array:
    return np.squeeze(operand, _axes(attributes, axes))


def _unsqueeze(largest: int, attributes: Any, operand: Array, axes: Array | None = None) -> Array:
    return np.expand_dims(operand, _axes(attributes, axes))


def _reshape(largest: int, attributes: Any, operand: Array, shape: Array) -> Array:
    sizes = shape.tolist()
    if not attributes.get("allowzero"):
        sizes = [operand.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return operand.reshape(sizes)


def _transpose(largest: int, attributes: Any, operand: Array) -> Array:
    return operand.transpose(attributes.get("perm"))


def _same(largest: int, attributes: Any, operand: Array) -> Array:
    return operand


def _check(largest: int, shape: Sequence[int]) -> None:
    if np.prod([float(size) for size in shape]) > largest:
        raise ValueError


# The types of ONNX's tensors.
DTYPES = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 10: "float32", 11: "float64"}

FUNCTIONS: dict[str, Function] = {
    "Identity": _same,
    "Cast": _cast,
    "Shape": _shape_of,
    "ConstantOfShape": _filled,
    "Gather": _gather,
    "Slice": _slice,
    "Concat": _concat,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Add": _elementwise(np.add),
    "Sub": _elementwise(np.subtract),
    "Mul": _elementwise(np.multiply),
    "Div": _elementwise(_divide),
    "Mod": _elementwise(np.mod),
    "Neg": _elementwise(np.negative),
    "Sqrt": _elementwise(np.sqrt),
    "Reciprocal": _elementwise(np.reciprocal),
    "Exp": _elementwise(np.exp),
    "Floor": _elementwise(np.floor),
    "Ceil": _elementwise(np.ceil),
    "Greater": _elementwise(np.greater),
    "Where": _elementwise(np.where),
}
