"""Is a backward pass right? Compare what it says with what a tiny step really does.

The derivative of a scalar ``L`` by one number ``x`` is nearly

    (L(x + step) - L(x - step)) / (2 step)

with an error that shrinks with ``step²``. Doing this for every input and every parameter is far
too slow for training, but it needs nothing except ``forward``, so it is an independent witness
against ``backward``.

Where a function has a kink between ``x - step`` and ``x + step``, such as that of ReLU at 0, the
difference is no derivative, and there is nothing to compare with. The operations say so
themselves: what ``kink_sides`` returns changes between ``x - step``, ``x`` and ``x + step``.
"""

import copy
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_floats, check_finite, check_positive
from framework.containers.container import Container, leaves, numbered
from framework.containers.supervised import Supervised
from framework.data.checks import check_data
from framework.losses.loss import FusedLoss, Loss, penalty_sides
from framework.operation import Operation, describe
from framework.utils import rng
from optimizers.optimizer import Array, parameter_names

# The dvalues of an operation are drawn with a seed that nobody is likely to use for the inputs:
# equal arrays are special cases, in which a gradient may vanish.
DVALUES_SEED = 7919

EPS = float(np.finfo(np.float64).eps)

# The smallest step, as a share of the number that is varied, whose rounding does not matter.
SMALLEST_STEP = 1e-8


@dataclass(frozen=True)
class ArrayReport:
    """How far one analytic gradient is from the numerical one.

    Attributes:
        name: of the gradient, such as "dinputs" or "dweights".
        shape: of the array it is the gradient of.
        max_relative_error: the largest, over its elements that were checked, 0 if none was;
            infinite where the gradient is missing, not finite or of another shape.
        index: the element where that is; None if there is no such element.
        analytic, numerical: the two gradients there.
        note: what is wrong, if it is not a matter of numbers.
        at_kink: how many elements are at a kink, and so were not checked.
    """

    name: str
    shape: tuple[int, ...]
    max_relative_error: float
    index: tuple[int, ...] | None
    analytic: float
    numerical: float
    note: str = ""
    at_kink: int = 0

    @property
    def size(self) -> int:
        """How many elements the array has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class GradientReport:
    """What ``check_gradients`` found. Printed, it is a table; as a truth value, ``passed``.

    ``passed`` says that no error was found among the elements that were checked. How much that is
    worth depends on how many these are: see ``checked`` and ``at_kink``.
    """

    subject: str
    arrays: tuple[ArrayReport, ...]
    tolerance: float
    note: str = ""

    @property
    def max_relative_error(self) -> float:
        """The largest relative error over all arrays."""
        return max((array.max_relative_error for array in self.arrays), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether every error is at most the tolerance: True also if nothing could be checked."""
        return self.max_relative_error <= self.tolerance

    @property
    def at_kink(self) -> int:
        """How many elements, over all arrays, are at a kink and were not checked."""
        return sum(array.at_kink for array in self.arrays)

    @property
    def checked(self) -> int:
        """How many elements, over all arrays, were checked."""
        return sum(array.size for array in self.arrays) - self.at_kink

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        width = max([8, *(len(array.name) for array in self.arrays)])
        verdict = "NOTHING CHECKED"
        if self.checked or not self.passed:
            verdict = (
                f"{'passed' if self.passed else 'FAILED'}, largest relative error "
                f"{self.max_relative_error:.2g} (tolerance {self.tolerance:g})"
            )
        lines = [
            f"{self.subject}: {verdict}",
            f"  {'gradient':{width}}  {'shape':>12}  {'error':>8}  {'at':>10}  "
            f"{'backward':>12}  {'numerical':>12}",
        ]
        for array in self.arrays:
            shape = "×".join(map(str, array.shape)) or "scalar"
            where = "" if array.index is None else ",".join(map(str, array.index))
            error = f"{array.max_relative_error:.2g}"
            figures = array.note or f"{array.analytic:12.6g}  {array.numerical:12.6g}"
            if array.index is None and not array.note:
                error = figures = ""
            if array.at_kink:
                figures += f"  {array.at_kink} of {array.size} at a kink, not checked"
            lines.append(f"  {array.name:{width}}  {shape:>12}  {error:>8}  {where:>10}  {figures}")
        return "\n".join(lines + [f"  {note}" for note in (self._on_kinks(), self.note) if note])

    def _on_kinks(self) -> str:
        if not self.at_kink:
            return ""
        text = (
            f"{self.at_kink} of {self.at_kink + self.checked} elements are at a kink, not checked"
        )
        if self.at_kink > self.checked:
            text += ", so this proves little: try other inputs, fewer samples or a smaller step"
        elif unchecked := [a.name for a in self.arrays if a.at_kink == a.size > 0]:
            text += f", among them all of {', '.join(unchecked)}"
        return text


