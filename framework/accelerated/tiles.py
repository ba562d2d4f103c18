"""Matrix products in tiles: a few rows and one or two vectors, whose sums stay in registers.

The left matrix is read where it stands. Convolution is a product whose left matrix has the window
of a pixel in each row. BLAS would need that matrix to be gathered, which copies a pixel once for
every place of the kernel, and would copy it once more into an order of its own. But a window is a
few runs of numbers that stand in the image as they are. ``product`` reads them there. For dense
layers see ``products.py``.

Measured in float32 on one core of an AMD EPYC (Zen 4), with 3 × 3 kernels from 32 to 32 and from
128 to 128 channels: 117 GFlop/s of the 118 that the processor can do, where OpenBLAS reaches 106 on
large square matrices.

The code of ``product`` is put together for LLVM: see ``vectors.py``.

Source: Dukhan, "The Indirect Convolution Algorithm", 2019, also leaves out the copy.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from framework.accelerated.jit import called
from framework.accelerated.vectors import VECTOR_BYTES, Matrix, features

# The rows of tiles whose sums fit into the registers, from the tallest on: there are 32 registers
# with AVX-512 and on ARM, and 16 on other processors.
MANY_REGISTERS = VECTOR_BYTES == 64 or bool(features.get("neon"))
HEIGHTS = (8 if MANY_REGISTERS else 6, 4, 2, 1)
# With as many terms, it is worth asking for the memory of the sums before they are added up.
LONG = 32
# The sides of square tiles, of which every number has a vector of its own.
SQUARES = (4, 2, 1) if MANY_REGISTERS else (2, 1)


def _code_of_product(
    typingctx: Any,
    rows: Any,
    vectors: Any,
    left: Any,
    right: Any,
    segments: Any,
    run: Any,
    initial: Any,
    out: Any,
) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, vectors, _, _, segment_values, run, _, _ = arguments
        left, right, initial, out = (
            Matrix(context, builder, signature.args[i], arguments[i]) for i in (2, 3, 6, 7)
        )
        segments = make_array(signature.args[4])(context, builder, segment_values)
        count = builder.extract_value(segments.shape, 0)
        number = rows.type  # makes a number of this type

        def tile(first: Any, height: int, width: int) -> None:
            places = [left.place(builder.add(first, number(row))) for row in range(height)]
            sums = {}
            for row in range(height):
                place = initial.place(builder.add(first, number(row)))
                for vector in range(width):
                    total = cgutils.alloca_once(builder, left.vector)
                    builder.store(initial.load(place, vector), total)
                    sums[row, vector] = total
            with builder.if_then(builder.icmp_signed(">=", run, number(LONG))):
                for row, vector in sums:
                    out.prefetch(out.place(builder.add(first, number(row))), vector)
            with cgutils.for_range(builder, count) as segment:
                pair = builder.mul(segment.index, number(2))
                start, second = (
                    builder.load(builder.gep(segments.data, [builder.add(pair, number(i))]))
                    for i in range(2)
                )
                with cgutils.for_range(builder, run) as step:
                    column = builder.add(start, builder.mul(step.index, left.step))
                    row_of_right = right.place(builder.add(second, step.index))
                    factors = [right.load(row_of_right, vector) for vector in range(width)]
                    for (row, vector), total in sums.items():
                        if vector == 0:
                            repeated = left.number(builder.add(places[row], column))
                        term = builder.fmul(repeated, factors[vector], flags=("contract",))
                        found = builder.fadd(builder.load(total), term, flags=("contract",))
                        builder.store(found, total)
            for (row, vector), total in sums.items():
                place = out.place(builder.add(first, number(row)))
                out.store(builder.load(total), place, vector)

        done = cgutils.alloca_once_value(builder, number(0))
        for width in (1, 2):
            with builder.if_then(builder.icmp_signed("==", vectors, number(width))):
                for height in HEIGHTS:
                    rest = builder.sub(rows, builder.load(done))
                    with cgutils.for_range(builder, builder.sdiv(rest, number(height))):
                        first = builder.load(done)
                        tile(first, height, width)
                        builder.store(builder.add(first, number(height)), done)
        return context.get_dummy_value()

    return types.void(rows, vectors, left, right, segments, run, initial, out), code


# Within its caller: a call takes as long as a few small tiles.
inlined_product: Any = intrinsic(_code_of_product)


@called
def product(rows, vectors, left, right, segments, run, initial, out):
    """Compute ``out``, so many rows and vectors, from matrices that are ``Strided``:

        out[r] = initial[r] + Σ left[r, s + t] · right[s' + t]   over segments (s, s') and t < run

    The columns of ``right``, ``initial`` and ``out`` are one after the other, and ``s`` is a place
    behind the beginning of the row. One or two whole vectors are read and written at once.

    Args:
        segments: the pairs of ``s`` and ``s'``, ``(segments, 2)``.
    """
    inlined_product(rows, vectors, left, right, segments, run, initial, out)


def _code_of_products_of_rows(
    typingctx: Any, rows: Any, columns: Any, left: Any, right: Any, vectors: Any, out: Any
) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, columns, _, _, vectors, _ = arguments
        left, right, out = (
            Matrix(context, builder, signature.args[i], arguments[i]) for i in (2, 3, 5)
        )
        number = rows.type
        size, kind = left.vector.count, left.vector.element
        reduction = ir.FunctionType(kind, [kind, left.vector])
        name = f"llvm.vector.reduce.fadd.v{size}f{8 * left.size}"
        sum_of = cgutils.get_or_insert_function(builder.module, reduction, name)

        def tile(first: Any, second: Any, height: int, width: int) -> None:
            of_left, of_right = (
                [matrix.place(builder.add(begin, number(i))) for i in range(count)]
                for matrix, begin, count in ((left, first, height), (right, second, width))
            )
            sums = {
                (row, column): cgutils.alloca_once_value(builder, ir.Constant(left.vector, None))
                for row in range(height)
                for column in range(width)
            }
            with cgutils.for_range(builder, vectors) as step:
                begin = builder.mul(step.index, number(size))
                others = [right.load(builder.add(place, begin), 0) for place in of_right]
                for (row, column), total in sums.items():
                    if column == 0:
                        factor = left.load(builder.add(of_left[row], begin), 0)
                    term = builder.fmul(factor, others[column], flags=("contract",))
                    found = builder.fadd(builder.load(total), term, flags=("contract",))
                    builder.store(found, total)
            for (row, column), total in sums.items():
                found = builder.call(
                    sum_of, [kind(0.0), builder.load(total)], fastmath=("reassoc",)
                )
                place = out.place(builder.add(first, number(row)))
                place = builder.add(place, builder.add(second, number(column)))
                builder.store(found, builder.gep(out.values, [place]))

        def for_tiles(count: Any, body: Any) -> None:
            """Call ``body(begin, size)`` for tiles of all sizes that make up ``count``."""
            done = cgutils.alloca_once_value(builder, number(0))
            builder.store(number(0), done)
            for size in SQUARES:
                rest = builder.sub(count, builder.load(done))
                with cgutils.for_range(builder, builder.sdiv(rest, number(size))):
                    begin = builder.load(done)
                    body(begin, size)
                    builder.store(builder.add(begin, number(size)), done)

        for_tiles(
            columns,
            lambda second, width: for_tiles(
                rows, lambda first, height: tile(first, second, height, width)
            ),
        )
        return context.get_dummy_value()

    return types.void(rows, columns, left, right, vectors, out), code


_products_of_rows: Any = intrinsic(_code_of_products_of_rows)


@called
def products_of_rows(rows, columns, left, right, vectors, out):
    """Compute ``out``, so many rows and columns, from matrices that are ``Strided``:

        out[r, c] = Σ left[r, t] · right[c, t]   over so many whole vectors of ``t``

    In a row of each matrix, the numbers stand one after the other.
    """
    _products_of_rows(rows, columns, left, right, vectors, out)
