"""Faults that the gradients of a single batch do not show; and right work that has to pass."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework import Dense, Loss, Model, Sequential, Tanh, check_gradients
from tests.framework.inspection.right_operations import (
    RIGHT_OPERATIONS,
    FixedBatch,
    FixedWeights,
    MadeInFirstForward,
    OwnNormalization,
    Pairs,
    Slotted,
    SquaredError,
)
from tests.framework.inspection.wrong_operations import WRONG_LOSSES, WRONG_OPERATIONS
from tests.strategies import generator

INPUTS = np.random.default_rng(0).uniform(0.2, 2.0, size=(6, 4))
TARGETS = np.random.default_rng(1).normal(size=(6, 4))


def model_with(operation: Any, loss: Loss | None = None) -> Model:
    network = Model([Dense(4, 4), operation, Tanh()])
    network.set(loss=loss or SquaredError())
    network.finalize()
    return network


@pytest.mark.parametrize("wrong", WRONG_OPERATIONS, ids=lambda cls: cls.__name__)
def test_a_wrong_operation_is_caught_and_named(wrong: type) -> None:
    report = check_gradients(wrong(), INPUTS)
    assert not report.passed
    assert any(WRONG_OPERATIONS[wrong] in fault for fault in report.faults)
    assert WRONG_OPERATIONS[wrong] in str(report)
    assert "FAILED" in str(report)


@pytest.mark.parametrize("wrong", WRONG_OPERATIONS, ids=lambda cls: cls.__name__)
def test_a_wrong_operation_is_caught_inside_a_model(wrong: type) -> None:
    report = check_gradients(model_with(wrong()), INPUTS, TARGETS)
    assert not report.passed
    assert report.faults
    assert not check_gradients(Sequential([wrong(), Tanh()]), INPUTS).passed


@pytest.mark.parametrize("wrong", WRONG_LOSSES, ids=lambda cls: cls.__name__)
def test_a_wrong_loss_is_caught_and_named(wrong: type) -> None:
    report = check_gradients(wrong(), INPUTS, TARGETS)
    assert not report.passed
    assert WRONG_LOSSES[wrong] in " ".join(report.faults)
    assert not check_gradients(model_with(Tanh(), wrong()), INPUTS, TARGETS).passed


@given(data=st.data(), samples=st.integers(2, 8))
def test_wrong_operations_are_caught_with_any_batch(data: st.DataObject, samples: int) -> None:
    inputs = generator(data.draw).uniform(0.2, 2.0, size=(samples, 4))
    wrong = data.draw(st.sampled_from(list(WRONG_OPERATIONS)))
    report = check_gradients(wrong(), inputs)
    assert not report.passed, report


@given(data=st.data(), samples=st.integers(1, 8), training=st.booleans())
def test_right_operations_pass_with_any_batch(
    data: st.DataObject, samples: int, training: bool
) -> None:
    inputs = generator(data.draw).uniform(0.2, 2.0, size=(samples, 4))
    right = data.draw(st.sampled_from(RIGHT_OPERATIONS))
    if right is OwnNormalization and samples == 1:
        return  # a single sample has no variance
    report = check_gradients(right(), inputs, training=training)
    assert report.passed, report
    targets = generator(data.draw).normal(size=(samples, 4))
    if right is not MadeInFirstForward:  # which gives three outputs
        report = check_gradients(model_with(right()), inputs, targets, training=training)
        assert report.passed, report


@pytest.mark.parametrize("right", RIGHT_OPERATIONS, ids=lambda cls: cls.__name__)
def test_a_right_operation_passes_without_a_remark(right: type) -> None:
    report = check_gradients(right(), INPUTS)
    assert report.passed, report
    assert report.notes == ()


def test_an_operation_that_has_run_before_passes() -> None:
    for right in RIGHT_OPERATIONS:
        operation = right()
        arguments = (True,) if right.__name__ == "LibraryDropout" else ()
        operation.forward(INPUTS[:3].copy(), *arguments)
        operation.backward(np.ones_like(operation.output))
        report = check_gradients(operation, INPUTS)
        assert report.passed, report


def test_an_impossible_second_batch_is_no_fault_and_is_said() -> None:
    said = "only batches of 6 samples were checked: one of 5 samples raises ValueError:"
    report = check_gradients(FixedBatch(), INPUTS)
    assert report.passed, report
    assert said in str(report)
    report = check_gradients(FixedWeights(), INPUTS, TARGETS)
    assert report.passed, report
    assert said in str(report)
    # Five and seven samples make no pairs, twelve do.
    report = check_gradients(Pairs(), INPUTS)
    assert report.passed, report
    assert report.notes == ()


def test_the_callers_targets_are_left_as_they_were() -> None:
    targets = TARGETS.copy()
    (wrong,) = [cls for cls in WRONG_LOSSES if cls.__name__ == "WritesIntoTargets"]
    check_gradients(wrong(), INPUTS, targets)
    check_gradients(model_with(Tanh(), wrong()), INPUTS, targets)
    np.testing.assert_array_equal(targets, TARGETS)


def test_randomness_is_named_also_where_the_operation_cannot_be_watched() -> None:
    class SlottedNoise(Slotted):
        __slots__ = ()

        def forward(self, inputs: np.ndarray) -> None:
            self.output = inputs + 1e-12 * np.random.default_rng().random(inputs.shape)

    report = check_gradients(SlottedNoise(), INPUTS)
    assert not report.passed
    (fault,) = report.faults
    assert "two forward passes of the same inputs differ" in fault


def test_a_container_of_ones_own_is_watched_like_an_operation() -> None:
    class Centred(Sequential):
        def forward(self, inputs: np.ndarray, training: bool = True) -> np.ndarray:
            inputs -= 1.0
            return super().forward(inputs, training)

    report = check_gradients(Sequential([Tanh(), Centred([Tanh()])]), INPUTS)
    assert not report.passed
    assert "forward writes into inputs, which it was given" in report.faults[0]
    assert "Centred" in report.faults[0]