def check_gradients(
    subject: Any,
    inputs: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    step: float = 1e-5,
    tolerance: float = 1e-6,
    training: bool = True,
) -> GradientReport:
    """Compare the gradients of ``backward`` with central differences of ``forward``.

    Everything is done in float64 on a deep copy: the object you hold keeps its dtype, its
    values and what it has stored. Random operations draw the same numbers in every pass.

    An operation is checked as ``L = Σ dvalues * forward(inputs)`` with random ``dvalues``, a loss
    and a model by their mean loss; penalties on parameters are added. The error of an element is

        |backward - numerical| / max(|backward|, |numerical|, what rounding alone can cause)

    where the last keeps noise around 0 from counting. Where the function bends so much that
    differences by a smaller step are others, those are taken.

    An element is at a kink, and not checked, if ``kink_sides`` of an operation or of the loss, or
    the sign of a parameter with an L1 penalty, differs between ``x - step``, ``x`` and ``x +
    step``. They are counted in the report. An operation of your own that has no ``kink_sides`` (see
    ``Operation.kink_sides``) is watched instead: an element that does not agree counts as at a kink
    if the slope of one of the outputs of such an operation jumps there. That is a guess.

    Args:
        subject: an operation, a loss, a fused loss, or a finalized model with a loss; or any
            object with the same methods.
        inputs: what goes into ``forward``: data, predictions or logits, ``(samples, ...)``.
        targets: what a loss or a model is compared with; operations take none.
        step: the difference, greater than 0, in the units of what is varied. It is larger for
            numbers so large that it would be lost in their rounding.
        tolerance: the largest error that passes.
        training: which mode operations are checked in.

    Raises:
        TypeError, ValueError: arguments that do not fit; and whatever ``forward`` and
            ``backward`` raise.

    >>> from framework import Tanh
    >>> check_gradients(Tanh(), [[0.5, -1.0]]).passed
    True
    """
    step = check_positive("step", step)
    tolerance = check_positive("tolerance", tolerance)
    inputs = np.array(as_floats(inputs), dtype=np.float64)
    if not inputs.size:
        raise ValueError(f"inputs are empty: their shape is {inputs.shape}")
    check_finite(inputs, "inputs")
    is_operation = not isinstance(subject, Supervised) and _is_operation(subject)
    if is_operation != (targets is None):
        rule = "takes no targets" if is_operation else "needs targets"
        raise ValueError(f"check_gradients of a {type(subject).__name__} {rule}")
    with _repeatable_chance() as restart:
        if isinstance(subject, Supervised):
            probe: _Probe = _ModelProbe(subject, inputs, targets, training)
        elif is_operation:
            probe = _OperationProbe(subject, training)
        else:
            probe = _LossProbe(subject, targets)
        arrays = tuple(_compare(probe, inputs, step, tolerance, restart))
    note = ""
    if probe.dtype != np.float64:
        note = f"forward computes in {probe.dtype} where float64 goes in: too coarse to be checked"
    return GradientReport(describe(subject), arrays, tolerance, note)


class _Probe:
    """A copy in float64 of what is checked, seen as a function with many outputs.

    ``forward`` gives terms whose sum is the scalar ``L``. Differences are taken term by term
    before they are added, so that terms which do not change add no rounding error. ``dtype`` is
    what the subject itself computed in.
    """

    dtype: np.dtype[Any]

    def forward(self, inputs: Array) -> Array:
        raise NotImplementedError

    def parts(self, inputs: Array) -> tuple[list[Any], Any, tuple[Any, ...]]:
        """Return the operations, the loss (or None), and what the loss was called with."""
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


class _OperationProbe(_Probe):
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


class _LossProbe(_Probe):
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
        # A fused block goes back from its activation's values, a loss from what it was given.
        fused = isinstance(self.loss, FusedLoss) or (
            hasattr(self.loss, "activation") and hasattr(self.loss, "output")
        )
        self.loss.backward(self.loss.output if fused else inputs.copy(), self.targets)

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self.loss, "dinputs", None)


class _ModelProbe(_Probe):
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


def _compare(
    probe: _Probe, inputs: Array, step: float, tolerance: float, restart: Callable[[], None]
) -> Iterator[ArrayReport]:
    differences = _Differences(probe, inputs, tolerance, restart)
    probe.backward(inputs)
    found = [
        (name, inputs if array is None else array, copy.deepcopy(gradient))
        for name, array, gradient in probe.gradients()
    ]
    for name, array, gradient in found:
        if gradient is None or np.shape(gradient) != array.shape:
            note = "is missing" if gradient is None else f"has shape {np.shape(gradient)}"
            yield ArrayReport(name, array.shape, math.inf, None, math.nan, math.nan, note)
            continue
        analytic = np.asarray(gradient, dtype=np.float64)
        worst: tuple[float, tuple[int, ...] | None, float, float] = (0.0, None, math.nan, math.nan)
        at_kink = 0
        for index in np.ndindex(array.shape):
            expected = float(analytic[index])
            reach = max(step, SMALLEST_STEP * abs(float(array[index])))
            result = differences.compare(array, index, reach, expected)
            if result is None and math.isfinite(expected):
                at_kink += 1
                continue
            error, numerical = result or (math.inf, math.nan)
            if worst[1] is None or error > worst[0]:
                worst = error, index, expected, numerical
        yield ArrayReport(name, array.shape, *worst, at_kink=at_kink)


