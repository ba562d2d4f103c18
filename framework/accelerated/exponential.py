"""The exponential function, in a form that the compiler can compute for many numbers at once.

The one of the mathematical library takes a number at a time, and NumPy's own, which do not, cannot
be called from compiled code. This one is for float32; float64 has the library's.
"""

import math

import numba
import numpy as np
from numba.core import types
from numba.extending import overload

LOG2_E = np.float32(1 / math.log(2))
# ln 2 in two parts. The first has so few digits that its multiples up to 127 are exact.
LN2 = np.float32(0.693359375)
LN2_REST = np.float32(math.log(2) - 0.693359375)
SMALLEST = np.float32(-87.0)

# No sum may be reordered here: the remainder below would lose its digits.
_exact = numba.njit(fastmath={"contract"}, error_model="numpy")


@_exact
def _exponential32(x):
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
    series = series * rest + np.float32(1)
    # A float32 keeps its exponent, 127 added, from the 24th bit on: this is 2 to that power.
    scale = np.int32((np.int32(power) + np.int32(127)) << np.int32(23)).view(np.float32)
    return series * scale if x == x else x


def exponential(x):
    """Return ``e^x`` for ``x`` of at most 0, to be called from compiled code.

        x = power · ln 2 + rest,   |rest| ≤ ln 2 / 2,   e^x = 2^power · e^rest

    and ``e^rest`` is the beginning of its series. Below -87 it stays at e^-87.
    """
    raise NotImplementedError("exponential is for compiled code")


@overload(exponential)
def _exponential(x):
    if x == types.float32:
        return lambda x: _exponential32(x)
    return lambda x: math.exp(x)
