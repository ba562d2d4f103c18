"""The products of dense layers, each by the faster of two ways.

    weighted_sums            out = x @ weights + biases
    weight_gradients         dweights = xᵀ @ dvalues, some rows of it

``tiles.py`` reads both matrices where they stand, where BLAS copies them first, once in each call.
Every number is the same sum in the same order there, whatever rows it is computed together with.
Columns that do not fill a vector are copied. Matrices of which a panel of columns does not stay in
the second-level cache are left to ``blas.py``.

Measured in float32 on one core of an AMD EPYC (Zen 4), GFlop/s:

| samples, inputs, neurons | OpenBLAS | tiles |
|---|---|---|
| 32, 784, 64 | 84 | 113, gradients 108 |
| 64, 784, 128 | 96 | 114, gradients 109 |
| 128, 128, 128 | 95 | 110, gradients 111 |
| 256, 784, 512 | 102 | 113, gradients 103 |
"""

import numpy as np

from framework.accelerated.blas import product, transposed_product
from framework.accelerated.jit import called, jit
from framework.accelerated.tiles import HEIGHTS, Strided, lanes
from framework.accelerated.tiles import product as product_of_tiles

# Bytes of the largest weights, and of the largest gradients, with which tiles were not slower: of
# larger ones the panels do not stay in the second-level cache.
LARGEST_WEIGHTS = 2**21
LARGEST_GRADIENTS = 2**20
# Bytes of the inputs that stay there beside a panel, in whole tiles.
BLOCK = 2**17
HIGHEST = HEIGHTS[0]
# Samples that stay in the first-level cache, of a few columns.
SAMPLES_OF_BLOCK = 256


@jit
def in_bytes(matrix):
    return matrix.size * matrix.itemsize


@called
def weighted_sums(x, weights, biases, out):
    """Write ``x @ weights + biases``; without biases these are empty."""
    (samples, depth), columns = x.shape, weights.shape[1]
    if in_bytes(weights) > LARGEST_WEIGHTS:
        product(x, weights, out)
        if len(biases):
            for row in range(samples):
                for neuron in range(columns):
                    out[row, neuron] += biases[neuron]
        return
    added = biases if len(biases) else np.zeros(columns, weights.dtype)
    last, last_added = last_panel(weights), last_panel(added.reshape(1, columns))
    block = max(1, BLOCK // (depth * weights.itemsize * HIGHEST)) * HIGHEST
    segment, panel = np.zeros((1, 2), np.intp), 2 * lanes(weights)
    rest = np.empty(block * panel if len(last) else 0, weights.dtype)
    for begin in range(0, samples, block):
        rows = min(block, samples - begin)
        left = Strided(x.ravel(), begin * depth, depth, 1)
        for first in range(0, columns, panel):
            vectors = 2 if columns - first > lanes(weights) else 1
            is_whole = first + vectors * lanes(weights) <= columns
            if is_whole:
                right = Strided(weights.ravel(), first, columns, 1)
                before = Strided(added, first, 0, 1)
                target = Strided(out.ravel(), begin * columns + first, columns, 1)
            else:
                right, before = Strided(last, 0, panel, 1), Strided(last_added, 0, 0, 1)
                target = Strided(rest, 0, panel, 1)
            product_of_tiles(rows, vectors, left, right, segment, depth, before, target)
            if not is_whole:
                copy_columns(rest, out[begin : begin + rows], first)


@called
def weight_gradients(x, own, dvalues, dweights):
    """Write the rows ``own`` of ``xᵀ @ dvalues``."""
    (samples, depth), (_, columns), out = x.shape, dweights.shape, dweights[own]
    if in_bytes(dweights) > LARGEST_GRADIENTS:
        transposed_product(x, own, dvalues, out)
        return
    last, panel = last_panel(dvalues), 2 * lanes(dweights)
    rest = np.empty(len(out) * panel if len(last) else 0, dweights.dtype)
    segment, nothing = np.zeros((1, 2), np.intp), np.zeros(panel, dweights.dtype)
    for begin in range(0, samples, SAMPLES_OF_BLOCK):
        count = min(SAMPLES_OF_BLOCK, samples - begin)
        left = Strided(x.ravel(), begin * depth + own.start, 1, depth)
        for first in range(0, columns, panel):
            vectors = 2 if columns - first > lanes(dweights) else 1
            is_whole = first + vectors * lanes(dweights) <= columns
            if is_whole:
                right = Strided(dvalues.ravel(), begin * columns + first, columns, 1)
                target = Strided(out.ravel(), first, columns, 1)
            else:
                right, target = Strided(last, begin * panel, panel, 1), Strided(rest, 0, panel, 1)
            before = target if begin else Strided(nothing, 0, 0, 1)
            product_of_tiles(len(out), vectors, left, right, segment, count, before, target)
            if not is_whole and begin + count == samples:
                copy_columns(rest, out, first)


@jit
def last_panel(matrix):
    """Return the last columns, filled up with zeros to a panel, one row after the other.

    Nothing where the columns are whole vectors.
    """
    rows, columns = matrix.shape
    panel = 2 * lanes(matrix)
    first = columns // panel * panel
    filled = np.zeros(rows * panel if columns % lanes(matrix) else 0, matrix.dtype)
    if len(filled):
        for row in range(rows):
            for column in range(first, columns):
                filled[row * panel + column - first] = matrix[row, column]
    return filled


@jit
def copy_columns(panel, out, first):
    """Copy the numbers of a panel, one row after the other, to the columns from ``first`` on."""
    for row in range(len(out)):
        for column in range(first, out.shape[1]):
            out[row, column] = panel[row * 2 * lanes(out) + column - first]
