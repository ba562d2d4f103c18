"""The kernel of ``framework.layers.Permute``, for samples of up to three axes.

``rows``, ``columns`` and ``output_axis`` are the lengths of the output's axes, the first of them 1
where there are fewer. A step along them is one of ``stride_…`` numbers in the inputs.
"""

from framework.accelerated.jit import jit


@jit
def forward(op, inputs, state, saved, output):
    for sample in range(len(inputs)):
        x, out, place = inputs[sample], output[sample], 0
        for i in range(op.rows):
            for j in range(op.columns):
                start = i * op.stride_height + j * op.stride_width
                for k in range(op.output_axis):
                    out[place] = x[start + k * op.stride_channels]
                    place += 1


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    for sample in range(len(dinputs)):
        dout, dx, place = dvalues[sample], dinputs[sample], 0
        for i in range(op.rows):
            for j in range(op.columns):
                start = i * op.stride_height + j * op.stride_width
                for k in range(op.output_axis):
                    dx[start + k * op.stride_channels] = dout[place]
                    place += 1
