"""Learning rates that change with the number of steps.

A schedule is a function ``iterations -> learning rate``, given in place of a rate:

    Adam(learning_rate=CosineDecay(0.01, steps=10_000))

Any function of one number is a schedule. Those of this module are objects, which can be printed
and saved. A step is a batch, not an epoch.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from optimizers.checks import check_count, check_non_negative, check_positive
from optimizers.configuration import Configurable


class StepDecay(Configurable):
    """``initial * factor ^ ⌊iterations / every⌋``: a drop every ``every`` steps.

    >>> rate = StepDecay(0.1, every=100, factor=0.5)
    >>> rate(0), rate(99), rate(100), rate(200)
    (0.1, 0.1, 0.05, 0.025)
    """

    def __init__(self, initial: float, every: int, factor: float = 0.1) -> None:
        self.initial = check_positive("initial", initial)
        self.every = check_count("every", every)
        self.factor = check_positive("factor", factor)

    def __call__(self, iterations: int) -> float:
        return self.initial * self.factor ** (iterations // self.every)


class ExponentialDecay(Configurable):
    """``initial * factor ^ (iterations / every)``: the decay of ``StepDecay``, but smooth.

    >>> rate = ExponentialDecay(0.1, every=100, factor=0.25)
    >>> rate(0), rate(50), rate(100)
    (0.1, 0.05, 0.025)
    """

    def __init__(self, initial: float, every: int, factor: float = 0.1) -> None:
        self.initial = check_positive("initial", initial)
        self.every = check_count("every", every)
        self.factor = check_positive("factor", factor)

    def __call__(self, iterations: int) -> float:
        return self.initial * self.factor ** (iterations / self.every)


class CosineDecay(Configurable):
    """Half a cosine from ``initial`` down to ``final`` in ``steps`` steps, then ``final``.

        final + (initial - final) * (1 + cos(π * iterations / steps)) / 2

    Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts",
    ICLR 2017 (one period, without restarts).

    >>> rate = CosineDecay(0.1, steps=100)
    >>> rate(0), round(rate(50), 6), rate(100), rate(1000)
    (0.1, 0.05, 0.0, 0.0)
    """

    def __init__(self, initial: float, steps: int, final: float = 0.0) -> None:
        self.initial = check_positive("initial", initial)
        self.steps = check_count("steps", steps)
        self.final = check_non_negative("final", final)

    def __call__(self, iterations: int) -> float:
        share = min(iterations / self.steps, 1.0)
        return self.final + (self.initial - self.final) * (1 + math.cos(math.pi * share)) / 2


class LinearWarmup(Configurable):
    """A linear rise to the first rate of ``then`` in ``steps`` steps, followed by ``then``.

        then(0) * (iterations + 1) / (steps + 1)     for iterations < steps
        then(iterations - steps)                     afterwards

    ``then`` is a number or another schedule. The first step is above 0, so it is not wasted.

    Source: Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017.

    >>> rate = LinearWarmup(steps=3, then=CosineDecay(0.4, steps=100))
    >>> [round(rate(iteration), 6) for iteration in range(4)]
    [0.1, 0.2, 0.3, 0.4]
    """

    def __init__(self, steps: int, then: float | Callable[[int], float]) -> None:
        self.steps = check_count("steps", steps)
        self.then = then if callable(then) else check_positive("then", then)

    def __call__(self, iterations: int) -> float:
        if iterations < self.steps:
            return self._after(0) * (iterations + 1) / (self.steps + 1)
        return self._after(iterations - self.steps)

    def _after(self, iterations: int) -> float:
        return self.then(iterations) if callable(self.then) else self.then
