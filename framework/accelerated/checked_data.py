"""Checks of the data right before compiled steps, which use labels and rows as indices.

The data were checked when training began, but callbacks and other threads may have changed them.
After these checks, nothing that says how large an array is, or where to look in it, can be changed
by others. Only the values of the targets can, until a step copies and checks them.
"""

from copy import copy
from typing import Any, NamedTuple

import numpy as np

from framework.accelerated.instructions import Instructions
from framework.accelerated.kernels import ACCURACIES, LOSSES
from framework.accelerated.workspace import as_compiled
from framework.accuracies import BinaryAccuracy, CategoricalAccuracy, RegressionAccuracy
from framework.losses.targets import binary_targets
from optimizers.arrays import Array


class CheckedData(NamedTuple):
    """Data that fit each other and the network.

    Attributes:
        X, labels, targets, weights, order: see ``BatchSource``.
        y_shape: the shape of one target as the loss takes it.
        samples: how many there are in all steps.
        accuracy, precision: see ``Network``.
    """

    X: Array
    labels: Array
    targets: Array
    y_shape: tuple[int, ...]
    weights: Array
    order: Array
    samples: int
    accuracy: int
    precision: float


def checked_data(
    X: Array,
    y: Array,
    weights: Array | None,
    order: Array | None,
    instructions: Instructions,
    loss: Any,
    accuracy: Any,
) -> CheckedData:
    """Return the data as the compiled code takes them.

    Args:
        X: samples that the network takes, an array that nobody else has.
        y, weights: targets and sample weights, None where all are equal.
        order: the rows to use, in order; None uses all.

    Raises:
        TypeError, ValueError, IndexError: they do not fit each other, the network, the loss or the
            accuracy.
    """
    y = np.asarray(y).view()
    if order is not None:
        order = _checked_rows(order, X, y)
        weights = None if weights is None else weights[order]
    if not are_checked(y, loss, instructions, X.dtype):
        if order is not None:
            X, y, order = X[order], y[order], None
        y = loss.check_targets(y, (len(X), *instructions.output_shape))
    labels, targets = np.empty(0, np.intp), y
    if y.ndim == 1:
        labels = as_compiled(y, np.dtype(np.intp))
        # An accuracy of numbers compares the labels of a single output as such.
        targets = y if isinstance(accuracy, BinaryAccuracy | RegressionAccuracy) else y[:0]
    targets = as_compiled(targets, X.dtype)
    targets = targets.reshape(len(targets), int(np.prod(targets.shape[1:])))
    _check_accuracy(accuracy, y, targets, instructions)
    precision = 0.0
    if isinstance(accuracy, RegressionAccuracy):
        precision = accuracy.current_precision or _precision_of_batch(accuracy, targets, order)
    if isinstance(accuracy, BinaryAccuracy) and loss.regression:
        used = targets if order is None else targets[order]
        binary_targets(used, used.shape)  # the loss takes any number
    samples = len(X) if order is None else len(order)
    weights = np.empty(0) if weights is None else np.array(weights, np.float64)
    if len(weights) and weights.shape != (samples,):
        raise ValueError(
            f"sample_weight must be one number for each sample, of shape ({samples},), "
            f"received shape {weights.shape}"
        )
    return CheckedData(
        X,
        labels,
        targets,
        y.shape[1:],
        weights,
        np.empty(0, np.intp) if order is None else order,
        samples,
        ACCURACIES.index(type(accuracy)),
        precision,
    )


def are_checked(y: Array, loss: Any, instructions: Instructions, dtype: np.dtype[Any]) -> bool:
    """Whether ``y`` are targets of the kind and the shape that ``loss.check_targets`` returns."""
    if y.ndim == 1:
        kernel = next(kernel for kernel in LOSSES if kernel.loss is type(loss))
        return kernel.takes_labels and y.dtype == np.intp
    return y.dtype == dtype and y.shape[1:] == instructions.output_shape


def _checked_rows(order: Array, *arrays: Array) -> Array:
    """Return a copy of ``order``, whose numbers are rows of each of ``arrays``."""
    order = order.astype(np.intp, casting="same_kind")
    # Seen as unsigned, a negative number is larger than any row: one pass finds both.
    if np.maximum.reduce(order.view(np.uintp)) >= min(map(len, arrays)):
        for array in arrays:
            array.take(order, axis=0)  # raises IndexError, but for rows counted from the end
    return order


def _check_accuracy(accuracy: Any, y: Array, targets: Array, instructions: Instructions) -> None:
    """Raise the error of ``accuracy.compare`` for targets that do not fit it."""
    if isinstance(accuracy, CategoricalAccuracy):
        fits = y.ndim == 1 or (y.ndim == 2 and instructions.n_outputs > 1)
    else:
        fits = accuracy is None or targets.shape[1] == instructions.n_outputs
    if not fits:
        accuracy.compare(np.zeros((len(y), *instructions.output_shape)), y)
        raise ValueError(f"y of shape {y.shape} does not fit {accuracy!r}")


def _precision_of_batch(accuracy: RegressionAccuracy, targets: Array, order: Array | None) -> float:
    """Return the precision before ``init``, which depends on the batch: a call is of one."""
    known = copy(accuracy)
    known.init(targets if order is None else targets[order])
    return float(known.current_precision or 0.0)
