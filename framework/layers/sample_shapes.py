"""Checks of the shape of images and sequences, with the likely mistake in the message.

A container, or ``check_inputs``, completes each message with the shape that was received and the
operation that it came from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from framework.checks import as_floats
from framework.layers.windows import Windows
from framework.operation import Channels, LastAxis, Shape
from optimizers.arrays import Array

IMAGE = ("height", "width")
SEQUENCE = ("steps",)

# More values along an axis are seldom the colours of an image.
MOST_COLOURS = 4


def check_inputs(operation: Any, inputs: ArrayLike) -> Array:
    """Return ``inputs`` as floats. Raises ValueError where ``output_shape`` refuses them."""
    inputs = as_floats(inputs)
    try:
        if not inputs.ndim:
            raise ValueError(f"{operation!r} expects inputs of shape (samples, …)")
        operation.output_shape(inputs.shape[1:])
    except ValueError as error:
        raise ValueError(f"{error}, received {inputs.shape}") from None
    return inputs


def check_features(operation: Any, input_shape: Shape, n_features: int) -> Shape:
    """Return ``input_shape``. Raises ValueError unless its last axis is so many features."""
    if input_shape is None or input_shape[-1:] == (n_features,):
        return input_shape
    more = "…, " if len(input_shape) > 1 or isinstance(input_shape, Channels) else ""
    subject = repr(operation)
    if len(input_shape) > 1 and input_shape[0] == n_features:
        subject += f": {_channels_first(input_shape)} It"
    raise ValueError(f"{subject} expects inputs of shape (samples, {more}{n_features})")


def windows_in(
    operation: Any,
    input_shape: Shape,
    axes: Sequence[str],
    windows: Windows,
    channels: int | None = None,
) -> tuple[int, ...] | None:
    """Return how many windows there are along each axis of a sample, None where not known.

    Raises ValueError for a sample with other axes or other ``channels``, or without any window.
    """
    if not are_known(operation, input_shape, axes, channels):
        return None
    assert input_shape is not None
    lengths = input_shape[:-1]
    counts = windows.counts(lengths)
    if min(*counts, *lengths) > 0:
        return counts
    mistake = ""
    if input_shape[0] <= MOST_COLOURS < min(input_shape[1:]):
        mistake = f" {_channels_first(input_shape).capitalize()}"
    raise ValueError(
        f"{operation!r}: no window of {_product(windows.extents)} fits into padded inputs of "
        f"{_product(windows.padded_lengths(lengths))}, so nothing would be left.{mistake} It "
        "expects larger inputs"
    )


def channels_of(input_shape: Shape) -> Shape:
    """Return what is known of a sample with as many channels, whose other axes are not known."""
    return None if input_shape is None else Channels(input_shape[-1:])


def are_known(
    operation: Any, input_shape: Shape, axes: Sequence[str], channels: int | None = None
) -> bool:
    """Whether the axes of a sample are known.

    Raises ValueError unless they are ``axes``, and then ``channels``, if given.
    """
    if input_shape is None:
        return False
    if isinstance(input_shape, LastAxis) and channels in (None, input_shape[-1]):
        return False
    if len(input_shape) == len(axes) + 1 and channels in (None, input_shape[-1]):
        return True
    mistake = ""
    if len(input_shape) == len(axes) + 1 and input_shape[0] == channels:
        mistake = _channels_first(input_shape)
    elif len(input_shape) == len(axes) and input_shape[-1] == channels:
        mistake = "one sample needs an axis before it: X[np.newaxis]."
    elif len(input_shape) == len(axes) and not isinstance(input_shape, LastAxis):
        mistake = "there is no axis for channels; X[..., np.newaxis] adds one."
    elif len(input_shape) == 1 and not isinstance(input_shape, LastAxis):
        mistake = (
            f"Reshape(({', '.join(axes)}, channels)) makes images of rows, and X[np.newaxis, ..., "
            "np.newaxis] a batch of one image without channels."
        )
    last = "channels" if channels is None else str(channels)
    expected = f"expects inputs of shape (samples, {', '.join(axes)}, {last})"
    subject = f"{operation!r}: {mistake} It" if mistake else repr(operation)
    raise ValueError(f"{subject} {expected}")


def _channels_first(input_shape: Sequence[int]) -> str:
    return f"the last axis has {input_shape[-1]} values; are these channels first?"


def _product(lengths: Sequence[int]) -> str:
    return " × ".join(map(str, lengths))
