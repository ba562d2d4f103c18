"""SGD against its formula and PyTorch."""

from collections.abc import Callable
from typing import Any

import pytest

from optimizers import SGD
from tests.optimizers.references import Formula, assert_agrees_with_pytorch, assert_follows


def sgd(lr: float, decay: float = 0, momentum: float = 0, nesterov: bool = False) -> Formula:
    def update(w: float, g: float, step: int, memory: dict[str, float]) -> float:
        rate = lr / (1 + decay * step)
        v = memory["v"] = momentum * memory.get("v", 0.0) - rate * g
        return w + momentum * v - rate * g if nesterov else w + v

    return update


@pytest.mark.parametrize(
    ("make", "formula"),
    [
        (lambda: SGD(), sgd(1.0)),
        (lambda: SGD(0.1, 0.01), sgd(0.1, 0.01)),
        (lambda: SGD(0.1, 0.01, 0.9), sgd(0.1, 0.01, 0.9)),
        (lambda: SGD(0.1, 0.01, 0.9, True), sgd(0.1, 0.01, 0.9, True)),
    ],
    ids=["defaults", "decay", "momentum", "nesterov"],
)
def test_a_hundred_steps_follow_the_formula(make: Callable[[], SGD], formula: Formula) -> None:
    assert_follows(make, formula)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (lambda: SGD(0.1), {"lr": 0.1}),
        (lambda: SGD(0.1, momentum=0.9), {"lr": 0.1, "momentum": 0.9}),
        (
            lambda: SGD(0.1, momentum=0.9, nesterov=True),
            {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        ),
    ],
)
@pytest.mark.parametrize("max_norm", [None, 1.5])
def test_a_hundred_steps_agree_with_pytorch(
    make: Callable[[], SGD], options: dict[str, Any], max_norm: float | None
) -> None:
    assert_agrees_with_pytorch(make, "SGD", options, max_norm)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.0), "momentum must be at least 0 and less than 1"),
        (lambda: SGD(nesterov=True), "nesterov=True needs a momentum"),
    ],
)
def test_arguments_out_of_range_are_refused(make: Callable[[], SGD], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
