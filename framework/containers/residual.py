"""Residual connection: what operations compute is added to their inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from reprlib import recursive_repr
from typing import Any

from numpy.typing import ArrayLike

from framework.checks import as_dvalues, as_floats
from framework.containers.arrays import dtype_of_arrays
from framework.containers.calls import LeafPass, leaf_passes, lined_up, run_backward, run_forward
from framework.containers.container import Container, checked_operations, leaves
from framework.containers.shapes import shapes_along, text_of_shape
from framework.operation import LastAxis, Shape, describe
from optimizers.arrays import Array


class Residual(Container):
    """Adds what operations make of their inputs to the inputs themselves, or to a shortcut.

    With F the ``operations`` one after the other, and S those of the ``shortcut``:

        output  = F(inputs) + S(inputs)
        dinputs = F'(dvalues) + S'(dvalues)

    Without operations of its own the shortcut is the inputs, ``S(inputs) = inputs``, and so
    ``S'(dvalues) = dvalues``. A shortcut that computes something is for an F that changes the
    shape: a ``Dense``, or a ``Conv2D`` with a kernel of 1 and the same stride.

    Where the gradient comes from: the output is a sum, so it moves as far as each of its two terms
    does, and both branches are given ``dvalues`` as they are; their parameters get the gradients
    that follow from it. The inputs go into both branches, so a change of them has an effect
    through each, and by the chain rule the two gradients add up. Whatever F is, ``dvalues`` itself
    is one of them where the shortcut is the inputs. So the gradient reaches the operations before
    undiminished, through any number of such blocks, which is why deep networks are made of them.

    Shapes: ``inputs`` and ``dinputs`` are what both branches take, ``(samples, ...)``; ``output``
    and ``dvalues`` are what both give, which must be one and the same shape: nothing is broadcast.

    Args:
        operations: at least one. They can be of any kind, another ``Residual`` too.
        shortcut: operations, or none for the inputs themselves.

    Raises:
        TypeError: one of them has no ``forward`` or no ``backward``.
        ValueError: there are no operations; at ``finalize``, or in ``forward``, the branches give
            different shapes. The message names both.

    Source: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.

    >>> import numpy as np
    >>> from framework import BatchNormalization, Conv2D, Dense, ReLU
    >>> dense = Dense(2, 2)
    >>> dense.weights = [[1.0, 2.0], [3.0, 4.0]]
    >>> residual = Residual([dense])
    >>> residual.forward([[1.0, 10.0]])  # [31, 42] + [1, 10]
    array([[32., 52.]], dtype=float32)
    >>> residual.backward([[1.0, -1.0]])  # dvalues · weightsᵀ = [-1, -1], + [1, -1]
    array([[ 0., -2.]], dtype=float32)

    A block that halves the height and the width of images, and its shortcut:

    >>> block = Residual(
    ...     [
    ...         Conv2D(8, 16, 3, stride=2, padding="same"),
    ...         BatchNormalization(16),
    ...         ReLU(),
    ...         Conv2D(16, 16, 3, padding="same"),
    ...         BatchNormalization(16),
    ...     ],
    ...     shortcut=[Conv2D(8, 16, 1, stride=2)],
    ... )
    >>> block.forward(np.zeros((4, 28, 28, 8))).shape
    (4, 14, 14, 16)
    """

    def __init__(self, operations: Iterable[Any], *, shortcut: Iterable[Any] = ()) -> None:
        self.operations = checked_operations("operations", operations)
        self.shortcut = checked_operations("shortcut", shortcut)
        if not self.operations:
            raise ValueError("operations must be at least one, received none")

    @recursive_repr("Residual([...])")
    def __repr__(self) -> str:
        branches = [", ".join(map(describe, branch)) for branch in (self.operations, self.shortcut)]
        shortcut = f", shortcut=[{branches[1]}]" if self.shortcut else ""
        return f"{type(self).__name__}([{branches[0]}]{shortcut})"

    def children(self) -> Mapping[str, Any]:
        return {
            f"{branch}.{position}": operation
            for branch in ("operations", "shortcut")
            for position, operation in enumerate(getattr(self, branch))
        }

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        values = self._as_inputs(inputs)
        computed = run_forward(lined_up(self.operations), values, training)
        passed = run_forward(lined_up(self.shortcut), values, training)
        self.output = output = self._sum(values, computed, passed)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        computed = run_backward(self.operations, dvalues)
        self.dinputs = dinputs = computed + run_backward(self.shortcut, dvalues)
        return dinputs

    def passes_inside(self, values: Array) -> list[LeafPass] | None:
        """Return the passes of both branches and their sum: see ``calls.leaf_passes``."""
        if type(self).forward is not Residual.forward:
            return None
        values = self._as_inputs(values)
        computed, shortcut = (
            leaf_passes(self.operations, values),
            leaf_passes(self.shortcut, values),
        )
        passed = shortcut[-1].output if shortcut else values
        output = self._sum(values, computed[-1].output, passed)
        return [*computed, *shortcut, LeafPass(self, values, output)]

    # Shapes

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.shapes_inside(input_shape, lambda: "these are the inputs")[-1]

    def shapes_inside(self, input_shape: Shape, origin: Callable[[], str]) -> list[Shape]:
        """Return the shape of an output sample: see ``shapes_along``."""
        computed, passed = (
            [input_shape, *shapes_along(branch, input_shape, origin)][-1]
            for branch in (self.operations, self.shortcut)
        )
        if not _agree(computed, passed):
            raise ValueError(f"{self._different(input_shape, computed, passed)}: {origin()}")
        known = [shape for shape in (computed, passed) if shape is not None]
        return [min(known, key=lambda shape: isinstance(shape, LastAxis), default=None)]

    # Details

    def _as_inputs(self, inputs: ArrayLike) -> Array:
        """Return ``inputs`` as floats, in the dtype of the parameters, since they may be added."""
        values = as_floats(inputs)
        dtype = dtype_of_arrays(leaf for _, leaf in leaves(self.children()))
        return values if dtype is None else values.astype(dtype, copy=False)

    def _sum(self, inputs: Array, computed: Array, passed: Array) -> Array:
        if computed.shape != passed.shape:
            raise self._different(inputs.shape[1:], computed.shape[1:], passed.shape[1:])
        return computed + passed

    def _different(self, inputs: Shape, computed: Shape, passed: Shape) -> ValueError:
        received, first, second = map(text_of_shape, (inputs, computed, passed))
        if self.shortcut:
            expected = "its operations and its shortcut to give the same shape"
            given = f"{first} and {second}"
        else:
            expected = "its operations to give the shape of its inputs, or a shortcut=[...]"
            given = first
        return ValueError(f"{self!r} expects {expected}: they give {given}, received {received}")


def _agree(one: Shape, other: Shape) -> bool:
    """Whether two shapes can be the same, as far as they are known."""
    if one is None or other is None:
        return True
    if isinstance(one, LastAxis) or isinstance(other, LastAxis):
        return one[-1] == other[-1]
    return one == other
