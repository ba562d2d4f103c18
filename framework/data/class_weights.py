"""Class weights: a weight for each class, by which the weights of its samples are multiplied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from framework.checks import check_non_negative
from framework.containers.supervised import Supervised
from framework.data.batches import ArrayBatches, Batches, BatchStream
from optimizers.arrays import Array

# The weight of each class by its number, "balanced", or None.
ClassWeight: TypeAlias = Mapping[Any, float] | str | None
# A function that adds up the arrays of all processes.
Total: TypeAlias = Callable[[Array], Array]

BALANCED = "balanced"


def check_class_weight(class_weight: Any) -> ClassWeight:
    """Return ``class_weight``.

    Raises TypeError or ValueError unless it is "balanced", None, or a dictionary of numbers of at
    least 0.
    """
    if class_weight is None or (isinstance(class_weight, str) and class_weight == BALANCED):
        return class_weight
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f'class_weight must be "balanced" or {{class: weight}}, received {class_weight!r}'
        )
    return {
        label: check_non_negative(f"class_weight[{label!r}]", weight)
        for label, weight in class_weight.items()
    }


def weighed_by_class(
    model: Supervised, data: ArrayBatches, class_weight: ClassWeight, total: Total = np.asarray
) -> ArrayBatches:
    """Return ``data`` with the weight of each sample multiplied by that of its class.

    Samples of classes of weight 0 are left out. "balanced" gives each class the same total weight,
    ``Σ w / (classes · Σ w of the class)``.

    Args:
        class_weight: of ``check_class_weight``, not None.
        total: adds up the weights of the classes over all processes.

    Raises ValueError as ``classes_of`` and ``factors_of``, and if no sample is left.
    """
    n_classes, rows = check_classes(model, data, class_weight), data.rows
    weights = np.ones(len(data.X)) if data.sample_weight is None else data.sample_weight.copy()
    classes = classes_of(data.y[rows])
    if isinstance(class_weight, Mapping):
        factors = factors_of(class_weight, n_classes)
    else:
        factors = balancing(total(np.bincount(classes, weights[rows], minlength=n_classes)))
    weights[rows] *= factors[classes]
    rows = rows[weights[rows] > 0]
    if not len(rows):
        raise ValueError("class_weight must not be 0 for the class of every sample")
    return data.with_weights(weights, rows)


def weigh_stream_by_class(
    model: Supervised, stream: BatchStream, class_weight: ClassWeight
) -> None:
    """Let ``stream`` multiply the weight of each sample by that of its class.

    Raises ValueError for "balanced", and as ``factors_of``.
    """
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            'class_weight="balanced" needs X and y as arrays, since all samples have to be known: '
            "for batches, give {class: weight}"
        )
    factors = factors_of(class_weight, check_classes(model, stream, class_weight))

    def weigh(y: Array, weights: Array | None) -> Array:
        of_class: Array = factors[classes_of(y)]
        return of_class if weights is None else weights * of_class

    stream.weigh = weigh
    if not factors.all():
        stream.batches_per_epoch = None  # some may be skipped


def check_classes(model: Supervised, data: Batches, class_weight: ClassWeight) -> int:
    """Return how many classes the outputs of ``model`` stand for.

    Raises ValueError for a loss whose targets are no classes, and as ``factors_of``.
    """
    if getattr(model.loss, "regression", False):
        raise ValueError(f"class_weight is for classes, and not for the targets of {model.loss!r}")
    n_classes = max(2, model.outputs_of(data.sample).shape[-1])
    if isinstance(class_weight, Mapping):
        factors_of(class_weight, n_classes)
    return n_classes


def classes_of(y: Array) -> Array:
    """Return the class of each of the targets ``y``.

    Raises ValueError for rows that have several labels, or none.
    """
    rows = y.reshape(len(y), -1)
    if rows.shape[1] == 1:
        classes = rows[:, 0] > 0.5 if rows.dtype.kind == "f" else rows[:, 0]
        return classes.astype(np.intp)
    if not np.allclose(rows.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            "class_weight is for one class per sample, but some rows of y do not add up to 1: give "
            "sample_weight instead"
        )
    return rows.argmax(axis=1)


def balancing(of_class: Array) -> Array:
    """Return the factors that make the total weights ``of_class`` of all classes the same.

    They are divided by the largest; that of a class without weight is 0.
    """
    factors = np.divide(of_class.max(), of_class, out=np.zeros(len(of_class)), where=of_class > 0)
    balanced: Array = factors / factors.max()
    return balanced


def factors_of(class_weight: Mapping[Any, float], n_classes: int) -> Array:
    """Return the weight of each class, 1 where none is given, divided by the largest.

    Raises ValueError for a label that is no class, or if all weights are 0.
    """
    for label in class_weight:
        if label not in range(n_classes):
            raise ValueError(
                f"class_weight has the label {label!r}, which is none of the classes: they are the "
                f"numbers from 0 to {n_classes - 1}"
            )
    factors = np.array([class_weight.get(label, 1.0) for label in range(n_classes)], float)
    if not factors.any():
        raise ValueError("class_weight must not be 0 for every class")
    return factors / factors.max()
