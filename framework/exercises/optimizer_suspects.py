"""Mistakes that are made in optimizers, each with the steps that it leads to."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any, TypeAlias

import numpy as np

import optimizers
from framework.exercises.comparison import Suspect
from framework.exercises.operation_suspects import other_values
from framework.utils.exports import exported
from optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop
from optimizers.arrays import Array
from optimizers.configuration import constructor_arguments
from optimizers.optimizer import State

# Gives the changes of all parameters in all steps, ``(steps, numbers)``, for an optimizer.
Run: TypeAlias = Callable[[Any], Array]
Update: TypeAlias = Callable[[Any, Array, Array, Any], None]


def step_suspects(reference: Any, run: Run, negated: Run) -> Iterator[Suspect]:
    """Yield wrong steps.

    Args:
        reference: the optimizer, before its first step.
        run: runs an optimizer over the gradients; ``negated`` over those of opposite sign.
    """
    yield (
        "the step goes uphill: the gradient is to be subtracted, not added",
        negated(copy.deepcopy(reference)),
    )
    for base, mistakes in MISTAKES.items():
        if type(reference) is base:
            for text, update in mistakes:
                yield text, run(_with_update(reference, update))
    if reference.decay:
        yield (
            "the learning rate does not fall: is decay used, and does post_update_params count "
            "iterations?",
            run(_changed(reference, {"decay": 0.0})),
        )
    yield from _of_arguments(reference, run)
    yield (
        "nothing is kept from one step to the next: the state has to outlive the step, for each "
        "layer",
        run(_Forgetful(copy.deepcopy(reference))),
    )
    yield (
        "as if every step were the first: post_update_params has to count iterations",
        run(_Counting(copy.deepcopy(reference), lambda step, layer: 0)),
    )
    for anew in (False, True):
        yield (
            "steps are counted once for each layer: count them in post_update_params",
            run(_Counting(copy.deepcopy(reference), lambda step, layer: 2 * step + layer, anew)),
        )
    yield (
        "the count of steps is one ahead: iterations is 0 in the first step",
        run(_Counting(copy.deepcopy(reference), lambda step, layer: step + 1)),
    )
    yield (
        "all layers share one state: each parameter needs a state of its own",
        run(_Sharing(copy.deepcopy(reference))),
    )
    for other in exported(optimizers, Optimizer).values():
        shared = constructor_arguments(other).keys() & constructor_arguments(type(reference)).keys()
        if other is not type(reference):
            found = other(**{name: getattr(reference, name) for name in shared})
            yield f"what {other.__name__} computes, not {type(reference).__name__}", run(found)
    yield "the gradient itself, without the learning rate", run(SGD(1.0))
    rate = reference.learning_rate
    if not callable(rate):
        yield "plain gradient descent: the state is not used", run(SGD(rate, reference.decay))


def _of_arguments(reference: Any, run: Run) -> Iterator[Suspect]:
    arguments = constructor_arguments(type(reference))
    numbers = {
        name: getattr(reference, name)
        for name in arguments
        if isinstance(getattr(reference, name), float)
    }
    for name in arguments:
        if isinstance(getattr(reference, name), bool):
            changed = _changed(reference, {name: not getattr(reference, name)})
            yield f"as if {name} were {not getattr(reference, name)}", run(changed)
    for first, second in itertools.combinations(numbers, 2):
        if numbers[first] != numbers[second]:
            exchanged = {first: numbers[second], second: numbers[first]}
            yield f"{first} and {second} are exchanged", run(_changed(reference, exchanged))
    for name, value in numbers.items():
        for text, other in other_values(name, value, arguments[name].default):
            yield text, run(_changed(reference, {name: other}))


def _changed(reference: Any, values: dict[str, Any]) -> Any:
    found = copy.deepcopy(reference)
    for name, value in values.items():
        setattr(found, name, value)
    return found


def _with_update(reference: Any, update: Update) -> Any:
    found = copy.deepcopy(reference)
    found.update = MethodType(update, found)
    return found


class _Wrapped:
    """An optimizer whose three calls go to another one."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer, self.layers, self.step = optimizer, 0, 0

    def pre_update_params(self) -> None:
        self.layers = 0
        self.optimizer.pre_update_params()

    def update_params(self, layer: Any) -> None:
        self.optimizer.update_params(layer)
        self.layers += 1

    def post_update_params(self) -> None:
        self.optimizer.post_update_params()
        self.step += 1


