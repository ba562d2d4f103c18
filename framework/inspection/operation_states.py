"""What a pass of one batch through a network leaves at each of its operations.

Operations on images and sequences use the same weights at every position. So what can be silent, or
learn slowly, is a channel: one that is 0 at some pixels is not dead, and the gradients of all
positions add up in its weights. Sizes are therefore known by value and by channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from framework.activations.sigmoid import Sigmoid
from framework.activations.tanh import Tanh
from framework.containers.container import is_trained
from framework.containers.flattening import flattened
from framework.containers.residual import Residual
from framework.containers.supervised import Supervised
from framework.layers.dropout import Dropout
from framework.layers.flatten import Flatten
from framework.layers.reshape import Reshape
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names


@dataclass(frozen=True)
class OperationState:
    """Signal, gradient and dead units of one operation for one batch.

    Attributes:
        position: in the table, from 1.
        name: of its class.
        trained: whether it has parameters.
        units: how many values it gives for one sample.
        channels: how many of them have weights of their own: the channels of images and sequences,
            otherwise all units.
        output: the root mean square of its output.
        gradient: the root mean square of the loss's gradient by its output; None before the first
            trained operation and for an activation fused with the loss, where it is not computed.
        channel_output: the root mean square of the means of each channel of a sample.
        channel_gradient: that of the sums of each channel of a sample, or None.
        dead: how many hidden channels this operation silences: their output is 0 for every sample,
            at every position, though their input is not.
        saturated: the share of a hidden sigmoid's or tanh's outputs that are within 1 % of a
            limit; 0 for other operations.
    """

    position: int
    name: str
    trained: bool
    units: int
    channels: int
    output: float
    gradient: float | None
    channel_output: float
    channel_gradient: float | None
    dead: int
    saturated: float

    def __str__(self) -> str:
        return f"operation {self.position} ({self.name}, {count(self.units, 'unit')})"


class _Pass(NamedTuple):
    """An operation, its inputs if they are known, the gradient by its output, its channels."""

    operation: Any
    before: Array | None
    gradient: Array | None
    channels: int


def measure(model: Supervised) -> tuple[OperationState, ...]:
    """Return the state of each operation after ``calculate_loss`` and ``backward``.

    Those inside a ``Residual`` come before it, and it stands for their sum.

    Raises RuntimeError if the two have not been called, or on different batches.
    """
    passes = list(_passes(model.operations_in_order, model.gradients(), None, 0))
    return tuple(
        _state(position, one, is_hidden=position < len(passes))
        for position, one in enumerate(passes, 1)
    )


def _state(position: int, one: _Pass, is_hidden: bool) -> OperationState:
    operation, gradient = one.operation, one.gradient
    means = _by_channel(operation.output, one.channels).mean(axis=1)
    sums = None if gradient is None else _by_channel(gradient, one.channels).sum(axis=1)
    return OperationState(
        position=position,
        name=type(operation).__name__,
        trained=not isinstance(operation, Residual) and is_trained(operation),
        units=int(np.prod(operation.output.shape[1:])),
        channels=one.channels,
        output=root_mean_square(operation.output),
        gradient=None if gradient is None else root_mean_square(gradient),
        channel_output=root_mean_square(means),
        channel_gradient=None if sums is None else root_mean_square(sums),
        dead=_dead(one) if is_hidden else 0,
        saturated=_saturated(operation) if is_hidden else 0.0,
    )


def _passes(
    operations: Sequence[Any],
    gradients: Sequence[Array | None],
    before: Array | None,
    channels: int,
) -> Iterator[_Pass]:
    """Yield the pass of each operation; ``channels`` are those of ``before``, if it is known."""
    for operation, gradient in zip(operations, gradients, strict=True):
        if isinstance(operation, Residual):
            for branch in (operation.operations, operation.shortcut):
                inside = list(flattened(branch))
                following = [None if gradient is None else one.dinputs for one in inside[1:]]
                yield from _passes(inside, [*following, gradient][: len(inside)], before, channels)
        channels = _channels_after(operation, before, channels)
        yield _Pass(operation, before, gradient, channels)
        before = operation.output


def _channels_after(operation: Any, before: Array | None, channels: int) -> int:
    """Return how many channels the output of ``operation`` has, given those of its inputs."""
    output = operation.output
    has_weights = isinstance(operation, Residual) or parameter_names(operation)
    is_reshaped = isinstance(operation, (Flatten, Reshape))
    if before is not None and not has_weights and (is_reshaped or output.shape == before.shape):
        return channels  # whose values have the same weights, also in one row
    return int(output.shape[-1]) if output.ndim > 1 else 1


def _by_channel(values: Array, channels: int) -> Array:
    """Return ``values`` as ``(samples, positions, channels)``, in float64."""
    return values.reshape(len(values), -1, channels).astype(np.float64, copy=False)


def root_mean_square(values: Array) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _dead(one: _Pass) -> int:
    operation, before, output = one.operation, one.before, one.operation.output
    # Units that dropout silences, or that a layer's own parameters make 0, are not dead.
    if before is None or isinstance(operation, Dropout) or is_trained(operation):
        return 0
    if before.shape != output.shape:
        return 0
    given, left = (
        _by_channel(values, one.channels).any(axis=(0, 1)) for values in (before, output)
    )
    return int(np.count_nonzero(given & ~left))


def _saturated(layer: Any) -> float:
    if isinstance(layer, Sigmoid):
        height = layer.output
    elif isinstance(layer, Tanh):
        height = (layer.output + 1) / 2
    else:
        return 0.0
    return float(np.mean((height < 0.01) | (height > 0.99)))


def count(number: int, noun: str) -> str:
    """Return the number and the noun, in the plural unless it is one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
