"""What wrong numbers have in common with the right ones: a sign, a factor, an axis, a half of them.

These are mistakes that can be seen in the two arrays alone, whatever was computed. Those that
depend on the operation are in ``operation_suspects``, ``loss_suspects`` and
``optimizer_suspects``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from optimizers.arrays import Array

# Numbers are alike that differ by this share of their size, and of the largest one. Answers may
# be computed in float32.
RELATIVE, OF_LARGEST = 1e-4, 1e-5

# Factors with a name of their own, in any gradient or loss.
FACTORS = {
    0.5: "is a factor of 2 missing?",
    2.0: "is there a factor of 2 too many?",
    1 / math.log(2): "is it log2 in place of the natural log?",
    1 / math.log(10): "is it log10 in place of the natural log?",
}


def alike(received: Array, expected: Array) -> bool:
    """Whether two arrays are equal, up to rounding in float32. NaN equals nothing."""
    return received.shape == expected.shape and bool(equal_elements(received, expected).all())


def equal_elements(received: Array, expected: Array) -> Array:
    """Return where two arrays of one shape are equal, up to rounding in float32."""
    with np.errstate(all="ignore"):
        size = np.abs(expected)
        largest = size.max(initial=0.0, where=np.isfinite(size))
        close: Array = np.abs(received - expected) <= RELATIVE * size + OF_LARGEST * largest
        return close | (received == expected)


def reshaped_hint(received: Array, expected: Array) -> str:
    """Say that an array of a wrong shape has the right numbers, if that is so."""
    if received.ndim == expected.ndim >= 2 and alike(received.T, expected):
        return "right numbers, but transposed: rows and columns are exchanged"
    if received.size == expected.size and alike(received.reshape(expected.shape), expected):
        if received.ndim == expected.ndim - 1:
            return "right numbers in another shape: is keepdims=True missing in the sum?"
        return "right numbers in another shape: keep the axes, see keepdims and reshape"
    return ""


def shape_hint(received: Array, expected: Array) -> str:
    """Say what an array of a wrong shape may be, "" if that is not seen."""
    if received.ndim == expected.ndim >= 2 and received.T.shape == expected.shape:
        return "the shape is transposed: are the two factors of the product in the wrong order?"
    if received.ndim == expected.ndim and len(received) == 1 < len(expected):
        return (
            f"one row in place of {len(expected)}: each sample needs one of its own, so nothing is "
            "to be summed or averaged over the samples"
        )
    if not received.ndim:
        return "a single number: is something summed or averaged over all axes?"
    if received.ndim < expected.ndim:
        return "an axis is missing: is something summed or averaged over an axis too many?"
    if received.ndim == expected.ndim == 2 and 1 in expected.shape:
        return "is it summed over the wrong axis? axis=0 adds up the samples"
    if received.ndim > expected.ndim:
        return "there is an axis too many: is a sum missing?"
    return ""


def hint(
    received: Array,
    expected: Array,
    sizes: Mapping[str, int],
    beside: Mapping[str, Array] | None = None,
) -> str:
    """Say what the wrong numbers have in common, "" if nothing is seen.

    Args:
        received, expected: of one shape.
        sizes: numbers that may have been divided by, such as ``{"samples": 5}``.
        beside: other arrays of the computation. Where they have the same shape, wrong numbers may
            be those where one of them is negative.
    """
    return (
        plain_hint(received, expected, sizes)
        or _shift(received, expected)
        or _where_wrong(received, expected, beside or {})
        or _factors_of_rows(received, expected)
    )


def plain_hint(received: Array, expected: Array, sizes: Mapping[str, int]) -> str:
    """Say of what number or simple function of the right numbers the wrong ones are."""
    for find in (_not_finite, _factor, _simple_function):
        if found := find(received, expected, sizes):
            return found
    return ""


def first_hint(received: Array, expected: Array) -> str:
    """Say that everything is 0, or all signs are wrong, if that is so."""
    if received.size > 1 and not received.any():
        return "all 0: is the result computed, and stored where it is looked for?"
    if alike(-received, expected):
        return "all with the opposite sign: is a minus missing, or one too many?"
    return ""


def _not_finite(received: Array, expected: Array, sizes: Mapping[str, int]) -> str:
    if np.isnan(received).any() and np.isfinite(expected).all():
        return "NaN: is something divided by 0, or the log of a number that is not positive taken?"
    if np.isinf(received).any() and np.isfinite(expected).all():
        return "infinite: is something divided by 0, or too large for exp?"
    return ""


def _factor(received: Array, expected: Array, sizes: Mapping[str, int]) -> str:
    ratio = common_ratio(received, expected)
    if ratio is None or math.isclose(ratio, 1, rel_tol=1e-3):
        return ""
    sign = "with the opposite sign and " if ratio < 0 else ""
    size = abs(ratio)
    text = f"all are {sign}{size:.4g} × as large"
    cause = next(_causes(size, sizes), "")
    return text + (f": {cause}" if cause else "")


def common_ratio(received: Array, expected: Array) -> float | None:
    """Return the number that ``received`` is ``expected`` times, None if there is none.

    A single number always has a ratio, which is told only if it is a plain one.
    """
    a, b = received.ravel(), expected.ravel()
    if not b.any() or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    ratio = float(a @ b / (b @ b))
    if not ratio or not alike(a / ratio, b):
        return None
    several = np.count_nonzero(np.abs(b) > 1e-3 * np.abs(b).max()) > 1
    return ratio if several or _near(abs(ratio), 1) or _near(abs(ratio), 2) else None


def _causes(ratio: float, sizes: Mapping[str, int]) -> Iterator[str]:
    for name, size in sizes.items():
        if size > 1 and _near(ratio, size):
            yield f"not divided by the number of {name}, {size}?"
        if size > 1 and _near(ratio, 1 / size):
            yield f"divided by the number of {name}, {size}?"
    for factor, question in FACTORS.items():
        if _near(ratio, factor):
            yield question
    for name, size in sizes.items():
        for other, divisor in sizes.items():
            if size != divisor and _near(ratio, size / divisor):
                yield f"divided by the number of {other} in place of that of {name}?"
        for times, two in ((0.5, "missing"), (2.0, "too many")):
            if size > 1 and (_near(ratio, times * size) or _near(ratio, times / size)):
                divided = "divided" if _near(ratio, times / size) else "not divided"
                yield f"{divided} by the number of {name}, {size}, and is a factor of 2 {two}?"
        if size > 1 and (_near(ratio, size / (size - 1)) or _near(ratio, (size - 1) / size)):
            yield f"divided by {size} − 1 in place of {size} (or ddof=1)?"
        if size > 1 and (_near(ratio**2, size / (size - 1)) or _near(ratio**2, 1 - 1 / size)):
            yield f"a variance divided by {size} − 1 in place of {size} (ddof=1)?"


def _simple_function(received: Array, expected: Array, sizes: Mapping[str, int]) -> str:
    with np.errstate(all="ignore"):
        found: list[tuple[str, Array]] = [
            ("the right numbers cut to whole ones: is that the dtype?", np.trunc(expected)),
            ("the right numbers, rounded", np.round(expected)),
            ("the absolute values of the right numbers", np.abs(expected)),
            ("one minus the right numbers", 1 - expected),
            ("the right numbers minus one: is something subtracted twice?", expected - 1),
            ("the squares of the right numbers", expected**2),
            ("the square roots of the right numbers: one sqrt too many?", np.sqrt(expected)),
            ("the right numbers divided into 1: is a quotient upside down?", 1 / expected),
            ("the exponentials of the right numbers: is a log missing?", np.exp(expected)),
            ("the logs of the right numbers: one log too many?", np.log(expected)),
        ]
    return named(received, expected, found)


def named(received: Array, expected: Array, suspects: Iterable[tuple[str, Array]]) -> str:
    """Return the sentence of the first of ``suspects`` that equals ``received``, or "".

    Those that equal ``expected`` too tell nothing.
    """
    for sentence, array in suspects:
        array = np.asarray(array)
        if array.shape == received.shape and alike(received, array):
            if array.shape == expected.shape and alike(array, expected):
                continue
            return sentence
    return ""


def _shift(received: Array, expected: Array) -> str:
    difference = received - expected
    if difference.size < 2 or not np.isfinite(difference).all() or not difference.any():
        return ""
    mean = float(difference.mean())
    if alike(difference, np.full_like(difference, mean)):
        return f"all are {'larger' if mean > 0 else 'smaller'} by {abs(mean):.4g}"
    return ""


def _where_wrong(received: Array, expected: Array, beside: Mapping[str, Array]) -> str:
    wrong = ~equal_elements(received, expected)
    if wrong.all() or wrong.size < 4:
        return ""
    for name, array in beside.items():
        if array.shape != wrong.shape:
            continue
        for text, where in (("negative", array < 0), ("positive", array > 0)):
            if where.any() and not where.all() and (wrong <= where).all():
                few = np.count_nonzero(wrong) < np.count_nonzero(where)
                return (
                    f"wrong only where {name} {'is' if name in ('error',) else 'are'} {text}"
                    f"{'' if not few else ', and not everywhere there'}: look at this case"
                )
    for axis, part in ((0, "sample"), (wrong.ndim - 1, "column")):
        if wrong.ndim <= axis or wrong.shape[axis] < 3:
            continue
        rest = tuple(other for other in range(wrong.ndim) if other != axis)
        concerned = np.atleast_1d(wrong.any(axis=rest))
        for place, name in ((0, "first"), (len(concerned) - 1, "last")):
            if concerned[place] and np.count_nonzero(concerned) == 1:
                return f"wrong only in the {name} {part}: is an index or a range one off?"
    return ""


def _factors_of_rows(received: Array, expected: Array) -> str:
    if received.ndim != 2 or min(received.shape) < 2:
        return ""
    for axis, name in ((1, "sample (row)"), (0, "column")):
        with np.errstate(all="ignore"):
            products = (received * expected).sum(axis=axis, keepdims=True)
            ratios = products / (expected**2).sum(axis=axis, keepdims=True)
        if np.isfinite(ratios).all() and ratios.all() and alike(received / ratios, expected):
            return (
                f"each {name} is the right one times a factor of its own, {ratios.flat[0]:.4g} in "
                "the first: what is divided by there?"
            )
    return ""


def _near(ratio: float, other: float) -> bool:
    return math.isclose(ratio, other, rel_tol=1e-3)
