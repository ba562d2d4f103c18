"""The products of dense layers.

    weighted_sums      out = x @ weights + biases
    weight_gradients   dweights = xᵀ @ dvalues, some rows of it
    input_gradients    dinputs = dvalues @ weightsᵀ

``tiles.py`` multiplies a block of the left matrix, which stays in the second-level cache, by panels
of the right one, which stay in the first-level cache. Both are read where they stand, unless the
numbers of a row of the right one are apart, or where a copy costs less. BLAS copies both in each
call.

Every number is the same sum in the same order, whatever rows it is computed together with. So the
work can be cut into parts.

Measured in float32 on one core of an AMD EPYC (Zen 5), GFlop/s:

| samples, inputs, neurons | OpenBLAS | weighted_sums | weight_gradients | input_gradients |
|---|---|---|---|---|
| 32, 784, 64 | 102 to 110 | 236 | 233 | 135 |
| 64, 784, 128 | 118 to 122 | 244 | 245 | 186 |
| 128, 128, 128 | 114 to 116 | 231 | 233 | 213 |
| 256, 784, 512 | 130 | 235 | 224 | 236 |
| 1024, 1024, 1024 | 125 to 127 | 221 | 223 | 227 |

With vectors of 256 bits alone, OpenBLAS and these reach some 120 there.
"""

import numpy as np

from framework.accelerated.entries import call_multiply
from framework.accelerated.jit import jit
from framework.accelerated.panels import copy_matrix
from framework.accelerated.tiles import HEIGHTS
from framework.accelerated.tiles import product as product_of_tiles
from framework.accelerated.vectors import Strided, filled, lanes, part
from framework.accelerated.views import as_vector

# The terms of a sum that are added up in registers: a panel has so many rows.
DEPTH = 256
# Bytes of a block of the left matrix.
BLOCK = 2**18
# Bytes from one row to the next, or one column, from which on a matrix is copied.
FAR_APART = 2**11
# A panel of the right matrix is copied for as many rows, and a block of the left one for more
# columns than these.
ROWS_PER_COPY = 256
COLUMNS_PER_COPY = 256


@jit
def weighted_sums(op, x, weights, biases, out):
    """Write ``x @ weights + biases``; without biases these are empty."""
    depth, neurons = weights.shape
    left, right = Strided(as_vector(x), 0, depth, 1), Strided(as_vector(weights), 0, neurons, 1)
    call_multiply(op.multiply, (op, out, left, right, depth, biases))


@jit
def weight_gradients(op, x, own, dvalues, dweights):
    """Write the rows ``own`` of ``xᵀ @ dvalues``."""
    (samples, depth), neurons = x.shape, dvalues.shape[1]
    left, right = (
        Strided(as_vector(x), own.start, 1, depth),
        Strided(as_vector(dvalues), 0, neurons, 1),
    )
    nothing = as_vector(dvalues)[:0]
    call_multiply(op.multiply, (op, dweights[own], left, right, samples, nothing))


@jit
def input_gradients(op, dvalues, weights, dinputs):
    """Write ``dvalues @ weightsᵀ``."""
    neurons = dvalues.shape[1]
    left, right = (
        Strided(as_vector(dvalues), 0, neurons, 1),
        Strided(as_vector(weights), 0, 1, neurons),
    )
    nothing = as_vector(dvalues)[:0]
    call_multiply(op.multiply, (op, dinputs, left, right, neurons, nothing))


@jit
def multiply(op, out, left, right, depth, initial):
    """Write ``out[i, k] = initial[k] + Σ left[i, t] · right[t, k]`` over ``t < depth``.

    ``left`` and ``right`` are ``Strided``, ``out`` is in C order. An empty ``initial`` adds
    nothing. It is compiled by itself and called by its address, which ``op`` holds: within each
    kernel it would take seconds to compile.
    """
    rows, columns = out.shape
    size, wide = out.itemsize, lanes(out)
    width = 2 * wide
    panel = np.empty(min(depth, DEPTH) * width, out.dtype)
    added, segment = np.zeros(width, out.dtype), np.zeros((1, 2), np.intp)
    # Tiles are whole vectors: those of the last columns are written here first.
    last = np.empty(rows * width if columns % wide else 0, out.dtype)
    copies_right = right.step > 1 or (right.row * size >= FAR_APART and rows >= ROWS_PER_COPY)
    copies_left = left.step * size >= FAR_APART and columns > COLUMNS_PER_COPY
    for begin in range(0, depth, DEPTH):
        run = min(DEPTH, depth - begin)
        block = max(1, BLOCK // (run * size * HEIGHTS[0])) * HEIGHTS[0]
        whole_run = filled(run, size)
        copied = np.empty(min(block, rows) * whole_run if copies_left else 0, out.dtype)
        for top in range(0, rows, block):
            height = min(block, rows - top)
            x = part(left, top, begin)
            if copies_left:
                target = Strided(copied, 0, whole_run, 1)
                copy_matrix(x, height, run, target)
                x = target
            for first in range(0, columns, width):
                count = min(width, columns - first)
                vectors = 2 if count > wide else 1
                is_whole = count == vectors * wide
                y = part(right, begin, first)
                if copies_right or not is_whole:
                    target = Strided(panel, 0, width, 1)
                    copy_matrix(y, run, count, target)
                    y = target
                target = Strided(last, top * width, width, 1)
                if is_whole:
                    target = Strided(as_vector(out), top * columns + first, columns, 1)
                before = target
                if begin == 0:
                    if len(initial):
                        for k in range(count):
                            added[k] = initial[first + k]
                    before = Strided(added, 0, 0, 1)
                product_of_tiles(height, vectors, x, y, segment, run, before, target)
                if not is_whole and begin + run == depth:
                    copy_columns(last[top * width :], out[top : top + height], first)


@jit
def copy_columns(panel, out, first):
    """Copy the numbers of a panel, one row after the other, to the columns from ``first`` on."""
    for row in range(len(out)):
        for column in range(first, out.shape[1]):
            out[row, column] = panel[row * 2 * lanes(out) + column - first]
