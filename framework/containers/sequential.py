"""Operations one after the other: forward in order, backward in reverse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import is_
from reprlib import recursive_repr
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.checks import check_dtype
from framework.containers.arrays import (
    common_dtype,
    copied_parameters,
    dtype_of_arrays,
    set_parameters,
)
from framework.containers.calls import (
    LeafPass,
    as_inputs,
    leaf_passes,
    lined_up,
    run_backward,
    run_forward,
)
from framework.containers.container import (
    Container,
    checked_operations,
    containers,
    frozen_paths,
    leaves,
    numbered,
    untrained_inside,
)
from framework.containers.shapes import shapes_along
from framework.operation import Shape, describe
from framework.parameters import ParameterVector, bind, state_names, untrained_names
from framework.utils.warnings import warn_user
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names, trained_names


class Sequential(Container):
    """Operations one after the other, as one operation.

        output  = fₙ(… f₂(f₁(inputs)))
        dinputs = f₁'(… fₙ'(dvalues)), by the chain rule

    Any object with ``forward`` and ``backward`` that store ``output`` and ``dinputs`` can be an
    operation, another ``Sequential`` too; if it has ``weights`` and ``dweights``, it is trained.
    One that is itself made of operations derives from ``Container``, or from this class.

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
        # The containers inside, and this one, each with its operations at the last ``finalize``.
        self._arrangement: list[tuple[Container, list[Any]]] = []
        self._frozen: list[str] = []
        self._append(operations)

    @recursive_repr("Sequential([...])")
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
            ValueError: there are no operations, here or in a ``Sequential`` inside; one stands in
                two places; neighbours do not fit; the operations' dtypes differ and no dtype was
                given.

        Warns of operations with parameters that nothing trains, since they are in an attribute of
        an operation that is no ``Container``.
        """
        self._check_arrangement()
        self.output_shapes()
        dtype = self._common_dtype()
        frozen = frozen_paths(self)
        if not self.finalized or self.dtype != dtype or frozen != self._frozen:
            self._frozen = frozen
            self._parameters = ParameterVector(self.leaves(), dtype)
            self._arrangement = [(one, list(_operations_of(one))) for one in containers(self)]
            self._warn_of_untrained()
        for leaf in self.leaves():
            if hasattr(leaf, "convert_state"):
                leaf.convert_state(dtype)
            else:
                for name in untrained_names(leaf):
                    bind(leaf, name, getattr(leaf, name).astype(dtype))

    @property
    def finalized(self) -> bool:
        """Whether ``finalize`` has been called, and no operation was added or removed since."""
        return self._parameters is not None and self._is_arranged_as_finalized()

    @property
    def parameters(self) -> ParameterVector:  # type: ignore[override]
        """All parameters in one vector: ``optimizer.update_params(model.parameters)``."""
        if self._parameters is None:
            raise RuntimeError(f"the {self._name} is not finalized: call finalize() first")
        if not self._is_arranged_as_finalized():
            raise RuntimeError(
                f"the {self._name} is not finalized: its operations changed, so call finalize() "
                "again"
            )
        return self._parameters

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the computation."""
        if not self.finalized:
            return self._common_dtype()
        # Inside another network the arrays are a part of its vector, in its dtype.
        own = dtype_of_arrays(leaf for _, leaf in leaves(self.children()))
        return own or self.parameters.dtype

    @property
    def trained_layers(self) -> list[Any]:
        """The operations that have parameters, in order, those inside containers included.

        Frozen ones are left out: see ``Operation.trainable``.
        """
        return [leaf for leaf in self.leaves() if trained_names(leaf)]

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

    def leaf_passes(self, inputs: ArrayLike) -> list[LeafPass]:
        """Run every operation on ``inputs``, not in training, and return the pass of each.

        Those inside a ``Sequential`` take its place, and those of a ``Residual`` come before it,
        unless it has a ``forward`` of its own.
        """
        return leaf_passes(self.layers, as_inputs(inputs, self.dtype if self.finalized else None))

    def leaf_outputs(self, inputs: ArrayLike) -> list[Array]:
        """Return the output of each operation: see ``leaf_passes``."""
        return [one.output for one in self.leaf_passes(inputs)]

    def passes_inside(self, values: Array) -> list[LeafPass] | None:
        """Return ``leaf_passes`` as a part of another container, which ``calls`` opens."""
        kind = type(self)
        runs_in_order = kind.forward is Sequential.forward
        runs_in_order |= kind.forward_inside is not Sequential.forward_inside
        return leaf_passes(self.layers, values) if runs_in_order else None

    def backward(self, dvalues: ArrayLike) -> Array:
        dinputs = run_backward(self.layers, np.asarray(dvalues))
        self.dinputs = dinputs
        return dinputs

    def forward_inside(self, values: Array, training: bool) -> Array:
        """Run ``forward`` as a part of another operation, and store ``output``."""
        return self.forward(values, training)

    def backward_inside(self, dvalues: Array) -> Array:
        """Run ``backward`` as a part of another operation, and store ``dinputs``."""
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
        return self.shapes_inside(input_shape, lambda: "these are the data")

    def shapes_inside(self, input_shape: Shape, origin: Callable[[], str]) -> list[Shape]:
        """Return ``output_shapes`` as a part of another container: see ``shapes_along``."""
        return shapes_along(self.layers, input_shape, origin)

    # Taking it apart

    def get_parameters(self) -> list[tuple[Array, ...]]:
        """Return copies of all parameters: a tuple for each operation that has any.

        ``(weights, biases)`` for a ``Dense``; arrays that are state but not trained, such as
        running statistics, follow the trained ones.
        """
        return copied_parameters(self.leaves())

    def set_parameters(self, parameters: Sequence[Sequence[ArrayLike]]) -> None:
        """Set all parameters to those that ``get_parameters`` of an equal network returned.

        Raises ValueError if anything does not fit; nothing has changed then.
        """
        set_parameters(self.leaves(), parameters, self._name)

    def stored_arrays(self) -> list[Array]:
        """Return all parameters in one vector, then the state of each operation."""
        return [
            self.parameters.weights,
            *(getattr(leaf, name) for leaf in self.leaves() for name in state_names(leaf)),
        ]

    def frozen_arrays(self) -> list[Array]:
        """Return the parameters of the operations that are frozen: see ``Operation.trainable``."""
        return [
            getattr(leaf, name)
            for leaf in self.leaves()
            if not trained_names(leaf)
            for name in parameter_names(leaf)
        ]

    def check_frozen(self) -> None:
        """Raise RuntimeError if ``trainable`` of an operation was changed since ``finalize``."""
        if frozen_paths(self) != self._frozen:
            raise RuntimeError(
                f"the {self._name} is not finalized: trainable of an operation was changed, so "
                "call finalize() again"
            )

    # Details

    def _append(self, operations: Iterable[Any]) -> None:
        # Collected once for all of them, since a file may have many thousands.
        present = {id(leaf): path for path, leaf in leaves(self.children(), inside=(self,))}
        for operation in checked_operations("operations", operations):
            new = dict(leaves({str(len(self.layers)): operation}, inside=(self,)))
            for leaf in new.values():
                self._check_place(leaf, present)
            present |= {id(leaf): path for path, leaf in new.items()}
            self.layers.append(operation)

    def _check_arrangement(self) -> None:
        """Raise ValueError for an operation in two places, or a ``Sequential`` without any."""
        if not self.layers:
            raise ValueError(f"the {self._name} has no operations: add some before finalize()")
        present: dict[int, str] = {}
        for path, leaf in leaves(self.children(), inside=(self,)):
            self._check_place(leaf, present)
            present[id(leaf)] = path
        for one in containers(self):
            if isinstance(one, Sequential) and not one.layers:
                raise ValueError(
                    f"{describe(one)}, inside the {self._name}, has no operations: add some before "
                    "finalize()"
                )

    def _check_place(self, leaf: Any, present: Mapping[int, str]) -> None:
        if id(leaf) in present:
            raise ValueError(
                f"{describe(leaf)} is already operation {_counted(present[id(leaf)])} of "
                f"the {self._name}; each place needs an object of its own"
            )

    def _is_arranged_as_finalized(self) -> bool:
        # Asked for several times in a step.
        for container, before in self._arrangement:
            now = _operations_of(container)
            if len(now) != len(before) or not all(map(is_, now, before)):
                return False
        return True

    def _warn_of_untrained(self) -> None:
        for leaf in self.leaves():
            for name, inner in untrained_inside(leaf, self.parameters):
                warn_user(
                    f"nothing trains {describe(inner)}, which is in the attribute {name} of "
                    f"{describe(leaf)}: derive {type(leaf).__name__} from framework.Container and "
                    "return it from children()"
                )

    @property
    def _name(self) -> str:
        """Name of this kind of container in messages."""
        return type(self).__name__.lower()

    def _common_dtype(self) -> np.dtype[Any]:
        if self._requested_dtype is not None:
            return self._requested_dtype
        return common_dtype(self.leaves(), type(self).__name__)


def _operations_of(container: Container) -> list[Any]:
    if isinstance(container, Sequential):
        return container.layers
    return list(container.children().values())


def _counted(path: str) -> str:
    """A path with positions from 1: "2.0" is operation 3.1."""
    return ".".join(str(int(name) + 1) if name.isdecimal() else name for name in path.split("."))