class _Forgetful(_Wrapped):
    def update_params(self, layer: Any) -> None:
        self.optimizer.forget(layer)
        super().update_params(layer)


class _Counting(_Wrapped):
    """Counts steps as a function of the step and of the number of the layer in it."""

    def __init__(
        self, optimizer: Any, count: Callable[[int, int], int], anew: bool = False
    ) -> None:
        super().__init__(optimizer)
        self.count, self.anew = count, anew  # whether each layer has a learning rate of its own

    def update_params(self, layer: Any) -> None:
        self.optimizer.iterations = self.count(self.step, self.layers)
        if self.anew:
            self.optimizer.pre_update_params()
        super().update_params(layer)

    def pre_update_params(self) -> None:
        self.optimizer.iterations = self.count(self.step, 0)
        super().pre_update_params()


class _Sharing(_Wrapped):
    def update_params(self, layer: Any) -> None:
        for name in ("weights", "biases"):
            states = self.optimizer.state(self.optimizer).setdefault(name, State())
            self.optimizer.update(getattr(layer, name), getattr(layer, "d" + name), states)


# Of single classes


def _sgd(mistake: str) -> Update:
    def update(self: Any, parameter: Array, gradient: Array, state: Any) -> None:
        rate, momentum = self.current_learning_rate, self.momentum
        velocity = state.array("velocity", like=parameter)
        if mistake == "dampened":
            velocity[...] = momentum * velocity - (1 - momentum) * rate * gradient
        elif mistake == "added":
            velocity[...] = momentum * velocity + rate * gradient
        elif mistake == "before":
            parameter += velocity
            velocity[...] = momentum * velocity - rate * gradient
            return
        elif mistake == "gradient kept":
            parameter += momentum * velocity - rate * gradient
            velocity[...] = -rate * gradient
            return
        elif mistake == "rate twice":
            velocity[...] = momentum * velocity - rate * gradient
            parameter += rate * velocity
            return
        elif mistake == "parameter":
            velocity[...] = momentum * parameter - rate * gradient
        parameter += velocity

    return update


def _adaptive(mistake: str) -> Update:
    """Adagrad and RMSprop with one mistake."""

    def update(self: Any, parameter: Array, gradient: Array, state: Any) -> None:
        rate, epsilon = self.current_learning_rate, self.epsilon
        rho = getattr(self, "rho", None)
        cache = state.array("cache", like=parameter)
        square = np.abs(gradient) if mistake == "not squared" else gradient**2
        old = cache.copy()
        if rho is None:
            cache[...] = square if mistake == "replaced" else cache + square
        else:
            cache[...] = rho * cache + (1 if mistake == "no 1 - rho" else 1 - rho) * square
        used = old if mistake == "before" else cache
        if mistake == "no root":
            parameter -= rate * gradient / (used + epsilon)
        elif mistake == "epsilon inside":
            parameter -= rate * gradient / np.sqrt(used + epsilon)
        elif mistake == "no epsilon":
            parameter -= rate * gradient / np.sqrt(used)
        elif mistake == "multiplied":
            parameter -= rate * gradient * (np.sqrt(used) + epsilon)
        elif mistake == "no gradient":
            parameter -= rate / (np.sqrt(used) + epsilon)
        else:
            parameter -= rate * gradient / (np.sqrt(used) + epsilon)

    return update


