"""The kernel of ``framework.layers.GlobalAveragePooling1D`` and ``GlobalAveragePooling2D``."""

from framework.accelerated.jit import jit
from framework.accelerated.layers.dense import in_rows, sum_of_rows


@jit
def forward(op, inputs, state, saved, output):
    for sample in range(len(inputs)):
        rows, mean = in_rows(inputs[sample], op.last_axis), output[sample]
        sum_of_rows(rows, mean)
        mean /= output.dtype.type(len(rows))


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    for sample in range(len(inputs)):
        rows = in_rows(dinputs[sample], op.last_axis)
        share = dvalues[sample] / dvalues.dtype.type(len(rows))
        for row in range(len(rows)):
            for k in range(len(share)):
                rows[row, k] = share[k]
