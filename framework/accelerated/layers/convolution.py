"""The kernel of ``framework.layers.Conv1D`` and ``Conv2D``.

All three products read windows where they stand (see ``tiles.py``), from an image with its padding
that stays in the second-level cache:

    output      the windows of the inputs, times the weights
    dweights    the same windows, turned over, times ``dvalues``
    dinputs     the windows of ``dvalues`` that a pixel was seen by, times the weights turned round

With a stride, the pixels of every ``stride``-th row and column were seen through the same places of
the kernel; the other ones are further phases.

Each part adds up the gradients of the parameters over its own samples.
"""

import numpy as np

from framework.accelerated.jit import inlined, jit
from framework.accelerated.layers.dense import add_penalty_gradients, weights_and_biases
from framework.accelerated.layers.windows import copy, padded_size, place
from framework.accelerated.state import own_rows
from framework.accelerated.tiles import product
from framework.accelerated.vectors import Strided, filled, lanes


@jit
def in_panels(matrix):
    """Return a flat copy of ``matrix``, in panels of two vectors of columns.

    The rows of a panel stand one after the other. The last panel may be one vector wide. Zeros
    fill it up.
    """
    rows, columns = matrix.shape
    whole = filled(columns, matrix.itemsize)
    panels = np.zeros(rows * whole, matrix.dtype)
    for first in range(0, columns, 2 * lanes(matrix)):
        width = min(2 * lanes(matrix), whole - first)
        for row in range(rows):
            start = first * rows + row * width
            for column in range(first, min(first + width, columns)):
                panels[start + column - first] = matrix[row, column]
    return panels


@inlined
def correlate(pixels, rows, columns, segments, run, panels, depth, initial, out, width):
    """Compute ``out``, the product of the window of each of ``pixels`` with a matrix.

    Args:
        pixels, out: ``Strided`` by row and column of the image; a pixel of ``out`` has ``width``
            numbers.
        segments, run: see ``product``.
        panels: the matrix, ``(depth, width)``, see ``in_panels``.
        initial: what is added, in whole vectors.
    """
    wide = lanes(panels)
    buffer = np.empty(columns * 2 * wide, panels.dtype)
    for first in range(0, width, 2 * wide):
        vectors = 2 if width - first > wide else 1
        count = min(width - first, vectors * wide)
        right = Strided(panels, first * depth, vectors * wide, 1)
        start = Strided(initial, first, 0, 1)
        for i in range(rows):
            left = Strided(pixels.values, pixels.start + i * pixels.row, pixels.step, 1)
            begin = out.start + i * out.row + first
            if count == vectors * wide:
                whole = Strided(out.values, begin, out.step, 1)
                product(columns, vectors, left, right, segments, run, start, whole)
            else:
                whole = Strided(buffer, 0, vectors * wide, 1)
                product(columns, vectors, left, right, segments, run, start, whole)
                for j in range(columns):
                    copy(
                        buffer[j * vectors * wide : j * vectors * wide + count],
                        out.values[begin + j * out.step : begin + j * out.step + count],
                    )


@jit
def window_segments(op, padded_width):
    """Return the segments of a window in the padded inputs, and how long their runs are."""
    joined = op.kernel_width if op.dilation_width == 1 else 1
    apart = op.kernel_width // joined
    segments = np.empty((op.kernel_height * apart, 2), np.intp)
    run = joined * op.last_axis
    for u in range(op.kernel_height):
        for v in range(apart):
            segment = u * apart + v
            pixel = u * op.dilation_height * padded_width + v * op.dilation_width
            segments[segment, 0] = pixel * op.last_axis
            segments[segment, 1] = segment * run
    return segments, run


@jit
def padded_image(op, values):
    """Return the memory of one sample with its padding, which is 0; empty if there is none."""
    height, width = padded_size(op)
    is_padded = op.top > 0 or op.left > 0 or height > op.height or width > op.width
    return np.zeros(height * width * op.last_axis if is_padded else 0, values.dtype)


