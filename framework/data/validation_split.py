"""Which rows a training sets aside for validation."""

from __future__ import annotations

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
