"""The kernel of ``framework.layers.MaxPooling1D`` and ``MaxPooling2D``.

It saves the position of the largest value in each window, as a float.
"""

from framework.accelerated.jit import jit
from framework.accelerated.layers.windows import inside


@jit
def forward(op, inputs, state, saved, output):
    channels, kind = op.last_axis, output.dtype.type
    for sample in range(len(inputs)):
        x, out, largest = inputs[sample], output[sample], saved[0][sample]
        for i in range(op.rows):
            first_u, end_u = inside(i, op.stride_height, op.kernel_height, op.top, op.height)
            for j in range(op.columns):
                first_v, end_v = inside(j, op.stride_width, op.kernel_width, op.left, op.width)
                start = (i * op.columns + j) * channels
                best, found = out[start : start + channels], largest[start : start + channels]
                for u in range(first_u, end_u):
                    y = i * op.stride_height - op.top + u
                    for v in range(first_v, end_v):
                        start = (y * op.width + j * op.stride_width - op.left + v) * channels
                        values = x[start : start + channels]
                        number = kind(u * op.kernel_width + v)
                        if u == first_u and v == first_v:
                            begin(values, number, best, found)
                        else:
                            improve(values, number, best, found)


@jit
def begin(values, number, best, found):
    for k in range(len(best)):
        best[k] = values[k]
        found[k] = number


@jit
def improve(values, number, best, found):
    for k in range(len(best)):
        value = values[k]
        larger = value > best[k] or value != value  # NaN passes through
        found[k] = number if larger else found[k]
        best[k] = value if larger else best[k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    channels, kind = op.last_axis, output.dtype.type
    for sample in range(len(inputs)):
        dout, dx, largest = dvalues[sample], dinputs[sample], saved[0][sample]
        dx[:] = 0
        for i in range(op.rows):
            first_u, end_u = inside(i, op.stride_height, op.kernel_height, op.top, op.height)
            for j in range(op.columns):
                first_v, end_v = inside(j, op.stride_width, op.kernel_width, op.left, op.width)
                start = (i * op.columns + j) * channels
                passed, found = dout[start : start + channels], largest[start : start + channels]
                for u in range(first_u, end_u):
                    y = i * op.stride_height - op.top + u
                    for v in range(first_v, end_v):
                        start = (y * op.width + j * op.stride_width - op.left + v) * channels
                        number = kind(u * op.kernel_width + v)
                        add_where(found, number, passed, dx[start : start + channels])


@jit
def add_where(found, number, passed, total):
    zero = passed.dtype.type(0)
    for k in range(len(total)):
        total[k] += passed[k] if found[k] == number else zero
