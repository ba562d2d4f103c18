"""What the outputs of a network stand for, such as classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from framework.accuracies.categorical import CategoricalAccuracy
from framework.activations.log_softmax import LogSoftmax
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.checks import check_fraction
from framework.operation import describe
from framework.utils.classes import check_not_nan
from optimizers.arrays import Array


def predictions_of(outputs: Array, accuracy: Any, activation: Any) -> Array:
    """Return the predictions that ``outputs`` stand for: see ``Supervised.predictions_of``."""
    for authority in (accuracy, activation):
        read = getattr(authority, "predictions", None)
        if callable(read):
            predictions: Array = read(outputs)
            return predictions
    return outputs


def classes_of(
    outputs: Array,
    accuracy: Any,
    activation: Any,
    parameters: Iterable[Array],
    threshold: float = 0.5,
) -> Array:
    """Return the class of each sample: see ``Model.predict_classes``.

    Args:
        outputs: of the operation ``activation``, the last one.
        parameters: the arrays that they were computed with.
        threshold: above it, the answer is yes.

    Raises ValueError if they are no classes, or NaN, or if there are more than two with a threshold
    of their own.
    """
    reader = accuracy if isinstance(accuracy, CategoricalAccuracy) else activation
    if not isinstance(reader, (CategoricalAccuracy, Softmax, LogSoftmax, Sigmoid)):
        raise ValueError(
            f"predict_classes needs Softmax() or Sigmoid() last, or CategoricalAccuracy(); "
            f"the model ends with {describe(activation)}"
        )
    check_not_nan(outputs, parameters)
    if check_fraction("threshold", threshold) != 0.5:
        if isinstance(reader, Sigmoid):
            answers = (outputs > threshold).astype(np.intp)
            return answers[:, 0] if answers.ndim == 2 and answers.shape[1] == 1 else answers
        if outputs.ndim != 2 or outputs.shape[1] != 2:
            raise ValueError(
                f"threshold={threshold} is for two classes, or for outputs of a sigmoid: the "
                f"largest of {outputs.shape[-1]} outputs has none"
            )
        return (outputs[:, 1] > threshold).astype(np.intp)
    classes = reader.predictions(outputs)
    return classes[:, 0] if classes.ndim == 2 and classes.shape[1] == 1 else classes
