"""Guesses at the mistake, from common traits of the wrong elements of a gradient."""

from __future__ import annotations

import numpy as np

from optimizers.arrays import Array

# Differences are exact to some six digits.
RELATIVE = 1e-5


def hint(
    analytic: Array,
    numerical: Array,
    wrong: Array,
    sizes: dict[str, int],
    dvalues: Array | None = None,
) -> str:
    """Return the common trait of the ``wrong`` elements, "" if none is seen.

    Args:
        analytic, numerical: both gradients, of one shape; NaN in ``numerical`` where there is
            none.
        wrong: which elements are wrong, as booleans of this shape.
        sizes: numbers that a gradient may have been divided by, each under its name with "{}" for
            the number: ``{"the {} samples": 6}``.
        dvalues: the argument of ``backward``, for the gradient of the inputs.
    """
    if not wrong.any():
        return ""
    if unusable := np.count_nonzero(~np.isfinite(analytic[wrong])):
        return f"{unusable} of them NaN or infinite"
    if _is_square(analytic) and _agree(analytic.T, numerical):
        return "equal to the transpose of the numerical gradient"
    elementwise = dvalues is not None and dvalues.shape == analytic.shape
    if elementwise and _agree(analytic * dvalues, numerical):
        return "not multiplied by dvalues: is the chain rule missing?"
    ratio = common_ratio(analytic[wrong], numerical[wrong])
    return "" if ratio is None else _on_ratio(ratio, sizes)


def common_ratio(array: Array, reference: Array) -> float | None:
    """Return the number that ``array`` is ``reference`` times, None if there is no such number.

    A single pair of numbers always has a ratio, so it says nothing unless it is a round one.
    """
    array, reference = np.ravel(array), np.ravel(reference)
    size = float(np.abs(reference).max(initial=0))
    if not size or not np.isfinite(reference).all():
        return None
    ratio = float(array @ reference / (reference @ reference))
    if np.abs(array - ratio * reference).max() > RELATIVE * max(size, abs(ratio) * size):
        return None
    telling = np.count_nonzero(np.abs(reference) > 1e-3 * size) > 1
    return ratio if telling or any(_near(ratio, plain) for plain in (-1, 0, 0.5, 2)) else None


def _on_ratio(ratio: float, sizes: dict[str, int]) -> str:
    if abs(ratio) < RELATIVE:
        return "all 0"
    if _near(ratio, -1):
        return "all with the opposite sign: is a minus missing, or one too many?"
    causes = []
    for name, size in sizes.items():
        if size > 1 and _near(ratio, 1 / size):
            causes.append(f"divided by {name.format(size)}")
        if size > 1 and _near(ratio, size):
            causes.append(f"not divided by {name.format(size)}")
    if _near(ratio, 0.5):
        causes.append("without a factor of 2")
    if _near(ratio, 2):
        causes.append("with a factor of 2 too many")
    found = f"all {ratio:.4g} {'of' if abs(ratio) < 1 else 'times'} the numerical"
    return found + (f": {', or '.join(causes)}?" if causes else "")


def _near(ratio: float, other: float) -> bool:
    return abs(ratio - other) <= 10 * RELATIVE * max(abs(other), 0.01)


def _is_square(array: Array) -> bool:
    return array.ndim == 2 and array.shape[0] == array.shape[1] > 1


def _agree(array: Array, numerical: Array) -> bool:
    known = np.isfinite(numerical)
    size = float(np.abs(numerical[known]).max(initial=0))
    return bool(size and (np.abs(array - numerical)[known] <= RELATIVE * size).all())
