"""Matrix products in compiled code, by the library that NumPy itself uses.

Numba's own ``np.dot`` calls SciPy's copy of that library, whose threads then compete with those
of NumPy's for the same processors. So NumPy's is looked up and called directly. Where it is of
another kind (not OpenBLAS, as on a Mac), ``np.dot`` has to do.

    product(a, b, out)          out = a @ b
    transposed_product          out = (some columns of a)ᵀ @ b
    product_transposed          out = a @ bᵀ

All arrays are matrices in C order, of one dtype.
"""

import ctypes
from typing import Any

import llvmlite.binding
import numpy as np
from numba import types
from numba.extending import overload
from threadpoolctl import ThreadpoolController

from framework.accelerated.jit import jit
from framework.utils.optional import required
from framework.utils.threads import is_numpys, look_again

# The names that a build of OpenBLAS may give its functions; 64 says that it counts in 64 bits.
AFFIXES = (("scipy_", "64_"), ("", "64_"), ("scipy_", ""), ("", ""))

# What the interface in C, CBLAS, calls them.
ROWS_FIRST, AS_IT_IS, TRANSPOSED = np.int32(101), np.int32(111), np.int32(112)


def _numpys_library() -> tuple[ctypes.CDLL, str, str] | None:
    """Return NumPy's OpenBLAS, and the prefix and suffix of its functions' names."""
    for library in ThreadpoolController().select(internal_api="openblas").info():
        if is_numpys(library):
            found = ctypes.CDLL(library["filepath"])
            for prefix, suffix in AFFIXES:
                if hasattr(found, f"{prefix}cblas_sgemm{suffix}"):
                    return found, prefix, suffix
    return None


def _function(library: Any, name: str, symbol: str, number: Any, count: Any) -> Any:
    """Make ``name`` of the library known to compiled code, as ``symbol``."""
    address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
    llvmlite.binding.add_symbol(symbol, address)
    matrix = (types.CPointer(number), count)
    flags = (types.int32,) * 3
    arguments = (*flags, *(count,) * 3, number, *matrix, *matrix, number, *matrix)
    return types.ExternalFunction(symbol, types.void(*arguments))


def _gemm(turn_a, turn_b, samples, columns, inner, a, b, out):
    """``out = a @ b``, ``(samples, inner)`` by ``(inner, columns)``, each turned if so flagged."""
    raise NotImplementedError("for compiled code")


_found = _numpys_library()

if _found is None:
    required("scipy.linalg.cython_blas", "scipy")
    look_again()
    LIBRARY = "np.dot"
    CAN_BE_SHARED = False  # Numba would copy the columns.

    @jit
    def product(a, b, out):
        np.dot(a, b, out)

    @jit
    def transposed_product(a, columns, b, out):
        np.dot(a.T, b, out)  # a single thread sees to all columns

    @jit
    def product_transposed(a, b, out):
        np.dot(a, b.T, out)

else:
    _library, _prefix, _suffix = _found
    _count = types.int64 if _suffix else types.int32
    Count = np.int64 if _suffix else np.int32
    LIBRARY = f"cblas_{_count}"
    CAN_BE_SHARED = True
    _sgemm, _dgemm = (
        _function(_library, f"{_prefix}cblas_{n}{_suffix}", f"dinputs_{n}_{_count}", number, _count)
        for n, number in (("sgemm", types.float32), ("dgemm", types.float64))
    )

    @jit
    def between_rows(a):
        # In a matrix of one row, the stride may be anything.
        return max(a.strides[0] // a.itemsize, a.shape[1])

    @overload(_gemm)
    def _choose_gemm(turn_a, turn_b, samples, columns, inner, a, b, out):
        multiply, number = (
            (_sgemm, np.float32) if a.dtype == types.float32 else (_dgemm, np.float64)
        )

        def gemm(turn_a, turn_b, samples, columns, inner, a, b, out):
            multiply(
                ROWS_FIRST,
                turn_a,
                turn_b,
                Count(samples),
                Count(columns),
                Count(inner),
                number(1),
                a.ctypes,
                Count(between_rows(a)),
                b.ctypes,
                Count(between_rows(b)),
                number(0),
                out.ctypes,
                Count(between_rows(out)),
            )

        return gemm

    @jit
    def product(a, b, out):
        _gemm(AS_IT_IS, AS_IT_IS, a.shape[0], b.shape[1], a.shape[1], a, b, out)

    @jit
    def transposed_product(a, columns, b, out):
        part = a[:, columns]
        _gemm(TRANSPOSED, AS_IT_IS, part.shape[1], b.shape[1], part.shape[0], part, b, out)

    @jit
    def product_transposed(a, b, out):
        _gemm(AS_IT_IS, TRANSPOSED, a.shape[0], b.shape[0], a.shape[1], a, b, out)
