"""RMSprop against its formula and PyTorch."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from optimizers import RMSprop
from tests.optimizers.references import Formula, assert_agrees_with_pytorch, assert_follows


def rmsprop(lr: float, decay: float = 0, epsilon: float = 1e-7, rho: float = 0.9) -> Formula:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        cache = memory["cache"] = rho * memory.get("cache", 0.0) + (1 - rho) * g**2
        return w - lr / (1 + decay * step) * g / (math.sqrt(cache) + epsilon)

    return update


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda: RMSprop(), rmsprop(0.001)),
        (lambda: RMSprop(0.1, 0.01, 0.1, 0.7), rmsprop(0.1, 0.01, 0.1, 0.7)),
    ],
    ids=["defaults", "every option"],
)
def test_a_hundred_steps_follow_the_formula(make: Callable[[], RMSprop], formula: Formula) -> None:
    assert_follows(make, formula)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: RMSprop(0.01), {"lr": 0.01, "eps": 1e-7, "alpha": 0.9}),
        (lambda: RMSprop(0.01, rho=0.7), {"lr": 0.01, "eps": 1e-7, "alpha": 0.7}),
    ],
)
@pytest.mark.parametrize("max_norm", [None, 1.5])
def test_a_hundred_steps_agree_with_pytorch(
    make: Callable[[], RMSprop], options: dict[str, Any], max_norm: float | None
) -> None:
    assert_agrees_with_pytorch(make, "RMSprop", options, max_norm)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RMSprop(rho=1), "rho must be"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], RMSprop], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
