"""Operations, losses and models as functions whose slope can be measured."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from framework.containers.container import Container, leaves, numbered
from framework.containers.supervised import Supervised
from framework.data.checks import check_data
from framework.losses.loss import FusedLoss, penalty_sides
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names

# An unusual seed for the dvalues of an operation: if they were equal to the inputs, a gradient
# might vanish.
DVALUES_SEED = 7919


class Subject:
    """A copy in float64 of an object under test, seen as a function with many outputs.

    ``forward`` gives terms whose sum is the scalar ``L``. Differences are taken term by term
    before they are added, so that terms which do not change add no rounding error. ``dtype`` is
    the dtype that the object itself computed in.
    """

    dtype: np.dtype[Any]

    def forward(self, inputs: Array) -> Array:
        raise NotImplementedError

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        """Return the operations, the loss (or None), and the arguments that the loss was given."""
        raise NotImplementedError

    def sides(self, inputs: Array) -> list[Array]:
        """Return, after ``forward``, the sides of all kinks that the parts know of."""
        operations, loss, arguments = self.parts(inputs)
        said = [kink_sides for op in operations for kink_sides in _said(op) or ()]
        said += [] if loss is None else _said(loss, *arguments) or ()
        return said + [sides for op in operations for sides in penalty_sides(op)]

    def unsaid(self, inputs: Array) -> list[Array]:
        """Return, after ``forward``, the outputs of the parts that say nothing of their kinks."""
        operations, loss, arguments = self.parts(inputs)
        outputs = [op.output for op in operations if _said(op) is None]
        if loss is not None and _said(loss, *arguments) is None:
            outputs.append(getattr(loss, "losses", loss.forward)(*arguments))
        return [np.array(output) for output in outputs]

    def backward(self, inputs: Array) -> None:
        raise NotImplementedError

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        """Yield the name of each gradient, the array it belongs to (None: the inputs), and it."""
        raise NotImplementedError


class OperationSubject(Subject):
    def __init__(self, operation: Any, training: bool) -> None:
        self.operation = copy.deepcopy(operation)
        # A model of this one operation calls it as it wants to be called, in float64.
        self.model = Supervised([self.operation], dtype=np.float64)
        self.model.finalize()
        self.training = training
        self.dvalues: Array | None = None

    def forward(self, inputs: Array) -> Array:
        output = self.model.forward(inputs.copy(), self.training)
        if self.dvalues is None or self.dvalues.shape != output.shape:
            self.dvalues = np.random.default_rng(DVALUES_SEED).normal(size=output.shape)
        self.dtype = self.operation.output.dtype
        # The backward of a layer adds the gradient of its penalties, so they are part of L.
        return np.append(output * self.dvalues, self.model.regularization_loss())

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        return self.model.leaves(), None, ()

    def backward(self, inputs: Array) -> None:
        assert self.dvalues is not None
        self.operation.backward(self.dvalues.copy())

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self.operation, "dinputs", None)
        if isinstance(self.operation, Container):
            yield from _gradients_inside(self.operation.children())
        else:
            yield from _parameter_gradients(self.operation, "")


class LossSubject(Subject):
    def __init__(self, loss: Any, targets: Any) -> None:
        self.loss = copy.deepcopy(loss)
        self.targets = targets

    def forward(self, inputs: Array) -> Array:
        losses = np.asarray(self.loss.forward(inputs.copy(), self.targets))
        self.dtype = losses.dtype
        return losses / max(losses.size, 1)

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        return [], self.loss, (inputs.copy(), self.targets)

    def backward(self, inputs: Array) -> None:
        # A fused block goes back from its activation's values, a loss from its predictions.
        fused = isinstance(self.loss, FusedLoss) or (
            hasattr(self.loss, "activation") and hasattr(self.loss, "output")
        )
        self.loss.backward(self.loss.output if fused else inputs.copy(), self.targets)

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self.loss, "dinputs", None)


class ModelSubject(Subject):
    def __init__(self, model: Supervised, inputs: Array, targets: Any, training: bool) -> None:
        model.parameters  # noqa: B018 - raises before finalize
        layers, loss = copy.deepcopy((model.layers, model.loss))
        self.model = Supervised(layers, dtype=np.float64)
        self.model.fused = model.fused
        self.model.set(loss=loss)
        self.model.finalize()
        _, self.targets = check_data(self.model, inputs, targets)
        self.training = training

    def forward(self, inputs: Array) -> Array:
        loss = self.model.calculate_loss(inputs.copy(), self.targets, self.training)
        self.dtype = self.model.output.dtype
        return np.array([loss, self.model.regularization_loss()])

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        operations = self.model.before_loss
        hidden = operations[-1].output if operations else inputs.copy()
        inside = [operation for _, operation in leaves(numbered(operations))]
        return inside, self.model.computed_loss, (hidden, self.targets)

    def backward(self, inputs: Array) -> None:
        self.model.backward(self.targets)

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self.model.layers[0], "dinputs", None)
        yield from _gradients_inside(self.model.children())


def _said(part: Any, *arguments: Any) -> list[Array] | None:
    """Return the sides of the kinks of ``part``, or None if it does not say them.

    A ``kink_sides`` that a class inherits, while its ``forward`` is its own, says nothing of it.
    """
    for owner in (part, *type(part).__mro__):
        names = getattr(owner, "__dict__", ())
        if "kink_sides" in names:
            said = part.kink_sides(*arguments)
            if said is None:
                return None
            return [
                np.array(sides) for sides in (said if isinstance(said, (list, tuple)) else [said])
            ]
        if "forward" in names or "losses" in names:
            return None
    return None


def _gradients_inside(operations: Mapping[str, Any]) -> Iterator[tuple[str, Array | None, Any]]:
    for path, layer in leaves(operations):
        yield from _parameter_gradients(layer, f"layers[{path.replace('.', '].layers[')}].")


def _parameter_gradients(layer: Any, prefix: str) -> Iterator[tuple[str, Array | None, Any]]:
    for name in parameter_names(layer):
        yield f"{prefix}d{name}", getattr(layer, name), getattr(layer, "d" + name, None)
