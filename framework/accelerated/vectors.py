"""Matrices for code that is put together here for LLVM: numbers at a stride, read in whole vectors.

What LLVM does not find out by itself is written that way: which sums of a loop could stay in
registers (``tiles.py``), and that a matrix can be turned over within them (``panels.py``).
"""

from typing import Any, NamedTuple

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from framework.accelerated.jit import jit
from framework.utils.aligned import LINE

features = llvmlite.binding.get_host_cpu_features()

# Of a vector; a processor without any is given the same code.
VECTOR_BYTES = 64 if features.get("avx512f") else 32 if features.get("avx") else 16


@jit
def aligned_zeros(count, like):
    """Return so many zeros of the dtype of ``like``: see ``framework.utils.aligned``."""
    memory = np.zeros(count + LINE // like.itemsize, like.dtype)
    start = -memory.ctypes.data % LINE // like.itemsize
    return memory[start : start + count]


class Strided(NamedTuple):
    """The matrix whose number ``[i, k]`` is ``values[start + i * row + k * step]``."""

    values: Any
    start: int
    row: int
    step: int


@jit
def part(matrix, row, column):
    """Return the part of a ``Strided`` that begins at ``[row, column]``."""
    start = matrix.start + row * matrix.row + column * matrix.step
    return Strided(matrix.values, start, matrix.row, matrix.step)


@jit
def turned(matrix):
    """Return a ``Strided``, turned over."""
    return Strided(matrix.values, matrix.start, matrix.step, matrix.row)


def whole_vectors(count: int, itemsize: int) -> int:
    """Return ``count``, rounded up to the numbers of whole vectors."""
    lanes = VECTOR_BYTES // itemsize
    return -(-count // lanes) * lanes


filled = jit(whole_vectors)


@jit
def lanes(values):
    """Return how many numbers of an array make a vector."""
    return VECTOR_BYTES // values.itemsize


def _code_of_choose(typingctx: Any, condition: Any, one: Any, other: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return one(types.boolean, one, one), code


# ``one if condition else other``, both computed. From a branch that leaves a number as it is, LLVM
# makes one that does not write it, and then no code for vectors.
choose: Any = intrinsic(_code_of_choose)


class Matrix:
    """A ``Strided`` in machine code."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array, self.start, self.row, self.step = (builder.extract_value(value, i) for i in range(4))
        self.builder = builder
        self.values = make_array(kind[0])(context, builder, array).data
        self.size = kind[0].dtype.bitwidth // 8
        number = context.get_value_type(kind[0].dtype)
        self.vector = ir.VectorType(number, VECTOR_BYTES // self.size)

    def place(self, row: Any) -> Any:
        """Return where a row begins."""
        return self.builder.add(self.start, self.builder.mul(self.row, row))

    def number(self, place: Any) -> Any:
        """Return the number at a place, in every lane of a vector."""
        builder, index = self.builder, ir.IntType(32)
        number = builder.load(builder.gep(self.values, [place]))
        nothing = ir.Constant(self.vector, ir.Undefined)
        first = builder.insert_element(nothing, number, index(0))
        every = ir.Constant(ir.VectorType(index, self.vector.count), [0] * self.vector.count)
        return builder.shuffle_vector(first, nothing, every)

    def pointer(self, place: Any, vector: int) -> Any:
        """Return the address of a vector at a place, or of the second one there."""
        builder = self.builder
        place = builder.add(place, place.type(vector * self.vector.count))
        return builder.bitcast(builder.gep(self.values, [place]), self.vector.as_pointer())

    def load(self, place: Any, vector: int) -> Any:
        return self.builder.load(self.pointer(place, vector), align=self.size)

    def prefetch(self, place: Any, vector: int) -> None:
        """Have the memory of a vector that will be written brought near."""
        builder, index = self.builder, ir.IntType(32)
        address = builder.bitcast(self.pointer(place, vector), ir.IntType(8).as_pointer())
        arguments = (address, index(1), index(3), index(1))  # to write, near, data
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        function = builder.module.declare_intrinsic("llvm.prefetch", [address.type], kind)
        builder.call(function, arguments)

    def store(self, numbers: Any, place: Any, vector: int) -> None:
        self.builder.store(numbers, self.pointer(place, vector), align=self.size)
