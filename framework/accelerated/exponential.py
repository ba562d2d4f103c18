"""Exponentials and logarithms in a form that the compiler can compute for many numbers at once.

Those of the mathematical library take a number at a time, and NumPy's own, which do not, cannot be
called from compiled code. These are for float32; float64 has the library's.

    exponential(x)             e^x,         for x of at most 0
    exponential_minus_one(x)   e^x - 1,     for x of at most 0, with all digits near 0
    log_one_plus(x)            log(1 + x),  for x from 0 to 1
    logarithm(x)               log(x),      for x of at least 1

All are for compiled code only. NaN gives NaN.
"""

import math

import numba
import numpy as np
from numba.core import types
from numba.extending import overload

from framework.accelerated.jit import PART

LOG2_E = np.float32(1 / math.log(2))
# ln 2 in two parts. The first has so few digits that its multiples up to 127 are exact.
LN2 = np.float32(0.693359375)
LN2_REST = np.float32(math.log(2) - 0.693359375)
SMALLEST = np.float32(-87.0)

# No sum may be reordered here: the remainder below would lose its digits.
_exact = numba.njit(**PART, fastmath={"contract"}, error_model="numpy")


@_exact
def _power_and_rest(x):
    """Return ``2^power`` and ``e^rest - 1``, the factors of ``e^x = 2^power · e^rest``.

        x = power · ln 2 + rest,   |rest| ≤ ln 2 / 2

    ``e^rest - 1`` is the beginning of its series. Below -87, x counts as -87.
    """
    bounded = x if x > SMALLEST else SMALLEST
    power = np.floor(bounded * LOG2_E + np.float32(0.5))
    rest = (bounded - power * LN2) - power * LN2_REST
    series = np.float32(1 / 5040)
    series = series * rest + np.float32(1 / 720)
    series = series * rest + np.float32(1 / 120)
    series = series * rest + np.float32(1 / 24)
    series = series * rest + np.float32(1 / 6)
    series = series * rest + np.float32(0.5)
    series = series * rest + np.float32(1)
    # A float32 keeps its exponent, 127 added, from the 24th bit on: this is 2 to that power.
    scale = np.int32((np.int32(power) + np.int32(127)) << np.int32(23)).view(np.float32)
    return scale, series * rest


@_exact
def _exponential32(x):
    scale, series = _power_and_rest(x)
    return (series + np.float32(1)) * scale if x == x else x


@_exact
def _exponential_minus_one32(x):
    scale, series = _power_and_rest(x)
    return series * scale + (scale - np.float32(1)) if x == x else x


@_exact
def _log_one_plus32(x):
    # log(1 + x) = 2 artanh(t) = 2 (t + t³/3 + t⁵/5 + …), and t is at most 1/3.
    t = x / (np.float32(2) + x)
    square = t * t
    series = np.float32(1 / 13)
    series = series * square + np.float32(1 / 11)
    series = series * square + np.float32(1 / 9)
    series = series * square + np.float32(1 / 7)
    series = series * square + np.float32(1 / 5)
    series = series * square + np.float32(1 / 3)
    series = series * square + np.float32(1)
    return np.float32(2) * t * series


@_exact
def _logarithm32(x):
    # x = 2^power · rest, and rest is from 1 to 2: both are parts of how a float32 is kept.
    bits = np.float32(x).view(np.int32)
    power = (bits >> np.int32(23)) - np.int32(127)
    rest = np.int32((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000)).view(np.float32)
    small = _log_one_plus32(rest - np.float32(1)) + power * LN2_REST
    return small + power * LN2 if x < np.float32(np.inf) else x


def exponential(x):
    """Return ``e^x`` for ``x`` of at most 0."""
    raise NotImplementedError("exponential is for compiled code")


def exponential_minus_one(x):
    """Return ``e^x - 1`` for ``x`` of at most 0."""
    raise NotImplementedError("exponential_minus_one is for compiled code")


def log_one_plus(x):
    """Return ``log(1 + x)`` for ``x`` from 0 to 1."""
    raise NotImplementedError("log_one_plus is for compiled code")


def logarithm(x):
    """Return ``log(x)`` for ``x`` of at least 1."""
    raise NotImplementedError("logarithm is for compiled code")


@overload(exponential)
def _exponential(x):
    if x == types.float32:
        return lambda x: _exponential32(x)
    return lambda x: math.exp(x)


@overload(exponential_minus_one)
def _exponential_minus_one(x):
    if x == types.float32:
        return lambda x: _exponential_minus_one32(x)
    return lambda x: math.expm1(x)


@overload(log_one_plus)
def _log_one_plus(x):
    if x == types.float32:
        return lambda x: _log_one_plus32(x)
    return lambda x: math.log1p(x)


@overload(logarithm)
def _logarithm(x):
    if x == types.float32:
        return lambda x: _logarithm32(x)
    return lambda x: math.log(x)
