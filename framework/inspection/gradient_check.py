"""Is a backward pass right? Compare what it says with what a tiny step really does.

The derivative of a scalar ``L`` by one number ``x`` is nearly

    (L(x + step) - L(x - step)) / (2 step)

with an error that shrinks with ``step²``. Doing this for every input and every parameter is far
too slow for training, but it needs nothing except ``forward``, so it is an independent witness
against ``backward``.
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
from framework.containers.container import Container, leaves
from framework.containers.supervised import Supervised
from framework.data.checks import check_data
from framework.losses.loss import FusedLoss, Loss
from framework.operation import Operation, describe
from framework.utils import rng
from optimizers.optimizer import Array, parameter_names

# The dvalues of an operation are drawn with a seed that nobody is likely to use for the inputs:
# equal arrays are special cases, in which a gradient may vanish.
DVALUES_SEED = 7919


@dataclass(frozen=True)
class ArrayReport:
    """How far one analytic gradient is from the numerical one.

    Attributes:
        name: of the gradient, such as "dinputs" or "dweights".
        shape: of the array it is the gradient of.
        max_relative_error: the largest, over its elements; infinite where the gradient is
            missing, not finite or of another shape.
        index: the element where that is; None if there is no such element.
        analytic, numerical: the two gradients there.
        note: what is wrong, if it is not a matter of numbers.
    """

    name: str
    shape: tuple[int, ...]
    max_relative_error: float
    index: tuple[int, ...] | None
    analytic: float
    numerical: float
    note: str = ""


@dataclass(frozen=True)
class GradientReport:
    """What ``check_gradients`` found. Printed, it is a table; as a truth value, ``passed``."""

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
        """Whether every error is at most the tolerance."""
        return self.max_relative_error <= self.tolerance

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        width = max([8, *(len(array.name) for array in self.arrays)])
        verdict = "passed" if self.passed else "FAILED"
        lines = [
            f"{self.subject}: {verdict}, largest relative error {self.max_relative_error:.2g} "
            f"(tolerance {self.tolerance:g})",
            f"  {'gradient':{width}}  {'shape':>12}  {'error':>8}  {'at':>10}  "
            f"{'backward':>12}  {'numerical':>12}",
        ]
        for array in self.arrays:
            shape = "×".join(map(str, array.shape)) or "scalar"
            where = "" if array.index is None else ",".join(map(str, array.index))
            figures = array.note or f"{array.analytic:12.6g}  {array.numerical:12.6g}"
            lines.append(
                f"  {array.name:{width}}  {shape:>12}  {array.max_relative_error:8.2g}  "
                f"{where:>10}  {figures}"
            )
        return "\n".join(lines + [f"  {self.note}"] * bool(self.note))


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

    where the last keeps noise around 0 from counting. At a kink, such as ReLU at 0, any slope
    between that of the left and that of the right is right.

    Args:
        subject: an operation, a loss, a fused loss, or a finalized model with a loss; or any
            object with the same methods.
        inputs: what goes into ``forward``: data, predictions or logits, ``(samples, ...)``.
        targets: what a loss or a model is compared with; operations take none.
        step: the difference, greater than 0, in the units of what is varied.
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

    def backward(self, inputs: Array) -> None:
        assert self.dvalues is not None
        self.operation.backward(self.dvalues.copy())

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self.operation, "dinputs", None)
        operation = self.operation
        if isinstance(operation, Container):
            yield from _gradients_inside(operation.children())
        else:
            yield from _parameter_gradients(operation, "")


class _LossProbe(_Probe):
    def __init__(self, loss: Any, targets: Any) -> None:
        self.loss = copy.deepcopy(loss)
        self.targets = targets

    def forward(self, inputs: Array) -> Array:
        losses = np.asarray(self.loss.forward(inputs.copy(), self.targets))
        self.dtype = losses.dtype
        return losses / max(losses.size, 1)

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
        self.model.set(loss=loss)
        self.model.finalize()
        _, self.targets = check_data(self.model, inputs, targets)
        self.training = training

    def forward(self, inputs: Array) -> Array:
        loss = self.model.calculate_loss(inputs.copy(), self.targets, self.training)
        self.dtype = self.model.output.dtype
        return np.array([loss, self.model.regularization_loss()])

    def backward(self, inputs: Array) -> None:
        self.model.backward(self.targets)

    def gradients(self) -> Iterator[tuple[str, Array | None, Any]]:
        yield "dinputs", None, getattr(self.model.layers[0], "dinputs", None)
        yield from _gradients_inside(self.model.children())


def _compare(
    probe: _Probe, inputs: Array, step: float, tolerance: float, restart: Callable[[], None]
) -> Iterator[ArrayReport]:
    def terms() -> Array:
        restart()
        return np.asarray(probe.forward(inputs), dtype=np.float64).copy()

    def slopes(array: Array, index: tuple[int, ...], step: float) -> tuple[float, float]:
        """The slopes of ``L`` to the left and to the right of ``array[index]``."""
        value = array[index]
        array[index] = value - step
        below = terms()
        array[index] = value + step
        above = terms()
        array[index] = value
        return float((here - below).sum()) / step, float((above - here).sum()) / step

    here = terms()
    noise = 8 * np.finfo(np.float64).eps * float(np.abs(here).max(initial=0)) / step
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
        numerical, errors = np.zeros_like(analytic), np.zeros_like(analytic)
        for index in np.ndindex(array.shape):
            expected, rounding = float(analytic[index]), noise
            left, right = slopes(array, index, step)
            if abs(right - left) > 1e-2 * max(abs(left), abs(right)) + 10 * noise:
                # Curvature or a kink? Nearer by, curvature goes away and a kink stays.
                far, rounding = abs(right - left), 10 * noise
                left, right = slopes(array, index, step / 10)
                if abs(right - left) > 0.5 * far:
                    left = right = min(max(expected, min(left, right)), max(left, right))
            numerical[index] = (left + right) / 2
            errors[index] = _relative_error(expected, float(numerical[index]), rounding / tolerance)
        worst = np.unravel_index(errors.argmax(), errors.shape)
        yield ArrayReport(
            name,
            array.shape,
            float(errors[worst]),
            tuple(int(i) for i in worst),
            float(analytic[worst]),
            float(numerical[worst]),
        )


def _relative_error(analytic: float, numerical: float, smallest: float) -> float:
    if not math.isfinite(analytic) or not math.isfinite(numerical):
        return math.inf
    size = max(abs(analytic), abs(numerical), smallest)
    return abs(analytic - numerical) / size if size else 0.0


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
