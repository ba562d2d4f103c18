"""Adam against its formula and PyTorch."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from optimizers import Adam
from tests.optimizers.references import Formula, assert_agrees_with_pytorch, assert_follows


def adam(
    lr: float,
    decay: float = 0,
    epsilon: float = 1e-7,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    weight_decay: float = 0,
) -> Formula:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        rate, t = lr / (1 + decay * step), step + 1
        w -= rate * weight_decay * w  # of AdamW, before the step
        m = memory["m"] = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
        c = memory["c"] = beta_2 * memory.get("c", 0.0) + (1 - beta_2) * g**2
        return w - rate * (m / (1 - beta_1**t)) / (math.sqrt(c / (1 - beta_2**t)) + epsilon)

    return update


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda: Adam(), adam(0.001)),
        (lambda: Adam(0.1, 0.01, 0.1, 0.8, 0.9), adam(0.1, 0.01, 0.1, 0.8, 0.9)),
    ],
    ids=["defaults", "every option"],
)
def test_a_hundred_steps_follow_the_formula(make: Callable[[], Adam], formula: Formula) -> None:
    assert_follows(make, formula)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: Adam(0.01), {"lr": 0.01, "eps": 1e-7}),
        (
            lambda: Adam(0.01, epsilon=0.1, beta_1=0.8, beta_2=0.9),
            {"lr": 0.01, "eps": 0.1, "betas": (0.8, 0.9)},
        ),
    ],
)
@pytest.mark.parametrize("max_norm", [None, 1.5])
def test_a_hundred_steps_agree_with_pytorch(
    make: Callable[[], Adam], options: dict[str, Any], max_norm: float | None
) -> None:
    assert_agrees_with_pytorch(make, "Adam", options, max_norm)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(beta_1=1), "beta_1 must be"),
        (lambda: Adam(beta_2=-0.1), "beta_2 must be"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], Adam], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
