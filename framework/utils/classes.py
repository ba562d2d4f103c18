"""The classes that the outputs of a network stand for. NaN stands for no class."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from optimizers.arrays import Array

# Stands where there is no class: it equals no label and is no valid index.
NO_CLASS = int(np.iinfo(np.intp).min)


def largest_class(outputs: ArrayLike) -> Array:
    """Return the class of the largest output of each row, NO_CLASS where any of them is NaN."""
    outputs = np.asarray(outputs)
    classes: Array = outputs.argmax(axis=-1)
    missing = np.isnan(outputs)
    # Counted, in half the time of ``any``.
    if np.count_nonzero(missing):
        return np.where(missing.any(axis=-1), NO_CLASS, classes)
    return classes


def yes_or_no(outputs: ArrayLike, threshold: float = 0.5) -> Array:
    """Return 1 where an output is above ``threshold``, else 0, NO_CLASS where it is NaN."""
    outputs = np.asarray(outputs)
    answers: Array = (outputs > threshold).astype(np.intp)
    missing = np.isnan(outputs)
    return np.where(missing, NO_CLASS, answers) if missing.any() else answers


def check_not_nan(
    outputs: Array, parameters: Iterable[Array], row_name: str = "row", first: int = 0
) -> None:
    """Raise ValueError, naming the first row and the likely cause, if an output is NaN.

    Args:
        outputs: ``(samples, ...)``.
        parameters: the parameters that they were computed with.
        row_name, first: the name of a row in the message, and the number of the first row.
    """
    missing = np.asarray(np.isnan(outputs).reshape(len(outputs), -1).any(axis=1))
    if not missing.any():
        return
    row = int(missing.argmax()) + first
    if all(np.isfinite(array).all() for array in parameters):
        cause = "its parameters are too large for these data, or an operation of your own makes NaN"
    else:
        cause = "its parameters are not finite, as after a training that diverged"
    raise ValueError(
        f"a prediction must be a number, but the output for {row_name} {row} is NaN, as for "
        f"{np.count_nonzero(missing):,} of {len(missing):,}. The model cannot be used: {cause}"
    )
