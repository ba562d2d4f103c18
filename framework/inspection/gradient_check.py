"""Is a backward pass right? Compare its gradients with the effect of a tiny step.

The derivative of a scalar ``L`` by one number ``x`` is nearly

    (L(x + step) - L(x - step)) / (2 step)

with an error that shrinks with ``step²``. Doing this for every input and every parameter is far
too slow for training, but it needs nothing except ``forward``, so it is an independent witness
against ``backward``.

Where a function has a kink between ``x - step`` and ``x + step``, such as that of ReLU at 0, the
difference is no derivative, and there is nothing to compare with. The operations say so
themselves: their ``kink_sides`` differ between ``x - step``, ``x`` and ``x + step``.
"""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_floats, check_finite, check_positive
from framework.containers.supervised import Supervised
from framework.inspection.gradient_report import ArrayReport, GradientReport
from framework.inspection.gradient_subjects import (
    LossSubject,
    ModelSubject,
    OperationSubject,
    Subject,
)
from framework.losses.loss import Loss
from framework.operation import Operation, describe
from framework.utils import rng
from optimizers.arrays import Array

EPS = float(np.finfo(np.float64).eps)

# The smallest step, as a share of the number that is varied, whose rounding does not matter.
SMALLEST_STEP = 1e-8


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

    Everything is done in float64 on a deep copy: your object keeps its dtype, its values and the
    arrays that it stores. Random operations draw the same numbers in every pass.

    An operation is checked as ``L = Σ dvalues * forward(inputs)`` with random ``dvalues``, a loss
    and a model by their mean loss; penalties on parameters are added. The error of an element is

        |backward - numerical| / max(|backward|, |numerical|, the error that rounding can cause)

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
        inputs: the argument of ``forward``: data, predictions or logits, ``(samples, ...)``.
        targets: for a loss or a model; operations take none.
        step: the difference, greater than 0, in the units of the number that is varied. It is
            increased for numbers so large that rounding would swallow it.
        tolerance: the largest error that passes.
        training: which mode operations are checked in.

    Raises:
        TypeError, ValueError: arguments that do not fit. Errors of ``forward`` and
            ``backward`` are passed on.

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
    with _repeatable_rng() as restart:
        if isinstance(subject, Supervised):
            probe: Subject = ModelSubject(subject, inputs, targets, training)
        elif is_operation:
            probe = OperationSubject(subject, training)
        else:
            probe = LossSubject(subject, targets)
        arrays = tuple(_compare(probe, inputs, step, tolerance, restart))
    note = ""
    if probe.dtype != np.float64:
        note = f"forward computes in {probe.dtype} where float64 goes in: too coarse to be checked"
    return GradientReport(describe(subject), arrays, tolerance, note)


def _compare(
    probe: Subject, inputs: Array, step: float, tolerance: float, restart: Callable[[], None]
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
    """The change of ``L`` where one number is varied, and the error of a gradient there."""

    def __init__(
        self, probe: Subject, inputs: Array, tolerance: float, restart: Callable[[], None]
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
        # Random outputs, or outputs rounded more coarsely than float64, cannot show a jump.
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


@contextmanager
def _repeatable_rng() -> Iterator[Callable[[], None]]:
    """Yield a function that restarts all random numbers; put them back as they were at the end."""
    generator = rng.generator().bit_generator
    start = np.random.default_rng(0).bit_generator.state

    def restart() -> None:
        generator.state = start
        np.random.seed(0)

    with rng.preserve_rng():
        yield restart
