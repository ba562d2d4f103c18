"""The one way in for data: the arguments of ``train`` and ``evaluate`` become checked batches.

``training_batches`` takes data, targets, weights and validation data, and returns the batches to
train and to validate on. Data that do not fit are refused here, before any parameter has changed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from framework.containers.supervised import Supervised
from framework.data.arguments import DataArguments, ValidationData
from framework.data.batches import ArrayBatches, Batches, BatchStream
from framework.data.checks import RowsOf, Transform, all_rows, check_weighted_data
from framework.data.class_weights import weigh_stream_by_class
from framework.data.micro_batches import chosen_batch_size, evaluation_batch_size
from framework.data.validation_split import split_rows
from framework.utils.signatures import with_training
from framework.utils.warnings import warn_user
from optimizers.arrays import Array


class TrainingBatches(NamedTuple):
    """Where the batches of a training come from.

    Attributes:
        data: to train on.
        validation: to validate on, or None.
        evaluated: on which outputs are computed after each epoch: the validation data, or the
            training data where the model has metrics, but no validation data; else None.
    """

    data: Batches
    validation: Batches | None
    evaluated: Batches | None


def training_batches(
    model: Supervised, arguments: DataArguments, rows_of: RowsOf = all_rows
) -> TrainingBatches:
    """Return the checked batches of a training of ``model``.

    ``rows_of`` gives the rows that this process checks, of arrays that other processes check too.
    The class weights of arrays, which need those of all processes, are left to the caller.

    Raises TypeError, ValueError or BatchError for data that do not fit the model or each other.
    """
    y, weights = arguments.y, arguments.sample_weight
    transform, unchanged = (_told(arguments.transform, training) for training in (True, False))
    validation_data, split = arguments.validation_data, arguments.validation_split
    if validation_data is not None and split:
        raise ValueError("give validation_data or validation_split, not both")
    data: Batches
    validation: Batches | None = None
    evaluated: Batches | None = None
    if y is None:
        if weights is not None or split:
            raise ValueError(
                "sample_weight and validation_split need X and y as arrays; batches bring their "
                "weights themselves: (X, y, sample_weight)"
            )
        data = evaluated = BatchStream(model, arguments.X, transform)
        if arguments.class_weight is not None:
            weigh_stream_by_class(model, data, arguments.class_weight)
        differs = arguments.class_weight is not None or transform is not unchanged
        if model.metrics and validation_data is None and differs:
            evaluated = BatchStream(model, arguments.X, unchanged)  # which counts all alike
    else:
        shuffle = arguments.shuffle
        arrays = check_weighted_data(model, arguments.X, y, weights, transform, rows_of)
        rows, held_back = split_rows(ArrayBatches(*arrays).rows, split, shuffle)
        data = ArrayBatches(*arrays, rows, arguments.batch_size, shuffle, transform)
        if held_back is not None or model.metrics:
            rows = data.rows if held_back is None else held_back
            size = evaluation_batch_size(model, data.sample)
            evaluated = ArrayBatches(*arrays, rows, size, transform=unchanged)
            validation = None if held_back is None else evaluated
        has_classes = not getattr(model.loss, "regression", False)
        if has_classes and not shuffle and data.batches_per_epoch > 1:
            _warn_if_sorted_by_class(data.targets)
    if validation_data is not None:
        validation = _validation_batches(model, validation_data, unchanged, rows_of)
    if validation is not None or not model.metrics:
        evaluated = validation
    return TrainingBatches(data, validation, evaluated)


def evaluation_batches(
    model: Supervised,
    X: Any,
    y: ArrayLike | None,
    batch_size: int | None,
    sample_weight: ArrayLike | None,
) -> Batches:
    """Return the checked batches of an evaluation: see ``Model.evaluate`` for the arguments.

    Raises TypeError, ValueError or BatchError for data that do not fit the model or each other.
    """
    if y is None:
        if sample_weight is not None:
            raise ValueError("batches bring their weights themselves: (X, y, sample_weight)")
        return BatchStream(model, X)
    X, y, weights = check_weighted_data(model, X, y, sample_weight)
    size = chosen_batch_size(model, X, batch_size)
    return ArrayBatches(X, y, weights, batch_size=size)


def _told(transform: Transform | None, training: bool) -> Transform | None:
    return None if transform is None else with_training(transform, training)


def _validation_batches(
    model: Supervised, data: ValidationData, transform: Transform | None, rows_of: RowsOf
) -> Batches:
    if not isinstance(data, (tuple, list)):
        return BatchStream(model, data, transform, "validation_data")
    if len(data) not in (2, 3):
        raise ValueError(
            "validation_data must be a pair (X_val, y_val), or (X_val, y_val, sample_weight), or "
            "give such batches"
        )
    X, y, *rest = data
    try:
        arrays = check_weighted_data(model, X, y, rest[0] if rest else None, transform, rows_of)
        batches = ArrayBatches(*arrays, transform=transform)
        batches.batch_size = min(batches.batch_size, evaluation_batch_size(model, batches.sample))
    except (TypeError, ValueError) as error:
        raise type(error)(f"validation_data: {error}") from None
    return batches


def _warn_if_sorted_by_class(y: Array) -> None:
    """Warn if the labels ``y`` come class after class, so that most batches hold one class."""
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
    count = len(np.unique(classes))
    changes = np.count_nonzero(classes[1:] != classes[:-1])
    if 1 < count == changes + 1 and 2 * count <= len(classes):
        warn_user(
            "the labels come sorted by class, and are taken in that order: most batches hold a "
            "single class, so the network unlearns one class while it learns the next, and may "
            "end at chance level. Shuffle X and y together first: "
            "keys = np.random.permutation(len(X)); X, y = X[keys], y[keys]"
        )
