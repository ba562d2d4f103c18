"""Warnings of a training that cannot learn, each with its remedy."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from framework.containers.calls import LeafPass, call, training_argument
from framework.inspection.diagnosis import missing_activation
from framework.layers.batch_normalization import BatchNormalization
from framework.operation import describe
from framework.training.state import Training
from framework.utils import rng
from framework.utils.warnings import warn_user
from optimizers.arrays import Array

# Rows for which predictions of an operation are compared: a dropout leaves out some of them.
COMPARED_ROWS = 64


def warn_of_obstacles(training: Training, passes: Sequence[LeafPass]) -> None:
    """Warn of a model that cannot learn or predict as it is put together.

    ``passes`` are those of its operations for a batch of one.
    """
    model, last = training.model, passes[-1]
    if activation := missing_activation(model, last.output):
        warn_user(
            f"{type(model.loss).__name__} compares probabilities, but the outputs of "
            f"{describe(last.operation)}, the last operation, are none: add {activation}() at the "
            "end"
        )
    _warn_of_batches_of_one(training, passes)
    _warn_of_training_when_predicting(passes)


def warn_if_unchanged(training: Training, before: Array) -> None:
    """Warn if the updates so far have left the parameters as they were ``before``."""
    model = training.model
    if training.learning_rate <= 0 or not np.array_equal(model.parameters.weights, before):
        return
    if model.parameters.dweights.any():
        warn_user(
            f"{training.batch:,} updates of {describe(model.optimizer)} have not changed any "
            "parameter, though the gradients are not 0, so nothing is learned. Its update has to "
            "write into the array that it is given, as parameter -= step does; "
            "parameter = parameter - step makes another array"
        )


def _warn_of_batches_of_one(training: Training, passes: Sequence[LeafPass]) -> None:
    samples = training.data.batch_size * training.shards
    for leaf, _, output in passes:
        if not isinstance(leaf, BatchNormalization) or output.size > leaf.n_features:
            continue
        if (samples if leaf.synchronized else samples // training.ranks) <= 1:
            warn_user(
                f"{describe(leaf)} normalizes each batch of a single sample to 0, so nothing is "
                "learned: give a batch_size of 2 or more"
            )
            return


def _warn_of_training_when_predicting(passes: Sequence[LeafPass]) -> None:
    """Warn of operations that cannot know whether they train, and predict as if they did."""
    for leaf, values, _ in passes:
        if type(leaf).__module__.startswith("framework.") or training_argument(leaf):
            continue
        # 0 stays 0 under a mask, and equal rows have no variance.
        row = np.where(values == 0, 1, values)
        rows = np.concatenate([row * (1 + i / COMPARED_ROWS) for i in range(COMPARED_ROWS)])
        if found := _found_in_predictions(leaf, rows.astype(values.dtype, copy=False)):
            warn_user(
                f"{describe(leaf)} {found}, also when the model predicts, since its forward does "
                "not know whether it is training: write forward(self, inputs, training=True), and "
                "leave that out where training is False"
            )


def _found_in_predictions(operation: Any, inputs: Array) -> str:
    numpy_state, python_state = np.random.get_state(), random.getstate()
    half = len(inputs) // 2
    try:
        with rng.preserve_rng(), np.errstate(all="ignore"):
            copied = copy.deepcopy(operation)
            first, again, of_half = (
                np.array(call(copied, "", rows, training=False))
                for rows in (inputs, inputs, inputs[:half])
            )
        if not np.array_equal(first, again, equal_nan=True):
            return "gives different outputs for the same inputs"
        if not np.allclose(first[:half], of_half, rtol=1e-2, atol=1e-4, equal_nan=True):
            return "gives a sample other outputs in another batch"
    except Exception:
        pass  # it cannot be copied, or does not take such inputs
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
    return ""
