"""How windows slide over an image, for the kernels of convolution and pooling.

A sequence is an image of height 1. An image is a flat array of ``height · width · channels``
numbers, in that order.
"""

from typing import Any

from framework.accelerated.jit import jit

# The fields of an instruction: numbers of rows and columns for all of them.
FIELDS = (
    "height",  # of the inputs
    "width",
    "top",  # of the padding
    "left",
    "rows",  # of the output
    "columns",
    "kernel_height",
    "kernel_width",
    "stride_height",
    "stride_width",
    "stride_channels",  # of a permutation
    "dilation_height",
    "dilation_width",
)


def fields(operation: Any, input_shape: tuple[int, ...]) -> dict[str, int]:
    """Return the ``FIELDS`` of an operation that has ``windows``."""
    lengths, windows = input_shape[:-1], operation.windows
    pairs = {
        ("height", "width"): (lengths, 1),
        ("top", "left"): ([before for before, _ in windows.margins(lengths)], 0),
        ("rows", "columns"): (windows.counts(lengths), 1),
        ("kernel_height", "kernel_width"): (windows.size, 1),
        ("stride_height", "stride_width"): (windows.stride, 1),
        ("dilation_height", "dilation_width"): (windows.dilation, 1),
    }
    return {
        name: number
        for names, (numbers, of_sequence) in pairs.items()
        for name, number in zip(names, (of_sequence, *numbers)[-2:], strict=True)
    }


@jit
def padded_size(op):
    """Return the height and the width that all windows together reach over, with the padding."""
    height = (op.rows - 1) * op.stride_height + (op.kernel_height - 1) * op.dilation_height + 1
    width = (op.columns - 1) * op.stride_width + (op.kernel_width - 1) * op.dilation_width + 1
    return height, width


@jit
def place(image, height, width, channels, top, left, target, target_height, target_width):
    """Copy an image into ``target``, its first pixel to ``(top, left)``, and cut what is outside.

    The rest of ``target`` stays as it is.
    """
    first = max(0, -left)
    count = (min(width, target_width - left) - first) * channels
    for i in range(max(0, -top), min(height, target_height - top)):
        source = (i * width + first) * channels
        start = ((i + top) * target_width + first + left) * channels
        copy(image[source : source + count], target[start : start + count])


@jit
def copy(source, target):
    for k in range(len(target)):
        target[k] = source[k]


@jit
def inside(position, stride, size, before, length):
    """Return the first and the end of the places of a window that are no padding, on one axis."""
    start = position * stride - before
    return max(0, -start), min(size, length - start)
