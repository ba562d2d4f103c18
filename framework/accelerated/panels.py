"""Copies of matrices, in the order in which ``tiles.py`` reads them.

A panel is some columns of a matrix, so many as fill two vectors, or the rest. Its rows stand one
after the other.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from framework.accelerated.jit import called
from framework.accelerated.vectors import Matrix, lanes, part, turned


def _code_of_copy_vector(typingctx: Any, source: Any, target: Any, row: Any) -> Any:
    """Copy the first vector of a row of ``source`` to the same row of ``target``."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (
            Matrix(context, builder, signature.args[i], arguments[i]) for i in range(2)
        )
        vector = source.load(source.place(arguments[2]), 0)
        target.store(vector, target.place(arguments[2]), 0)
        return context.get_dummy_value()

    return types.void(source, target, row), code


def _code_of_turn_square(typingctx: Any, source: Any, target: Any) -> Any:
    """Turn over the first rows of ``source``, as many as a vector has numbers.

        target[k, i] = source[i, k]

    In registers: first every square of two by two numbers, then of four by four, and so on. To turn
    over a square whose quarters are turned over, two of these change places.
    """

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (
            Matrix(context, builder, signature.args[i], arguments[i]) for i in range(2)
        )
        count, number = source.vector.count, source.start.type
        mask = ir.VectorType(ir.IntType(32), count)
        rows = [source.load(source.place(number(i)), 0) for i in range(count)]
        half = 1
        while half < count:
            # Of both rows, the places before and behind the middle of each square.
            first = [k if not k & half else count + k - half for k in range(count)]
            second = [k + half if not k & half else count + k for k in range(count)]
            for i in range(count):
                if not i & half:
                    pair = rows[i], rows[i + half]
                    rows[i] = builder.shuffle_vector(*pair, ir.Constant(mask, first))
                    rows[i + half] = builder.shuffle_vector(*pair, ir.Constant(mask, second))
            half *= 2
        for i in range(count):
            target.store(rows[i], target.place(number(i)), 0)
        return context.get_dummy_value()

    return types.void(source, target), code


_copy_vector: Any = intrinsic(_code_of_copy_vector)
_turn_square: Any = intrinsic(_code_of_turn_square)


@called
def copy_matrix(source, rows, columns, target):
    """Copy ``columns`` of ``source`` to ``target``. Up to a whole vector, any numbers may follow.

    Both are ``Strided``. In a row of ``target``, and in a row or a column of ``source``, the
    numbers stand one after the other.
    """
    x, out, wide = source.values, target.values, lanes(source.values)
    for first in range(0, columns, wide):
        width = min(wide, columns - first)
        for row in range(0, rows, wide):
            height = min(wide, rows - row)
            square, copied = part(source, row, first), part(target, row, first)
            if source.step > 1 and width == wide and height == wide:
                _turn_square(turned(square), copied)
                continue
            for i in range(height):
                start, place = square.start + i * square.row, copied.start + i * copied.row
                if source.step == 1 and start + wide <= len(x):
                    _copy_vector(square, copied, i)
                else:
                    for k in range(width):
                        out[place + k] = x[start + k * square.step]
