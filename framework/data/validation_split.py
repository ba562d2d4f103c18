"""Which rows a training sets aside for validation."""

from __future__ import annotations

import math

import numpy as np

from framework.checks import check_fraction
from optimizers.arrays import Array


def split_rows(rows: Array, validation_split: float, shuffle: bool) -> tuple[Array, Array | None]:
    """Return the rows to train on and the rows to validate on, None without a split.

    With ``shuffle`` the split is random, but the same for the same number of rows: otherwise a
    second training would validate on rows that the first one trained on. Without it, the last
    rows are set aside.

    Raises TypeError or ValueError for a split that is no fraction, or that leaves no rows to
    train on or none to validate on.
    """
    split = check_fraction("validation_split", validation_split)
    held_back = round(split * len(rows))
    if not split:
        return rows, None
    if not 0 < held_back < len(rows):
        raise ValueError(
            f"validation_split={validation_split} of {len(rows)} samples leaves none to "
            f"{'train on' if held_back else 'validate on'}"
        )
    if shuffle:
        rows = np.random.default_rng(len(rows)).permutation(rows)
    return rows[:-held_back], np.sort(rows[-held_back:])


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
            f"no class has two samples: each of {len(labels)} is the only one of its class"
        )
    rows = generator.permutation(len(labels))
    by_class = rows[np.argsort(labels[rows], kind="stable")]
    rank = np.empty(len(labels), int)  # of each row among those of its class
    rank[by_class] = np.concatenate([np.arange(count) for count in counts])
    is_aside = rank[rows] < aside[labels[rows]]
    return rows[~is_aside], rows[is_aside]
