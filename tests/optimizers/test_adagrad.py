"""Adagrad against its formula and PyTorch."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from optimizers import Adagrad
from tests.optimizers.references import Formula, assert_agrees_with_pytorch, assert_follows


def adagrad(lr: float, decay: float = 0, epsilon: float = 1e-7) -> Formula:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        cache = memory["cache"] = memory.get("cache", 0.0) + g**2
        return w - lr / (1 + decay * step) * g / (math.sqrt(cache) + epsilon)

    return update


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda: Adagrad(), adagrad(1.0)),
        (lambda: Adagrad(0.1, 0.01, 0.1), adagrad(0.1, 0.01, 0.1)),
    ],
    ids=["defaults", "every option"],
)
def test_a_hundred_steps_follow_the_formula(make: Callable[[], Adagrad], formula: Formula) -> None:
    assert_follows(make, formula)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: Adagrad(0.1), {"lr": 0.1, "eps": 1e-7}),
        (lambda: Adagrad(0.1, 0.01), {"lr": 0.1, "eps": 1e-7, "lr_decay": 0.01}),
    ],
)
@pytest.mark.parametrize("max_norm", [None, 1.5])
def test_a_hundred_steps_agree_with_pytorch(
    make: Callable[[], Adagrad], options: dict[str, Any], max_norm: float | None
) -> None:
    assert_agrees_with_pytorch(make, "Adagrad", options, max_norm)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adagrad(epsilon=0), "epsilon must be greater than 0"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], Adagrad], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
