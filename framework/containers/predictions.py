"""What the outputs of a network stand for, such as classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from framework.accuracies.categorical import CategoricalAccuracy
from framework.accuracies.hinge import HingeAccuracy
from framework.activations.log_softmax import LogSoftmax
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.checks import check_fraction, check_number
from framework.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Hinge,
    SigmoidBinaryCrossentropy,
    SoftmaxCategoricalCrossentropy,
)
from framework.operation import describe
from framework.utils.classes import check_not_nan, yes_or_no
from optimizers.arrays import Array


def predictions_of(outputs: Array, accuracy: Any, activation: Any) -> Array:
    """Return the predictions that ``outputs`` stand for: see ``Supervised.predictions_of``."""
    for authority in (accuracy, activation):
        read = getattr(authority, "predictions", None)
        if callable(read):
            predictions: Array = read(outputs)
            return predictions
    return outputs


def known_of_outputs(accuracy: Any, loss: Any, activation: Any) -> dict[str, Any]:
    """Return what is known of the outputs, as arguments of the metrics of this library.

    ``multilabel`` says whether each output is a yes or no of its own, above ``threshold``, or they
    stand for classes, of which a sample has one. The accuracy decides, then the loss, then the last
    activation, the operation ``activation``.
    """
    if isinstance(accuracy, CategoricalAccuracy):
        return {"multilabel": False}
    if isinstance(loss, Hinge):
        return {"multilabel": True, "threshold": 0.0}
    if isinstance(loss, (CategoricalCrossentropy, SoftmaxCategoricalCrossentropy)):
        return {"multilabel": False}
    if isinstance(loss, (BinaryCrossentropy, SigmoidBinaryCrossentropy)):
        return {"multilabel": True}
    if isinstance(activation, (Softmax, LogSoftmax, Sigmoid)):
        return {"multilabel": isinstance(activation, Sigmoid)}
    return {}


def classes_of(
    outputs: Array,
    accuracy: Any,
    loss: Any,
    activation: Any,
    parameters: Iterable[Array],
    threshold: float | None = None,
) -> Array:
    """Return the class of each sample: see ``Model.predict_classes``.

    Args:
        outputs: of the operation ``activation``, the last one.
        parameters: the arrays that they were computed with.
        threshold: above it, the answer is yes; None for the middle, one half, or 0 for ``Hinge``.

    Raises ValueError if they are no classes, or NaN, or if there are more than two with a threshold
    of their own.
    """
    reader = activation
    if isinstance(accuracy, (CategoricalAccuracy, HingeAccuracy)):
        reader = accuracy
    elif isinstance(loss, Hinge):
        reader = HingeAccuracy()
    if not isinstance(reader, (CategoricalAccuracy, HingeAccuracy, Softmax, LogSoftmax, Sigmoid)):
        raise ValueError(
            f"predict_classes needs Softmax() or Sigmoid() last, the loss Hinge(), or "
            f"CategoricalAccuracy(); the model ends with {describe(activation)}"
        )
    check_not_nan(outputs, parameters)
    is_hinge = isinstance(reader, HingeAccuracy)
    if threshold is None:
        threshold = 0.0 if is_hinge else 0.5
    elif is_hinge:
        check_number("threshold", threshold)
    else:
        check_fraction("threshold", threshold)
    if is_hinge or isinstance(reader, Sigmoid):
        classes = yes_or_no(outputs, threshold)
        return classes[:, 0] if classes.ndim == 2 and classes.shape[1] == 1 else classes
    if threshold == 0.5:
        predicted: Array = reader.predictions(outputs)
        return predicted
    if outputs.ndim != 2 or outputs.shape[1] != 2:
        raise ValueError(
            f"threshold={threshold} is for two classes, or for outputs of a sigmoid: the "
            f"largest of {outputs.shape[-1]} outputs has none"
        )
    return (outputs[:, 1] > threshold).astype(np.intp)
