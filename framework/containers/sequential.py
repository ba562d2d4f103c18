"""Operations one after the other: forward in order, backward in reverse."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.checks import as_array, check_dtype
from framework.containers.calls import call, training_argument
from framework.containers.container import Container, is_trained, leaves, numbered
from framework.operation import LastAxis, Shape, describe, not_stored
from framework.parameters import ParameterVector, bind, state_names, stored_names
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names

# How the forward of a Sequential is called, among those of ``training_argument``.
SEQUENTIAL = "sequential"


class Sequential(Container):
    """Operations one after the other, as one operation.

        output  = fₙ(… f₂(f₁(inputs)))
        dinputs = f₁'(… fₙ'(dvalues)), by the chain rule

    Any object with ``forward`` and ``backward`` that store ``output`` and ``dinputs`` can be an
    operation, another ``Sequential`` too; if it has ``weights`` and ``dweights``, it is trained.

    Shapes: those of the first operation's inputs and of the last one's output.

    Args:
        operations: the operations in order; more can be added with ``add``.
        dtype: float32 or float64, in which everything is computed. None takes the dtype of the
            operations, which must agree.

    Attributes:
        layers: the operations in order, the very objects that were given.
        parameters: all parameters in one vector (see ``ParameterVector``), after ``finalize``.
            It is not needed inside another container, whose vector has them.

    Raises as ``add``.

    Source: *Neural Networks from Scratch*, chapter 18.

    >>> from framework import Dense, ReLU
    >>> hidden = Sequential([Dense(2, 64), ReLU()])
    >>> network = Sequential([hidden, Dense(64, 3)])
    >>> network.forward(np.zeros((5, 2))).shape
    (5, 3)
    >>> network.backward(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(self, operations: Iterable[Any] = (), *, dtype: DTypeLike | None = None) -> None:
        self.layers: list[Any] = []
        self._requested_dtype = None if dtype is None else check_dtype(dtype)
        self._parameters: ParameterVector | None = None
        self._finalized_layers: list[Any] = []
        self._append(operations)

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join(map(describe, self.layers))}])"

    def configuration(self) -> dict[str, Any]:
        dtype = self._requested_dtype
        return {"operations": list(self.layers), "dtype": None if dtype is None else dtype.name}

    # Putting it together

    def add(self, operation: Any) -> None:
        """Add ``operation`` at the end. ``finalize`` has to be called (again) afterwards.

        Raises:
            TypeError: it has no ``forward`` or no ``backward``.
            ValueError: the same object is in here already.
        """
        self._append([operation])

    def finalize(self) -> None:
        """Check that the operations fit each other and move their parameters into one vector.

        Raises:
            ValueError: there are no operations; neighbours do not fit; the operations' dtypes
                differ and no dtype was given.
        """
        if not self.layers:
            raise ValueError(f"the {self._name} has no operations: add some before finalize()")
        self.output_shapes()
        dtype = self._common_dtype()
        if not self.finalized or self.dtype != dtype:
            self._parameters = ParameterVector(self.leaves(), dtype)
            self._finalized_layers = list(self.layers)
        for leaf in self.leaves():
            for name in state_names(leaf):
                bind(leaf, name, getattr(leaf, name).astype(dtype))

    @property
    def finalized(self) -> bool:
        """Whether ``finalize`` has been called, and ``layers`` has not changed since."""
        return self._parameters is not None and self.layers == self._finalized_layers

    @property
    def parameters(self) -> ParameterVector:  # type: ignore[override]
        """All parameters in one vector: ``optimizer.update_params(model.parameters)``."""
        if self._parameters is None:
            raise RuntimeError(f"the {self._name} is not finalized: call finalize() first")
        if self.layers != self._finalized_layers:
            raise RuntimeError(
                f"the {self._name} is not finalized: its operations changed, so call finalize() "
                "again"
            )
        return self._parameters

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the computation."""
        return self.parameters.dtype if self.finalized else self._common_dtype()

    @property
    def trained_layers(self) -> list[Any]:
        """The operations that have parameters, in order, those inside containers included."""
        return [leaf for leaf in self.leaves() if parameter_names(leaf)]

    def children(self) -> Mapping[str, Any]:
        return numbered(self.layers)

    def leaves(self) -> list[Any]:
        """Return all operations that are no containers, in order, those inside containers too."""
        return [operation for _, operation in leaves(self.children())]

    # Running it

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        dtype = self.dtype if self.finalized else None
        output = run_forward(lined_up(self.layers), as_inputs(inputs, dtype), training)
        self.output = output
        return output

    def leaf_outputs(self, inputs: ArrayLike) -> list[Array]:
        """Run every operation on ``inputs``, not in training, and return the output of each.

        Those inside a ``Sequential`` take its place.
        """
        values = as_inputs(inputs, self.dtype if self.finalized else None)
        outputs: list[Array] = []
        for layer, argument in lined_up(self.layers):
            if argument == SEQUENTIAL:
                outputs += layer.leaf_outputs(values)
            else:
                outputs.append(call(layer, argument, values, training=False))
            values = outputs[-1]
        return outputs

    def backward(self, dvalues: ArrayLike) -> Array:
        dinputs = run_backward(self.layers, np.asarray(dvalues))
        self.dinputs = dinputs
        return dinputs

    def forward_inside(self, values: Array, training: bool) -> Array:
        """Run ``forward`` as a part of another container."""
        return self.forward(values, training)

    def backward_inside(self, dvalues: Array) -> Array:
        """Run ``backward`` as a part of another container."""
        return self.backward(dvalues)

    # Shapes

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.output_shapes(input_shape)[-1] if self.layers else input_shape

    def output_shapes(self, input_shape: Shape = None) -> list[Shape]:
        """Return the shape of one output sample of each operation, None where not known.

        Args:
            input_shape: the shape of one sample of the data, if known.

        Raises ValueError, naming both neighbours, where an operation cannot take its inputs.
        """
        return self._output_shapes(input_shape, lambda: "these are the data")

    def _output_shapes(self, input_shape: Shape, origin: Callable[[], str]) -> list[Shape]:
        shape = input_shape
        shapes: list[Shape] = []
        for position, layer in enumerate(self.layers):
            before = partial(self._origin, position, shape) if position else origin
            if isinstance(layer, Sequential):
                shape = [shape, *layer._output_shapes(shape, before)][-1]
            else:
                try:
                    shape = _shape_after(layer, shape)
                except ValueError as error:
                    received = text_of_shape(shape)
                    raise ValueError(f"{error}, received {received}: {before()}") from None
            shapes.append(shape)
        return shapes

    def _origin(self, position: int, shape: Shape) -> str:
        before = self.layers[position - 1]
        size = f"{shape[0]} values" if shape and len(shape) == 1 else f"shape {shape}"
        source = next(
            (layer for layer in reversed(self.layers[:position]) if is_trained(layer)), before
        )
        after = "" if source is before else f", after {describe(source)}"
        return f"the operation before it, {describe(before)}{after}, gives {size} per sample"

    # Taking it apart

    def get_parameters(self) -> list[tuple[Array, ...]]:
        """Return copies of all parameters: a tuple for each operation that has any.

        ``(weights, biases)`` for a ``Dense``; arrays that are state but not trained, such as
        running statistics, follow the trained ones.
        """
        return [
            tuple(getattr(layer, name).copy() for name in names)
            for layer, names in self._stored_names()
        ]

    def set_parameters(self, parameters: Sequence[Sequence[ArrayLike]]) -> None:
        """Set all parameters to those that ``get_parameters`` of an equal network returned.

        Raises ValueError if anything does not fit; nothing has changed then.
        """
        stored = self._stored_names()
        if len(parameters) != len(stored):
            raise ValueError(
                f"the {self._name} has {len(stored)} operations with parameters, "
                f"received parameters for {len(parameters)}"
            )
        new = []
        for (layer, names), arrays in zip(stored, parameters, strict=True):
            if len(arrays) != len(names):
                raise ValueError(
                    f"{describe(layer)} has {len(names)} arrays ({', '.join(names)}), "
                    f"received {len(arrays)}"
                )
            for name, values in zip(names, arrays, strict=True):
                array = as_array(values, name)
                if array.shape != getattr(layer, name).shape:
                    raise ValueError(
                        f"{describe(layer)}: {name} has shape {getattr(layer, name).shape}, "
                        f"received {array.shape}"
                    )
                new.append((getattr(layer, name), array))
        for current, array in new:
            current[...] = array

    def stored_arrays(self) -> list[Array]:
        """Return all parameters in one vector, then the state of each operation."""
        return [
            self.parameters.weights,
            *(getattr(leaf, name) for leaf in self.leaves() for name in state_names(leaf)),
        ]

    # Details

    def _append(self, operations: Iterable[Any]) -> None:
        # Collected once for all of them, since a file may have many thousands.
        present = {id(leaf): path for path, leaf in leaves(self.children())}
        for operation in operations:
            for method in ("forward", "backward"):
                if isinstance(operation, type) or not callable(getattr(operation, method, None)):
                    raise TypeError(
                        "an operation needs forward and backward methods, received "
                        f"{describe(operation)}"
                    )
            new = dict(leaves({str(len(self.layers)): operation}))
            for leaf in new.values():
                if id(leaf) in present:
                    raise ValueError(
                        f"{describe(leaf)} is already operation {_counted(present[id(leaf)])} of "
                        f"the {self._name}; each place needs an object of its own"
                    )
            present |= {id(leaf): path for path, leaf in new.items()}
            self.layers.append(operation)

    @property
    def _name(self) -> str:
        """Name of this kind of container in messages."""
        return type(self).__name__.lower()

    def _stored_names(self) -> list[tuple[Any, tuple[str, ...]]]:
        stored = [(leaf, stored_names(leaf)) for leaf in self.leaves()]
        return [(leaf, names) for leaf, names in stored if names]

    def _common_dtype(self) -> np.dtype[Any]:
        if self._requested_dtype is not None:
            return self._requested_dtype
        # Operations that declare a dtype decide; arrays of the others follow.
        operations = self.leaves()
        found = {check_dtype(leaf.dtype): leaf for leaf in operations if hasattr(leaf, "dtype")}
        if len(found) > 1:
            (one, first), (other, second) = list(found.items())[:2]
            raise ValueError(
                f"{describe(first)} is {one} but {describe(second)} is {other}: give both the "
                f"same dtype, or the {self._name}: "
                f"{type(self).__name__}(..., dtype=...)"
            )
        arrays = [getattr(leaf, name) for leaf, names in self._stored_names() for name in names]
        return next(iter(found)) if found else np.result_type(np.float32, *arrays)


def as_inputs(values: ArrayLike, dtype: np.dtype[Any] | None) -> Array:
    """Return ``values`` as an array of ``dtype``, or of their own without one."""
    array = values if type(values) is np.ndarray else as_array(values, "inputs")
    return array if dtype is None else array.astype(dtype, copy=False)


def lined_up(operations: Iterable[Any]) -> list[tuple[Any, str]]:
    """Return the operations, each with how its ``forward`` is told the mode."""
    return [
        (layer, SEQUENTIAL if isinstance(layer, Sequential) else training_argument(layer))
        for layer in operations
    ]


def run_forward(calls: Iterable[tuple[Any, str]], values: Array, training: bool) -> Array:
    """Run the operations of ``lined_up`` in order and return the last output."""
    for layer, argument in calls:
        if argument == SEQUENTIAL:
            values = layer.forward_inside(values, training)
        else:
            values = call(layer, argument, values, training)
    return values


def run_backward(operations: Sequence[Any], dvalues: Array) -> Array:
    """Go back through the operations in reverse and return the last ``dinputs``.

    Raises ValueError for an operation that stores none.
    """
    for layer in reversed(operations):
        if isinstance(layer, Sequential):
            dvalues = layer.backward_inside(dvalues)
        else:
            layer.backward(dvalues)
            dinputs: Array | None = getattr(layer, "dinputs", None)
            if dinputs is None:
                raise not_stored(layer, "dinputs", "backward")
            dvalues = dinputs
    return dvalues


def _shape_after(operation: Any, shape: Shape) -> Shape:
    """Return what ``operation.output_shape(shape)`` says, None where it cannot say anything.

    Raises TypeError unless that is the shape of one sample, or None.
    """
    output_shape = getattr(operation, "output_shape", None)
    if not callable(output_shape):
        return None
    try:
        said = output_shape(shape)
    except TypeError:
        if shape is None:
            return None  # a user's own operation need not be ready for an unknown shape
        raise
    if said is None:
        return None
    try:
        sizes = tuple(operator.index(size) for size in said)
    except TypeError:
        raise TypeError(
            f"{describe(operation)}: output_shape must return the shape of one sample, such as "
            f"(64,), or None, received {said!r}"
        ) from None
    return LastAxis(sizes) if isinstance(said, LastAxis) else sizes


def text_of_shape(shape: Shape) -> str:
    """Return the shape of a batch of such samples, as messages and tables show it."""
    return "(samples, …)" if shape is None else f"(samples, {', '.join(map(str, shape))})"


def _counted(path: str) -> str:
    """A path with positions from 1: "2.0" is operation 3.1."""
    return ".".join(str(int(name) + 1) if name.isdecimal() else name for name in path.split("."))