class _Differences:
    """What ``L`` does where one number is varied, and whether a gradient agrees with that."""

    def __init__(
        self, probe: _Probe, inputs: Array, tolerance: float, restart: Callable[[], None]
    ) -> None:
        self.probe, self.inputs, self.tolerance, self.restart = probe, inputs, tolerance, restart
        self.noise = 8 * EPS * float(np.abs(self._terms()).max(initial=0))
        self.sides = probe.sides(inputs)

    def compare(
        self, array: Array, index: tuple[int, ...], step: float, expected: float
    ) -> tuple[float, float] | None:
        """Return the error of ``expected`` and the numerical gradient, or None at a kink."""
        numerical = self._slope(array, index, step)
        if numerical is None:
            return None
        error = self._error(expected, numerical, self.noise / step)
        for smaller in (step / 10, step / 100, step / 1000):
            if error <= self.tolerance:
                break
            nearer = self._slope(array, index, smaller)
            # A slope that stays as it is, is the slope; one that moves was still curved.
            if nearer is None or abs(expected - numerical) > 2 * abs(nearer - numerical):
                break
            numerical, error = nearer, self._error(expected, nearer, self.noise / smaller)
        if error > self.tolerance and self._jumps(array, index, step):
            return None
        return error, numerical

    def _error(self, analytic: float, numerical: float, noise: float) -> float:
        if not math.isfinite(analytic) or not math.isfinite(numerical):
            return math.inf
        size = max(abs(analytic), abs(numerical), noise / self.tolerance)
        return abs(analytic - numerical) / size if size else 0.0

    def _terms(self) -> Array:
        self.restart()
        return np.asarray(self.probe.forward(self.inputs), dtype=np.float64).copy()

    def _slope(self, array: Array, index: tuple[int, ...], step: float) -> float | None:
        """Return the slope of ``L`` around ``array[index]``, or None at a kink."""
        value, ends, crossed = array[index], [], False
        for moved in (value - step, value + step):
            array[index] = moved
            ends.append((moved, self._terms()))
            crossed = crossed or not _same(self.sides, self.probe.sides(self.inputs))
        array[index] = value
        (left, below), (right, above) = ends
        return None if crossed else float((above - below).sum() / (right - left))

    def _jumps(self, array: Array, index: tuple[int, ...], step: float) -> bool:
        """Return whether a part that says nothing of kinks seems to have one there.

        Curvature changes the slopes of its outputs by a tenth in a tenth of the step; a kink
        does not.
        """
        middle = self._unsaid(array, index, 0.0)
        # There is nothing to be learned from chance, or from coarser rounding than float64's.
        coarse = any(output.dtype != np.float64 for output in middle)
        if not middle or coarse or not _same(middle, self._unsaid(array, index, 0.0)):
            return False
        changes = []
        for h in (step, step / 10):
            ends = zip(self._unsaid(array, index, -h), self._unsaid(array, index, h), strict=True)
            changes.append([(a - 2 * m + b) / h for (a, b), m in zip(ends, middle, strict=True)])
        for far, near, output in zip(*changes, middle, strict=True):
            noise = 1000 * EPS * float(np.abs(output).max(initial=0)) / step
            if (np.abs(10 * near - far) > noise + 0.1 * np.abs(far)).any():
                return True
        return False

    def _unsaid(self, array: Array, index: tuple[int, ...], distance: float) -> list[Array]:
        value = array[index]
        array[index] = value + distance
        self._terms()
        outputs = self.probe.unsaid(self.inputs)
        array[index] = value
        return outputs


def _said(part: Any, *arguments: Any) -> list[Array] | None:
    """Return what ``part`` says of the sides of its kinks, or None if it says nothing.

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


def _same(one: list[Array], other: list[Array]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))


def _is_operation(subject: Any) -> bool:
    """Whether the backward of ``subject`` takes ``dvalues`` alone; that of a loss takes two."""
    for method in ("forward", "backward"):
        if isinstance(subject, type) or not callable(getattr(subject, method, None)):
            raise TypeError(
                "check_gradients needs an operation, a loss or a model, with forward and "
                f"backward methods, received {subject!r}"
            )
    if isinstance(subject, (Operation, Loss)):
        return isinstance(subject, Operation)
    arguments = inspect.signature(subject.backward).parameters.values()
    return sum(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in arguments) < 2


def _gradients_inside(operations: Mapping[str, Any]) -> Iterator[tuple[str, Array | None, Any]]:
    for path, layer in leaves(operations):
        yield from _parameter_gradients(layer, f"layers[{path.replace('.', '].layers[')}].")


def _parameter_gradients(layer: Any, prefix: str) -> Iterator[tuple[str, Array | None, Any]]:
    for name in parameter_names(layer):
        yield f"{prefix}d{name}", getattr(layer, name), getattr(layer, "d" + name, None)


@contextmanager
def _repeatable_chance() -> Iterator[Callable[[], None]]:
    """Yield a function that restarts all random numbers; put them back as they were at the end."""
    generator = rng.generator().bit_generator
    start = np.random.default_rng(0).bit_generator.state

    def restart() -> None:
        generator.state = start
        np.random.seed(0)

    with rng.preserve_rng():
        yield restart
