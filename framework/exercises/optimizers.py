"""Holds an optimizer against a reference, over some steps with two layers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from framework.exercises.arithmetic import equal_elements, plain_hint
from framework.exercises.calls import Raised, call
from framework.exercises.contract import copied
from framework.exercises.optimizer_suspects import step_suspects
from framework.exercises.report import Marks, Report
from framework.operation import describe
from optimizers import Optimizer
from optimizers.arrays import Array

STEPS = 6
SHAPES = {"weights": (3, 2), "biases": (1, 2)}
PLAN = {
    "first step": 2,
    "later steps": 3,
    "biases": 1,
    "second layer": 1,
    "given arrays": 1,
    "gradient of 0": 1,
    "float32": 1,
}


def _layers(*seeds: int, dtype: Any = np.float64) -> list[Any]:
    """Return what an optimizer updates. Their class is a new one, so nothing is left on it."""

    class Layer:
        def __init__(self, seed: int) -> None:
            generator = np.random.default_rng(seed)
            self.weights, self.biases = (
                generator.normal(size=shape).astype(dtype) for shape in SHAPES.values()
            )
            self.dweights, self.dbiases = (np.zeros_like(a) for a in (self.weights, self.biases))

    return [Layer(seed) for seed in seeds]


def check_optimizer(mine: Any, like: Optimizer) -> Report:
    """Hold an optimizer of your own against a reference, and name the likely mistake.

    Both update two layers over six steps with the same gradients, by ``pre_update_params``,
    ``update_params(layer)`` for each layer, and ``post_update_params``; of these, only
    ``update_params`` is required. A layer has ``weights``, ``biases``, ``dweights`` and
    ``dbiases``; the state may be kept in the optimizer or, as in the book, on the layer.

    Args:
        mine: the optimizer to check, that has taken no step. It is copied.
        like: the optimizer that it should equal, such as ``Adam(0.01)``.

    Raises:
        TypeError: ``mine`` is a class or has no ``update_params``, or ``like`` is no optimizer.

    >>> from optimizers import SGD
    >>> class Mine:
    ...     def update_params(self, layer):
    ...         layer.weights += 0.1 * layer.dweights
    ...         layer.biases += 0.1 * layer.dbiases
    >>> check_optimizer(Mine(), like=SGD(0.1)).hints[0]
    'the step goes uphill: the gradient is to be subtracted, not added'
    """
    if not isinstance(like, Optimizer):
        raise TypeError(f"like must be one of the optimizers, such as Adam(), received {like!r}")
    if isinstance(mine, type) or not hasattr(mine, "update_params"):
        raise TypeError(f"mine must be an optimizer, with update_params, received {mine!r}")
    reference = copy.deepcopy(like)
    reference.reset()
    return _OptimizerCheck(f"{describe(mine)}, like {like!r}", mine, reference).report()


class _OptimizerCheck:
    def __init__(self, subject: str, mine: Any, reference: Optimizer) -> None:
        self.mine, self.reference, self.marks = (
            mine,
            reference,
            Marks(subject, PLAN, ("first step", "later steps", "biases")),
        )
        generator = np.random.default_rng(4)
        size = sum(int(np.prod(shape)) for shape in SHAPES.values())
        # The gradients of both layers, (steps, layers, numbers); one number is so small that
        # epsilon shows.
        self.gradients = generator.normal(size=(STEPS, 2, size))
        self.gradients[:, :, 1] *= 1e-7

    def report(self) -> Report:
        marks = self.marks
        with marks.stage("first step"):
            received = self._steps(copied(self.mine), self.gradients)
            expected = self._steps(copy.deepcopy(self.reference), self.gradients)
            self._compare(received, expected)
            marks.judge("given arrays", ())
            with marks.stage("gradient of 0"):
                self._zeros()
            with marks.stage("float32"):
                self._in_float32()
        return marks.report()

    def _steps(self, optimizer: Any, gradients: Array) -> Array:
        """Return the change of every number in every step, in the shape of ``gradients``."""
        layers = _layers(5, 6)
        changes = []
        for step in gradients:
            before = [_numbers(layer) for layer in layers]
            for layer, gradient in zip(layers, step, strict=True):
                _give(layer, gradient)
            self._step(optimizer, layers)
            if optimizer.__class__ is self.mine.__class__ and not all(
                np.array_equal(_gradients(layer), gradient)
                for layer, gradient in zip(layers, step, strict=True)
            ):
                fault = "dweights or dbiases are written to", "work on a copy of the gradient"
                self.marks.judge("given arrays", [fault])
            changes.append([_numbers(a) - b for a, b in zip(layers, before, strict=True)])
        return np.array(changes)

    def _step(self, optimizer: Any, layers: list[Any]) -> None:
        if hasattr(optimizer, "pre_update_params"):
            call(optimizer.pre_update_params)
        for layer in layers:
            call(optimizer.update_params, layer)
        if hasattr(optimizer, "post_update_params"):
            call(optimizer.post_update_params)

    def _compare(self, received: Array, expected: Array) -> None:
        weights = int(np.prod(SHAPES["weights"]))
        parts: dict[str, Any] = {
            "first step": (0, 0, slice(weights)),
            "later steps": (slice(1, None), 0, slice(weights)),
            "biases": (slice(None), 0, slice(weights, None)),
            "second layer": (slice(None), 1, slice(None)),
        }
        wrong = ~_equal_changes(received, expected)
        hint = self._hint(received, expected) if wrong.any() else ""
        for name, place in parts.items():
            if not wrong[place].any():
                self.marks.judge(name, ())
                continue
            index = tuple(int(i) for i in np.argwhere(wrong[place])[0])
            found, right = received[place][index], expected[place][index]
            message = f"a number changed by {found:.6g}, expected {right:.6g}"
            if name == "later steps":
                message = f"in step {index[0] + 2}, {message}"
            self.marks.judge(name, [(message, hint)])

    def _hint(self, received: Array, expected: Array) -> str:
        if still := _not_moving(received):
            return still

        def run(optimizer: Any, gradients: Array = self.gradients) -> Array:
            with np.errstate(all="ignore"):
                try:
                    return self._steps(optimizer, gradients)
                except Raised:
                    return np.empty(0)

        def negated(optimizer: Any) -> Array:
            return run(optimizer, -self.gradients)

        weights = int(np.prod(SHAPES["weights"]))
        parts = {"": slice(None), "weights: ": slice(weights), "biases: ": slice(weights, None)}
        suspects = list(step_suspects(self.reference, run, negated))
        for name, part in parts.items():
            for text, array in suspects:
                same = _equal_changes(received[..., part], array[..., part], nan=True)
                if same.all() and not _equal_changes(array[..., part], expected[..., part]).all():
                    return name + text
        return self._partial_hint(received, expected)

    def _partial_hint(self, received: Array, expected: Array) -> str:
        wrong = ~_equal_changes(received, expected)
        step = int(np.argwhere(wrong.any(axis=(1, 2)))[0, 0])
        # The tiny numbers tell of epsilon alone.
        large = [i for i in range(received.shape[2]) if i != 1]
        found, right = received[step][:, large], expected[step][:, large]
        if not (~_equal_changes(found, right)).any():
            return "wrong only where gradients are tiny: where is epsilon added?"
        text = plain_hint(found, right, {})
        if step and text:
            return f"right at first, but in step {step + 1} {text}"
        if step:
            return f"right at first, wrong from step {step + 1} on: is the state updated, and kept?"
        return text

    def _zeros(self) -> None:
        received = self._steps(copied(self.mine), np.zeros_like(self.gradients))
        if not np.isfinite(received).all():
            fault = "a gradient of 0 gives NaN or infinity", "epsilon prevents a division by 0"
            self.marks.judge("gradient of 0", [fault])
        self.marks.judge("gradient of 0", ())

    def _in_float32(self) -> None:
        [layer] = _layers(7, dtype=np.float32)
        _give(layer, self.gradients[0, 0].astype(np.float32))
        self._step(copied(self.mine), [layer])
        finite = all(np.isfinite(a).all() for a in (layer.weights, layer.biases))
        fault = "float32 parameters become NaN or infinite", ""
        self.marks.judge("float32", [] if finite else [fault])


def _not_moving(changes: Array) -> str:
    """Say what is not updated at all, if anything."""
    if not changes.any():
        return "nothing moves: change layer.weights in place, or assign to it"
    if not changes[:, :, int(np.prod(SHAPES["weights"])) :].any():
        return "the biases do not move: update layer.biases as layer.weights"
    if not changes[:, 1].any():
        return "the second layer does not move: update the layer that is given"
    return ""


def _numbers(layer: Any) -> Array:
    return np.concatenate([np.ravel(layer.weights), np.ravel(layer.biases)])


def _gradients(layer: Any) -> Array:
    return np.concatenate([np.ravel(layer.dweights), np.ravel(layer.dbiases)])


def _give(layer: Any, gradient: Array) -> None:
    split = layer.weights.size
    layer.dweights = gradient[:split].reshape(SHAPES["weights"]).copy()
    layer.dbiases = gradient[split:].reshape(SHAPES["biases"]).copy()


def _equal_changes(received: Array, expected: Array, nan: bool = False) -> Array:
    """Return where changes are equal; tiny ones are compared as exactly as large ones.

    Args:
        nan: whether NaN equals NaN, as it does where the same mistake leads to both.
    """
    if received.shape != expected.shape:
        return np.zeros(received.shape, dtype=bool)
    with np.errstate(all="ignore"):
        close: Array = np.abs(received - expected) <= 1e-5 * np.abs(expected) + 1e-14
        equal = close | equal_elements(received, expected) & (np.abs(expected) > 1e-3)
    return equal | (np.isnan(received) & np.isnan(expected)) if nan else equal
