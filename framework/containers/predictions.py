"""What the outputs of a network stand for, such as classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from framework.accuracies.categorical import CategoricalAccuracy
from framework.activations.log_softmax import LogSoftmax
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
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
    outputs: Array, accuracy: Any, activation: Any, parameters: Iterable[Array]
) -> Array:
    """Return the class of each sample: see ``Model.predict_classes``.

    Args:
        outputs: of the operation ``activation``, the last one.
        parameters: the arrays that they were computed with.

    Raises ValueError if they are no classes, or NaN.
    """
    reader = accuracy if isinstance(accuracy, CategoricalAccuracy) else activation
    if not isinstance(reader, (CategoricalAccuracy, Softmax, LogSoftmax, Sigmoid)):
        raise ValueError(
            f"predict_classes needs Softmax() or Sigmoid() last, or CategoricalAccuracy(); "
            f"the model ends with {describe(activation)}"
        )
    check_not_nan(outputs, parameters)
    classes = reader.predictions(outputs)
    return classes[:, 0] if classes.ndim == 2 and classes.shape[1] == 1 else classes
