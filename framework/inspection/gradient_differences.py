"""Numerical gradients: the change of ``L`` where one number is varied, and how exact it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from framework.inspection.gradient_subjects import Subject
from framework.losses.loss import is_clipped
from optimizers.arrays import Array

EPS = float(np.finfo(np.float64).eps)

# Rounding in float64 moves L by no more than this share of its largest term, unless operations
# enlarge the rounding of those before them; rounding in float32 moves it by more.
LARGEST_NOISE = 1e-9
# How many times the measured noise the difference of two values may be off.
NOISE_MARGIN = 16
# Where the noise is measured, in steps from the middle.
SPREAD = np.linspace(-0.8, 0.8, 17) + np.random.default_rng(0).uniform(-0.03, 0.03, size=17)


class Comparison(NamedTuple):
    """The error of one element of a gradient, and the numerical gradient there.

    ``rounded`` is whether rounding inside ``forward`` made the allowed error larger.
    """

    error: float
    numerical: float
    rounded: bool = False


class Differences:
    """Compares elements of a gradient with differences of ``probe.forward`` around ``inputs``.

    Attributes:
        repeatable: whether forward gives the same for the same inputs.
        narrow: an operation or loss that computes in less than float64, and its dtype; or None.
    """

    def __init__(
        self, probe: Subject, inputs: Array, tolerance: float, restart: Callable[[], None]
    ) -> None:
        self.probe, self.inputs, self.tolerance, self.restart = probe, inputs, tolerance, restart
        # Numbers that an operation draws once, in its first forward, are drawn now.
        self._terms()
        terms = self._terms()
        self.repeatable = np.array_equal(terms, self._terms(), equal_nan=True)
        self.largest_term = float(np.abs(terms).max(initial=0))
        self.noise = 8 * EPS * self.largest_term
        self._enlarged: float | None = None
        self.sides = probe.sides(inputs)
        self.narrow = next(probe.narrow(), None)

    def compare(
        self, array: Array, index: tuple[int, ...], step: float, expected: float
    ) -> Comparison | None:
        """Return the error of ``expected`` at ``array[index]``, or None at a kink."""
        numerical = self._slope(array, index, step)
        if numerical is None:
            return None
        noise, rounded = self.noise, False
        error = self._error(expected, numerical, noise / step)
        if error > self.tolerance and self._may_be_rounding(expected - numerical, step):
            noise = max(
                noise,
                NOISE_MARGIN * self._measured_noise(array, index, step),
                NOISE_MARGIN * self._rounding_after(array, index, step),
            )
            error = self._error(expected, numerical, noise / step)
            rounded = error <= self.tolerance
        for smaller in (step / 10, step / 100, step / 1000):
            if error <= self.tolerance:
                break
            nearer = self._slope(array, index, smaller)
            # A slope that stays as it is, is the slope; one that moves was still curved.
            if nearer is None or abs(expected - numerical) > 2 * abs(nearer - numerical):
                break
            numerical, error = nearer, self._error(expected, nearer, noise / smaller)
        if error > self.tolerance:
            unseen = self._may_be_rounding(expected - numerical, step, margin=1)
            if unseen and self._moves_clipped(array, index, step):
                return None
            if self._jumps(array, index, step):
                return None
        return Comparison(error, numerical, rounded)

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
            crossed = crossed or not same(self.sides, self.probe.sides(self.inputs))
        array[index] = value
        (left, below), (right, above) = ends
        return None if crossed else float((above - below).sum() / (right - left))

    def _may_be_rounding(
        self, difference: float, step: float, margin: float = NOISE_MARGIN
    ) -> bool:
        # Neither randomness nor single precision is rounding.
        if not self.repeatable or self.narrow is not None:
            return False
        return abs(difference) * step <= margin * self._noise_limit()

    def _noise_limit(self) -> float:
        """Return the largest error in ``L`` that rounding in float64 can explain."""
        if self._enlarged is None:
            self._enlarged = self._last_digits([])
        return max(LARGEST_NOISE * self.largest_term, 4 * self._enlarged)

    def _last_digits(self, masks: list[Array]) -> float:
        """Return how much ``L`` changes with the last digits of the operations' outputs.

        What an operation rounds, those after it may enlarge. It is the largest of a few changes.
        ``masks`` are the numbers that change, an array for each call of an operation; all do if
        there are none.
        """
        middle, generator = self._terms(), np.random.default_rng(0)

        def change(call: int, output: Array) -> Array:
            digits = EPS * generator.choice([-1, 1], size=output.shape)
            return output * (1 + (digits * masks[call] if masks else digits))

        changes = []
        for _ in range(8):
            with self.probe.changed_outputs(change):
                changes.append(abs(float((self._terms() - middle).sum())))
        return max([size for size in changes if math.isfinite(size)], default=0.0)

    def _rounding_after(self, array: Array, index: tuple[int, ...], step: float) -> float:
        """Return the change of ``L`` with the last digits of what depends on ``array[index]``.

        It need not show around ``array[index]``, if a step is less than a last digit there. So
        what depends on it is found by moving it further.
        """
        value, runs = array[index], []
        for factor in (0.0, -1e2, 1e2, -1e4, 1e4):
            array[index] = value + factor * step
            runs.append(self._outputs())
        array[index] = value
        if any([a.shape for a in run] != [a.shape for a in runs[0]] for run in runs):
            return 0.0
        moved = zip(*runs, strict=True)
        masks = [np.any([other != middle for other in others], axis=0) for middle, *others in moved]
        return self._last_digits(masks) if masks else 0.0

    def _outputs(self) -> list[Array]:
        """Run forward and return copies of the operations' outputs, in the order of the calls."""
        outputs: list[Array] = []

        def keep(call: int, output: Array) -> Array:
            outputs.append(output.copy())
            return output

        with self.probe.changed_outputs(keep):
            self._terms()
        return outputs

    def _measured_noise(self, array: Array, index: tuple[int, ...], step: float) -> float:
        """Return the standard deviation of the error that rounding makes in ``L``.

        Each operation rounds, and those after it can enlarge that: of a probability near 1,
        ``log(1 - p)`` loses most digits. How much of it arrives in ``L`` is seen in its values at
        points close to each other: a smooth function is at each of them where the cubic through
        its four neighbours says, all but exactly; independent errors with deviation σ leave the
        deviation ``σ √(1 + Σ w²)``, with the weights ``w`` of the neighbours. The points are not
        equally spaced, since rounding may be the same in each step of a grid. The median is taken,
        since a kink leaves a few large distances.

        Nothing but ``forward`` is looked at, so a wrong gradient does not make it larger.

        After: Moré and Wild, "Estimating Computational Noise", SIAM J. Sci. Comput. 2011.
        """
        value, middle = array[index], self._terms()
        points, sums = [], []
        for moved in value + step * SPREAD:
            array[index] = moved
            points.append(float(array[index] - value))
            sums.append(float((self._terms() - middle).sum()))
        array[index] = value
        distances = []
        for i in range(2, len(points) - 2):
            neighbours = [i - 2, i - 1, i + 1, i + 2]
            weights = [_weight(points, i, j, neighbours) for j in neighbours]
            cubic = sum(w * sums[j] for w, j in zip(weights, neighbours, strict=True))
            distances.append(abs(sums[i] - cubic) / math.hypot(1, *weights))
        noise = float(np.median(distances)) / 0.6745  # the median of |N(0, 1)|
        return noise if noise <= self._noise_limit() else 0.0

    def _moves_clipped(self, array: Array, index: tuple[int, ...], step: float) -> bool:
        """Return whether clipped numbers depend on ``array[index]``, be it too little to be seen.

        Near 1, a clipped probability may be rounded to the same number at both ends of the step.
        Moved much further, it shows that it depends on what was moved.
        """
        masks = [is_clipped(sides) for sides in self.sides]
        value, moves = array[index], False
        for factor in (-1e2, 1e2, -1e4, 1e4, -1e6, 1e6) if any(map(np.any, masks)) else ():
            array[index] = value + factor * step
            self._terms()
            moved = zip(masks, self.sides, self.probe.sides(self.inputs), strict=True)
            moves = moves or any((old != new)[mask].any() for mask, old, new in moved)
        array[index] = value
        return moves

    def _jumps(self, array: Array, index: tuple[int, ...], step: float) -> bool:
        """Return whether a part that says nothing of kinks seems to have one there.

        Curvature changes the slopes of its outputs by a tenth in a tenth of the step; a kink
        does not.
        """
        middle = self._unsaid(array, index, 0.0)
        # Random outputs, or outputs rounded more coarsely than float64, cannot show a jump.
        coarse = any(output.dtype != np.float64 for output in middle)
        if not middle or coarse or not same(middle, self._unsaid(array, index, 0.0)):
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


def _weight(points: list[float], at: int, j: int, neighbours: list[int]) -> float:
    """Return what the value at ``points[j]`` counts for the polynomial at ``points[at]``."""
    return math.prod(
        (points[at] - points[k]) / (points[j] - points[k]) for k in neighbours if k != j
    )


def same(one: list[Array], other: list[Array]) -> bool:
    """Whether both lists hold equal arrays."""
    return len(one) == len(other) and all(map(np.array_equal, one, other))
