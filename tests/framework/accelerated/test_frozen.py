"""Frozen operations are computed by kernels too, and stay as they are."""

import copy
from typing import Any

import pytest

pytest.importorskip("numba")

from framework import Dense, MeanSquaredError, ReLU
from optimizers.optimizer import parameter_names
from tests.framework.accelerated.test_kernels import (
    GROUPS,
    X,
    Y,
    assert_same_training,
    between_dense_layers,
)

TRAINED = [group for group in GROUPS if parameter_names(group[0])]


def frozen(*operations: Any) -> Any:
    for operation in operations:
        operation.trainable = False
    return operations


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("group", TRAINED, ids=repr)
def test_a_frozen_operation_is_left_as_in_plain_numpy(group: Any) -> None:
    operations = between_dense_layers(*frozen(*copy.deepcopy(group)))
    assert_same_training(operations, "float32", X, Y, MeanSquaredError())


def test_frozen_operations_may_come_before_what_is_trained() -> None:
    operations = [*frozen(Dense(4, 6, weight_regularizer_l2=0.1)), ReLU(), Dense(6, 2)]
    assert_same_training(operations, "float32", X, Y, MeanSquaredError())
