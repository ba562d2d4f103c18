"""The error function, which NumPy does not have.

    erf(x) = 2/√π ∫₀ˣ exp(-t²) dt

It is computed in four ranges of ``|x|``, in each by a quotient of two polynomials that is right to
the last digits of float64:

    up to 0.84375    erf(x)  = x + x · quotient(x²)
    up to 1.25       erf(x)  = 0.845… + quotient(x - 1)
    up to 1/0.35     erfc(x) = exp(-x² - 0.5625 + quotient(1/x²)) / x
    beyond           likewise, with another quotient

where ``erfc = 1 - erf`` keeps its digits however small it is.

Source: Cody, "Rational Chebyshev approximations for the error function", Mathematics of
Computation 1969; the quotients are those of ``s_erf.c`` in FDLIBM, Sun Microsystems 1993.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from optimizers.arrays import Array

Polynomials: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]

# Numerators and denominators, of rising powers.
UP_TO_0_84375 = (
    (1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
     -5.77027029648944159157e-03, -2.37630166566501626084e-05),
    (1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
     1.32494738004321644526e-04, -3.96022827877536812320e-06),
)  # fmt: skip
UP_TO_1_25 = (
    (-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
     3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
     -2.16637559486879084300e-03),
    (1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
     1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02),
)  # fmt: skip
UP_TO_2_86 = (
    (-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
     -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02,
     -8.12874355063065934246e+01, -9.81432934416914548592e+00),
    (1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02,
     6.45387271733267880336e+02, 4.29008140027567833386e+02, 1.08635005541779435134e+02,
     6.57024977031928170135e+00, -6.04244152148580987438e-02),
)  # fmt: skip
BEYOND = (
    (-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
     -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03,
     -4.83519191608651397019e+02),
    (1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03,
     3.19985821950859553908e+03, 2.55305040643316442583e+03, 4.74528541206955367215e+02,
     -2.24409524465858183362e+01),
)  # fmt: skip
# A number of few digits near erf(1), so that the quotient beside it is small.
ERF_NEAR_1 = 8.45062911510467529297e-01
# From here on erfc is smaller than the smallest number of float64.
ERFC_IS_ZERO = 28.0


def erf(x: Array) -> Array:
    """Return the error function of each number, right to about 1 ulp in float64.

    >>> erf(np.array([-0.5, 0.0, 1.0]))
    array([-0.52049988,  0.        ,  0.84270079])
    """
    return _erf_and_erfc(x)[0]


def erfc(x: Array) -> Array:
    """Return ``1 - erf(x)``, to nearly as many digits also where it is close to 0.

    >>> erfc(np.array([-0.5, 0.0, 10.0]))
    array([1.52049988e+00, 1.00000000e+00, 2.08848758e-45])
    """
    return _erf_and_erfc(x)[1]


def _erf_and_erfc(x: Array) -> tuple[Array, Array]:
    wide = np.asarray(x, np.float64)
    size = np.minimum(np.abs(wide), ERFC_IS_ZERO)
    # Where no range fits, x is NaN.
    of_size, complement = np.full(size.shape, np.nan), np.full(size.shape, np.nan)
    ranges = pairwise((0.0, 0.84375, 1.25, 1 / 0.35, np.inf))
    functions: list[Callable[[Array], tuple[Array, Array]]] = [_low, _middle]
    functions += [partial(_high, UP_TO_2_86), partial(_high, BEYOND)]
    for (low, high), compute in zip(ranges, functions, strict=True):
        inside = (size >= low) & (size < high)
        of_size[inside], complement[inside] = compute(size[inside])
    negative = wide < 0
    found = np.copysign(of_size, wide), np.where(negative, 1 + of_size, complement)
    erf, erfc = (values.astype(x.dtype, copy=False) for values in found)
    return erf, erfc


def _low(x: Array) -> tuple[Array, Array]:
    correction = x * _quotient(UP_TO_0_84375, x * x)
    # Above one fourth, 1 - erf would round erf first.
    erfc = np.where(x < 0.25, 1 - (x + correction), 0.5 - (x - 0.5 + correction))
    return x + correction, erfc


def _middle(x: Array) -> tuple[Array, Array]:
    correction = _quotient(UP_TO_1_25, x - 1)
    return ERF_NEAR_1 + correction, 1 - ERF_NEAR_1 - correction


def _high(polynomials: Polynomials, x: Array) -> tuple[Array, Array]:
    # The square of the first digits is exact, so exp loses none to a rounded argument.
    first = x.astype(np.float32).astype(np.float64)
    rest = (first - x) * (first + x) + _quotient(polynomials, 1 / (x * x))
    erfc = np.exp(-first * first - 0.5625) * np.exp(rest) / x
    return 1 - erfc, erfc


def _quotient(polynomials: Polynomials, x: Array) -> Array:
    numerator, denominator = (np.polyval(coefficients[::-1], x) for coefficients in polynomials)
    result: Array = numerator / denominator
    return result
