"""The kernel of ``framework.layers.GlobalMaxPooling1D`` and ``GlobalMaxPooling2D``.

It saves the position of the largest value of each channel, as a float.
"""

from framework.accelerated.jit import jit
from framework.accelerated.layers.dense import in_rows


@jit
def forward(op, inputs, state, saved, output):
    kind = output.dtype.type
    for sample in range(len(inputs)):
        rows = in_rows(inputs[sample], op.last_axis)
        best, found = output[sample], saved[0][sample]
        for k in range(len(best)):
            best[k] = rows[0, k]
            found[k] = 0
        for row in range(1, len(rows)):
            for k in range(len(best)):
                value = rows[row, k]
                # The first NaN is the largest, as for NumPy's argmax.
                larger = value > best[k] or (value != value and best[k] == best[k])
                found[k] = kind(row) if larger else found[k]
                best[k] = value if larger else best[k]


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    dinputs[:] = 0
    for sample in range(len(inputs)):
        rows = in_rows(dinputs[sample], op.last_axis)
        for k in range(dvalues.shape[1]):
            rows[int(saved[0][sample, k]), k] = dvalues[sample, k]
