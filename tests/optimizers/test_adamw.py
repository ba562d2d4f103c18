"""AdamW against its formula and PyTorch."""

from collections.abc import Callable
from typing import Any

import pytest

from optimizers import AdamW
from tests.optimizers.references import Formula, assert_agrees_with_pytorch, assert_follows
from tests.optimizers.test_adam import adam


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda: AdamW(), adam(0.001, weight_decay=0.01)),
        (lambda: AdamW(0.1, 0.01, 0.1, 0.8, 0.9, 0.3), adam(0.1, 0.01, 0.1, 0.8, 0.9, 0.3)),
    ],
    ids=["defaults", "every option"],
)
def test_a_hundred_steps_follow_the_formula(make: Callable[[], AdamW], formula: Formula) -> None:
    assert_follows(make, formula)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: AdamW(0.01, weight_decay=0.3), {"lr": 0.01, "eps": 1e-7, "weight_decay": 0.3}),
    ],
)
@pytest.mark.parametrize("max_norm", [None, 1.5])
def test_a_hundred_steps_agree_with_pytorch(
    make: Callable[[], AdamW], options: dict[str, Any], max_norm: float | None
) -> None:
    assert_agrees_with_pytorch(make, "AdamW", options, max_norm)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdamW(weight_decay=-1), "weight_decay must be"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], AdamW], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