def _adam(mistake: str) -> Update:
    def update(self: Any, parameter: Array, gradient: Array, state: Any) -> None:
        b1, b2, step = self.beta_1, self.beta_2, self.iterations + 1
        momentum, cache = (state.array(name, like=parameter) for name in ("momentum", "cache"))
        share_1 = 1 if mistake == "no 1 - beta_1" else 1 - b1
        share_2 = 1 if mistake == "no 1 - beta_2" else 1 - b2
        momentum[...] = b1 * momentum + share_1 * gradient
        squared = {"not squared": np.abs(gradient), "of momentum": momentum**2}
        cache[...] = b2 * cache + share_2 * squared.get(mistake, gradient**2)
        power = {"one behind": step - 1, "one ahead": step + 1, "no power": 1}.get(mistake, step)
        by_1, by_2 = 1 - b1**power, 1 - b2**power
        if mistake == "times":
            by_1, by_2 = 1 - b1 * step, 1 - b2 * step
        if mistake in ("no correction", "cache only"):
            by_1 = 1
        if mistake in ("no correction", "momentum only"):
            by_2 = 1
        if mistake == "exchanged":
            by_1, by_2 = by_2, by_1
        corrected, corrected_cache = momentum / by_1, cache / by_2
        if mistake == "kept":
            momentum[...], cache[...] = corrected, corrected_cache
        if mistake == "gradient":
            corrected = gradient
        divisor = np.sqrt(corrected_cache) + self.epsilon
        if mistake == "no root":
            divisor = corrected_cache + self.epsilon
        elif mistake == "epsilon inside":
            divisor = np.sqrt(corrected_cache + self.epsilon)
        elif mistake == "no epsilon":
            divisor = np.sqrt(corrected_cache)
        parameter -= self.current_learning_rate * corrected / divisor

    return update


_ROOTS = (
    ("divided by the cache in place of its root", "no root"),
    ("epsilon is inside of the root: it is added after it", "epsilon inside"),
    ("epsilon is missing", "no epsilon"),
    ("the gradient is not squared in the cache", "not squared"),
)
_ADAPTIVE = (
    *_ROOTS,
    ("the cache is updated after the step: update it first", "before"),
    ("multiplied by the root in place of divided", "multiplied"),
    ("the gradient is missing in the step", "no gradient"),
)
MISTAKES: dict[type, list[tuple[str, Update]]] = {
    SGD: [
        (text, _sgd(mistake))
        for text, mistake in (
            ("the gradient is multiplied by 1 − momentum: here it is not", "dampened"),
            ("the velocity goes uphill: the gradient is to be subtracted from it", "added"),
            ("the parameter moves before the velocity is updated", "before"),
            ("the velocity is not kept, only the last gradient is", "gradient kept"),
            ("the learning rate is multiplied in twice", "rate twice"),
            ("momentum multiplies the parameter in place of the velocity", "parameter"),
        )
    ],
    Adagrad: [
        (text, _adaptive(mistake))
        for text, mistake in (
            ("the cache is replaced: squares have to be added up, `+=` not `=`", "replaced"),
            *_ADAPTIVE,
        )
    ],
    RMSprop: [
        (text, _adaptive(mistake))
        for text, mistake in (("the factor 1 − rho is missing", "no 1 - rho"), *_ADAPTIVE)
    ],
    Adam: [
        (text, _adam(mistake))
        for text, mistake in (
            ("the bias correction is missing: divide both by 1 − betaᵗ", "no correction"),
            ("the bias correction of the cache is missing", "momentum only"),
            ("the bias correction of the momentum is missing", "cache only"),
            ("t is one behind: it is iterations + 1, and 1 in the first step", "one behind"),
            ("t is one ahead: it is iterations + 1, and 1 in the first step", "one ahead"),
            (
                "t is 1 in every step: is beta raised to the power t in the bias correction, and "
                "does post_update_params count iterations?",
                "no power",
            ),
            ("beta is multiplied by t: it is beta to the power t", "times"),
            ("the corrected values are stored: keep those before the correction", "kept"),
            ("the bias corrections of momentum and cache are exchanged", "exchanged"),
            ("the gradient in place of the momentum", "gradient"),
            ("the cache is made of the momentum in place of the gradient", "of momentum"),
            ("the factor 1 − beta_1 is missing", "no 1 - beta_1"),
            ("the factor 1 − beta_2 is missing", "no 1 - beta_2"),
            *_ROOTS,
        )
    ],
}