@inlined
def convolve(op, inputs, state, output):
    weights, biases = weights_and_biases(op, state.parameters)
    depth, filters = weights.shape
    panels, initial = in_panels(weights), np.zeros(filled(filters, weights.itemsize), weights.dtype)
    for k in range(len(biases)):
        initial[k] = biases[k]
    image = padded_image(op, weights)
    _, width = padded_size(op) if len(image) else (op.height, op.width)
    segments, run = window_segments(op, width)
    row, column = op.stride_height * width * op.last_axis, op.stride_width * op.last_axis
    for sample in range(len(inputs)):
        x, _ = padded_inputs(op, inputs[sample], image)
        pixels = Strided(x, 0, row, column)
        out = Strided(output[sample], 0, op.columns * filters, filters)
        correlate(pixels, op.rows, op.columns, segments, run, panels, depth, initial, out, filters)


@jit
def padded_inputs(op, inputs, image):
    """Return one sample with its padding, for which ``image`` is the memory, and its width."""
    if len(image) == 0:
        return inputs, op.width
    height, width = padded_size(op)
    place(inputs, op.height, op.width, op.last_axis, op.top, op.left, image, height, width)
    return image, width


@inlined
def add_parameter_gradients(op, image, width, dvalues, segments, sums):
    """Add the gradients of the weights and the biases for one sample to ``sums``.

    ``sums`` has a row of whole vectors for each row of the weights, and one for the biases.
    """
    channels, filters = op.last_axis, op.output_axis
    wide, whole = lanes(sums), filled(op.output_axis, sums.itemsize)
    for i in range(op.rows):
        segments[i, 0] = i * op.stride_height * width * channels
        segments[i, 1] = i * op.columns
    joined = op.kernel_width if op.dilation_width == 1 else 1
    step = op.stride_width * channels
    depth = op.kernel_height * op.kernel_width * channels
    ones, nothing = np.ones(1, sums.dtype), np.zeros((1, 2), np.intp)
    for first in range(0, filters, 2 * wide):
        vectors = 2 if filters - first > wide else 1
        right = Strided(dvalues, first, filters, 1)
        for u in range(op.kernel_height):
            for v in range(0, op.kernel_width, joined):
                pixel = u * op.dilation_height * width + v * op.dilation_width
                row = (u * op.kernel_width + v) * channels
                out = Strided(sums, row * whole + first, whole, 1)
                left = Strided(image, pixel * channels, 1, step)
                product(joined * channels, vectors, left, right, segments, op.columns, out, out)
        out = Strided(sums, depth * whole + first, whole, 1)
        pixels = op.rows * op.columns
        product(1, vectors, Strided(ones, 0, 0, 0), right, nothing, pixels, out, out)


