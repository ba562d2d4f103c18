"""Operations, losses and models as functions whose slope can be measured."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any

import numpy as np

from framework.containers.container import Container, leaves, numbered
from framework.containers.supervised import Supervised
from framework.data.checks import check_data
from framework.losses.loss import FusedLoss, no_losses, penalty_sides
from framework.operation import not_stored
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names

# An unusual seed for the dvalues of an operation: if they were equal to the inputs, a gradient
# might vanish.
DVALUES_SEED = 7919


class Subject:
    """A copy in float64 of an object under test, seen as a function with many outputs.

    ``forward`` gives terms whose sum is the scalar ``L``. Differences are taken term by term
    before they are added, so that terms which do not change add no rounding error.
    """

    targets: Any = None

    def select(self, rows: Any, samples: int) -> None:
        """Use the targets of ``rows`` from now on: indices, or a slice for all ``samples``."""
        self.targets = _rows(self._all_targets, rows, samples)

    def forward(self, inputs: Array) -> Array:
        raise NotImplementedError

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        """Return the operations, the loss (or None), and the arguments that the loss was given."""
        raise NotImplementedError

    @property
    def operations(self) -> Iterable[Any]:
        """All operations, containers and those inside them, without those of the loss."""
        return ()

    @property
    def loss(self) -> Any:
        """The loss, or None."""
        return None

    @contextmanager
    def changed_outputs(self, change: Callable[[int, Array], Array]) -> Iterator[None]:
        """Let operations give ``change(call, output)`` for a while, with the number of the call."""
        replaced, calls = {}, count()
        for operation in self.operations:
            if not isinstance(operation, Container) and hasattr(operation, "__dict__"):
                replaced[id(operation)] = operation, vars(operation).get("forward")
                vars(operation)["forward"] = _changing(operation, lambda a: change(next(calls), a))
        try:
            yield
        finally:
            for operation, own in replaced.values():
                del vars(operation)["forward"]
                vars(operation).update({} if own is None else {"forward": own})

    def narrow(self) -> Iterator[tuple[Any, np.dtype[Any]]]:
        """Yield, after ``forward``, the parts whose outputs are not float64."""
        for part in self.operations:
            dtype = np.dtype(getattr(getattr(part, "output", None), "dtype", np.float64))
            if dtype != np.float64:
                yield part, dtype

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

    _all_targets: Any = None


class OperationSubject(Subject):
    def __init__(self, operation: Any, training: bool) -> None:
        self.operation = copy.deepcopy(operation)
        # A model of this one operation calls it as it wants to be called, in float64.
        self.model = Supervised([self.operation], dtype=np.float64)
        self.model.finalize()
        self.training = training
        self.dvalues: Array | None = None
        self._seed = DVALUES_SEED

    def select(self, rows: Any, samples: int) -> None:
        # Another batch has other dvalues, also where it has the same size.
        self.dvalues = None
        self._seed = DVALUES_SEED + (int(rows[0]) if isinstance(rows, np.ndarray) else 0)

    def forward(self, inputs: Array) -> Array:
        output = self.model.forward(inputs.copy(), self.training)
        if getattr(self.operation, "output", None) is None:
            raise not_stored(self.operation, "output", "forward")
        if self.dvalues is None or self.dvalues.shape != output.shape:
            self.dvalues = np.random.default_rng(self._seed).normal(size=output.shape)
        # The backward of a layer adds the gradient of its penalties, so they are part of L.
        return np.append(output * self.dvalues, self.model.regularization_loss())

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        return self.model.leaves(), None, ()

    @property
    def operations(self) -> Iterable[Any]:
        return _with_children([self.operation])

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
        self._loss = copy.deepcopy(loss)
        self.targets = self._all_targets = copy.deepcopy(targets)

    def forward(self, inputs: Array) -> Array:
        losses = self._loss.forward(inputs.copy(), copy.copy(self.targets))
        if losses is None:
            raise no_losses(self._loss)
        self.losses = np.asarray(losses)
        return self.losses / max(self.losses.size, 1)

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        return [], self._loss, (inputs.copy(), copy.copy(self.targets))

    @property
    def loss(self) -> Any:
        return self._loss

    def narrow(self) -> Iterator[tuple[Any, np.dtype[Any]]]:
        if self.losses.dtype != np.float64:
            yield self._loss, self.losses.dtype

    def backward(self, inputs: Array) -> None:
        # A fused block goes back from its activation's values, a loss from its predictions.
        fused = isinstance(self._loss, FusedLoss) or (
            hasattr(self._loss, "activation") and hasattr(self._loss, "output")
        )
        outputs = self._loss.output if fused else inputs.copy()
        self._loss.backward(outputs, copy.copy(self.targets))

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self._loss, "dinputs", None)


class ModelSubject(Subject):
    def __init__(self, model: Supervised, targets: Any, training: bool) -> None:
        self.model = _copy_in_float64(model)
        self.targets = self._all_targets = targets
        self.training = training

    def forward(self, inputs: Array) -> Array:
        loss = self.model.calculate_loss(inputs.copy(), self.targets.copy(), self.training)
        return np.array([loss, self.model.regularization_loss()])

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        operations = self.model.before_loss
        hidden = operations[-1].output if operations else inputs.copy()
        inside = [operation for _, operation in leaves(numbered(operations))]
        return inside, self.model.computed_loss, (hidden, self.targets)

    @property
    def operations(self) -> Iterable[Any]:
        return _with_children(self.model.before_loss)

    @property
    def loss(self) -> Any:
        return self.model.computed_loss

    def backward(self, inputs: Array) -> None:
        self.model.backward(self.targets.copy())

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self.model.layers[0], "dinputs", None)
        yield from _gradients_inside(self.model.children())


def model_targets(model: Supervised, inputs: Array, targets: Any) -> Array:
    """Return ``targets`` as the loss of ``model`` uses them, and raise if they do not fit."""
    model.parameters  # noqa: B018 - raises before finalize
    # On a copy of its own, since it may run the first sample; the others shall see no such batch.
    with np.errstate(all="ignore"):
        return check_data(_copy_in_float64(model), inputs, targets)[1].copy()


def _copy_in_float64(model: Supervised) -> Supervised:
    layers, loss = copy.deepcopy((model.layers, model.loss))
    found = Supervised(layers, dtype=np.float64)
    found.fused = model.fused
    found.set(loss=loss)
    found.finalize()
    return found


def _rows(values: Any, rows: Any, samples: int) -> Any:
    """Return ``rows`` of ``values``, or ``values`` where it has not one entry for each sample."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        return values
    return array[rows] if array.shape[:1] == (samples,) else values


def _changing(operation: Any, change: Callable[[Array], Array]) -> Callable[..., Array]:
    forward = operation.forward

    def changed(*arguments: Any, **options: Any) -> Array:
        returned = forward(*arguments, **options)
        output = change(operation.output if returned is None else returned)
        operation.output = output
        return output

    return changed


def _with_children(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        yield operation
        if isinstance(operation, Container):
            yield from _with_children(operation.children().values())


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
        yield from _parameter_gradients(layer, f"{_expression(path)}.")


def _expression(path: str) -> str:
    """Return a path as Python: "2.operations.0" is layers[2].operations[0]."""
    found, inside_list = "", False
    for part in path.split("."):
        if part.isdecimal():
            found += f"[{part}]" if inside_list else f".layers[{part}]"
        else:
            found += f".{part}"
        inside_list = not part.isdecimal()
    return found.removeprefix(".")


def _parameter_gradients(layer: Any, prefix: str) -> Iterator[tuple[str, Array | None, Any]]:
    for name in parameter_names(layer):
        yield f"{prefix}d{name}", getattr(layer, name), getattr(layer, "d" + name, None)
