"""The kernel of ``framework.layers.AveragePooling1D`` and ``AveragePooling2D``."""

from framework.accelerated.jit import jit
from framework.accelerated.layers.windows import inside


@jit
def forward(op, inputs, state, saved, output):
    channels, kind = op.last_axis, output.dtype.type
    for sample in range(len(inputs)):
        x, out = inputs[sample], output[sample]
        for i in range(op.rows):
            first_u, end_u = inside(i, op.stride_height, op.kernel_height, op.top, op.height)
            for j in range(op.columns):
                first_v, end_v = inside(j, op.stride_width, op.kernel_width, op.left, op.width)
                start = (i * op.columns + j) * channels
                total = out[start : start + channels]
                total[:] = 0
                for u in range(first_u, end_u):
                    y = i * op.stride_height - op.top + u
                    for v in range(first_v, end_v):
                        start = (y * op.width + j * op.stride_width - op.left + v) * channels
                        add(x[start : start + channels], kind(1), total)
                count = kind((end_u - first_u) * (end_v - first_v))
                for k in range(channels):
                    total[k] /= count


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    channels, kind = op.last_axis, output.dtype.type
    for sample in range(len(inputs)):
        dout, dx = dvalues[sample], dinputs[sample]
        dx[:] = 0
        for i in range(op.rows):
            first_u, end_u = inside(i, op.stride_height, op.kernel_height, op.top, op.height)
            for j in range(op.columns):
                first_v, end_v = inside(j, op.stride_width, op.kernel_width, op.left, op.width)
                start = (i * op.columns + j) * channels
                passed = dout[start : start + channels]
                share = kind(1) / kind((end_u - first_u) * (end_v - first_v))
                for u in range(first_u, end_u):
                    y = i * op.stride_height - op.top + u
                    for v in range(first_v, end_v):
                        start = (y * op.width + j * op.stride_width - op.left + v) * channels
                        add(passed, share, dx[start : start + channels])


@jit
def add(values, factor, total):
    for k in range(len(total)):
        total[k] += factor * values[k]
