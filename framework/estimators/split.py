"""Which samples an estimator sets aside for early stopping."""

from __future__ import annotations

import math

import numpy as np

from optimizers.arrays import Array


def split_by_class(
    classes: Array, fraction: float, generator: np.random.Generator
) -> tuple[Array, Array]:
    """Return the rows to train on and those to validate on, both in random order.

    ``fraction`` of all rows, rounded up, are set aside: that fraction of each class, to within
    one row. But at least one row of each class is left to train on.

    Args:
        classes: the class of each row, ``(rows,)``; all the same for a split that knows no classes.
        fraction: from 0 to 1.
        generator: draws the rows.

    Raises ValueError if no class has a second row.
    """
    _, labels, counts = np.unique(classes, return_inverse=True, return_counts=True)
    total = math.ceil(fraction * len(labels))
    shares = fraction * counts
    aside = np.minimum(shares.astype(int), counts - 1)
    # The rows still missing come from the classes that rounding down has cut most; ties are drawn.
    order = generator.permutation(len(counts))
    for label in order[np.argsort(-(shares - aside)[order], kind="stable")]:
        if aside.sum() < total and aside[label] < counts[label] - 1:
            aside[label] += 1
    if not aside.any():
        raise ValueError(
            f"early_stopping needs a class with two samples or more: of {len(labels)} samples, "
            "each is the only one of its class"
        )
    rows = generator.permutation(len(labels))
    by_class = rows[np.argsort(labels[rows], kind="stable")]
    rank = np.empty(len(labels), int)  # of each row among those of its class
    rank[by_class] = np.concatenate([np.arange(count) for count in counts])
    is_aside = rank[rows] < aside[labels[rows]]
    return rows[~is_aside], rows[is_aside]
