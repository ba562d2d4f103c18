"""The kernel of ``framework.layers.ZeroPadding2D``."""

from framework.accelerated.jit import jit
from framework.accelerated.layers.windows import place


@jit
def forward(op, inputs, state, saved, output):
    output[:] = 0
    for sample in range(len(inputs)):
        place(
            inputs[sample], op.height, op.width, op.last_axis,
            op.top, op.left, output[sample], op.rows, op.columns,
        )  # fmt: skip


@jit
def backward(op, inputs, output, state, saved, dvalues, dinputs):
    for sample in range(len(inputs)):
        place(
            dvalues[sample], op.rows, op.columns, op.last_axis,
            -op.top, -op.left, dinputs[sample], op.height, op.width,
        )  # fmt: skip