@jit
def reach(before, length, kernel, stride, dilation, count):
    """Return how many windows to put before the first, and how many there are with those.

    So many that every pixel of an axis was seen by one at each place of the kernel.
    """
    first = -(((kernel - 1) * dilation - before) // stride)
    last = (before + length - 1) // stride
    margin = max(0, -first)
    return margin, margin + max(count, last + 1)


@jit
def turned(op, weights):
    """Return the weights as a matrix by window and filter, ``(…, channels)``, columns reversed."""
    channels, filters = op.last_axis, op.output_axis
    matrix = np.empty((op.kernel_height * op.kernel_width * filters, channels), weights.dtype)
    for u in range(op.kernel_height):
        for v in range(op.kernel_width):
            row = (u * op.kernel_width + op.kernel_width - 1 - v) * filters
            depth = (u * op.kernel_width + v) * channels
            for channel in range(channels):
                for k in range(filters):
                    matrix[row + k, channel] = weights[depth + channel, k]
    return matrix


@jit
def phase_segments(op, row, column, width, segments):
    """Write the segments of the windows that saw the pixels of a phase; return them, and the run.

    Args:
        row, column: of the first pixel of the phase, in the padded inputs.
        width: of the windows with their margins.
    """
    filters = op.output_axis
    joined = op.stride_width == 1 and op.dilation_width == 1
    count = 0
    for u in range(op.kernel_height):
        if (row - u * op.dilation_height) % op.stride_height == 0:
            i = (row - u * op.dilation_height) // op.stride_height
            # From the last column of the kernel to the first, the windows follow each other.
            for v in range(op.kernel_width - 1, -1, -1):
                if (column - v * op.dilation_width) % op.stride_width == 0:
                    j = (column - v * op.dilation_width) // op.stride_width
                    place_of_weights = u * op.kernel_width + op.kernel_width - 1 - v
                    segments[count, 0] = (i * width + j) * filters
                    segments[count, 1] = place_of_weights * filters
                    count += 1
                if joined:
                    break
    return segments[:count], filters * (op.kernel_width if joined else 1)


@inlined
def pass_back(op, dvalues, top, left, width, segments, panels, initial, dinputs):
    """Write the gradient of one sample.

    Args:
        dvalues: by window, with ``top`` and ``left`` margins, and ``width`` with both margins.
        segments: memory.
        panels: of the ``turned`` weights.
        initial: zeros.
    """
    channels, filters = op.last_axis, op.output_axis
    depth = op.kernel_height * op.kernel_width * filters
    for y in range(min(op.stride_height, op.height)):
        for x in range(min(op.stride_width, op.width)):
            seen, run = phase_segments(
                op,
                (y + op.top) % op.stride_height,
                (x + op.left) % op.stride_width,
                width,
                segments,
            )
            row = top + (y + op.top) // op.stride_height
            column = left + (x + op.left) // op.stride_width
            pixels = Strided(dvalues, (row * width + column) * filters, width * filters, filters)
            out = Strided(
                dinputs,
                (y * op.width + x) * channels,
                op.stride_height * op.width * channels,
                op.stride_width * channels,
            )
            rows = (op.height - y + op.stride_height - 1) // op.stride_height
            columns = (op.width - x + op.stride_width - 1) // op.stride_width
            correlate(pixels, rows, columns, seen, run, panels, depth, initial, out, channels)


@inlined
def gradients(op, inputs, state, dvalues, dinputs):
    """Add up the gradients of the parameters over a part's samples, and write ``dinputs``."""
    sums = state.partials[state.part]
    sums[:] = 0
    weights, _ = weights_and_biases(op, state.parameters)
    filters = op.output_axis
    top, height = reach(
        op.top, op.height, op.kernel_height, op.stride_height, op.dilation_height, op.rows
    )
    left, width = reach(
        op.left, op.width, op.kernel_width, op.stride_width, op.dilation_width, op.columns
    )
    is_wider = height > op.rows or width > op.columns
    wider = np.zeros(height * width * filters if is_wider else 0, weights.dtype)
    panels = in_panels(turned(op, weights)) if not op.leaves_out_dinputs else wider
    initial = np.zeros(filled(op.last_axis, weights.itemsize), weights.dtype)
    image = padded_image(op, weights)
    segments = np.empty((op.rows, 2), np.intp)
    of_phase = np.empty((op.kernel_height * op.kernel_width, 2), np.intp)
    for sample in range(len(inputs)):
        dy = dvalues[sample]
        x, padded_width = padded_inputs(op, inputs[sample], image)
        if op.n_parameters:
            add_parameter_gradients(op, x, padded_width, dy, segments, sums)
        if not op.leaves_out_dinputs:
            if is_wider:
                place(dy, op.rows, op.columns, filters, top, left, wider, height, width)
                dy = wider
            pass_back(op, dy, top, left, width, of_phase, panels, initial, dinputs[sample])


@jit
def forward(op, inputs, state, saved, output):
    convolve(op, inputs, state, output)


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    gradients(op, inputs, state, dvalues, dinputs)


@jit
def parameter_gradients(op, inputs, dvalues, state, saved):
    """Add up what the parts have found, for a part's chunk of the weights and the biases."""
    filters = op.output_axis
    whole = filled(filters, state.gradients.itemsize)
    own = own_rows(op, state)
    for row in range(own.start, own.stop):
        found = state.gradients[row * filters : (row + 1) * filters]
        found[:] = 0
        for partial in state.partials:
            for k in range(filters):
                found[k] += partial[row * whole + k]
    add_penalty_gradients(op, state.parameters, state.gradients, own)
