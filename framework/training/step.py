"""One step of training in plain NumPy, up to the update: forward, loss, backward.

Whole steps in one compiled call are in ``framework.accelerated``.
"""

from __future__ import annotations

from collections.abc import Callable

from framework.containers.supervised import Supervised
from framework.data.batches import Batch
from optimizers.arrays import Array


def forward_and_backward(
    model: Supervised,
    batch: Batch,
    micro_batch_size: int | None,
    check_loss: Callable[[float], None] | None = None,
    scale: float = 1.0,
) -> tuple[float, float]:
    """Compute the gradient of ``batch``; return its data loss and accuracy (0 without one).

    Args:
        micro_batch_size: samples that run through the network at once; None runs all of them.
        check_loss: called with the data loss so far before each backward pass.
        scale: multiplies the gradient of the data loss.
    """
    data_loss = accuracy = 0.0
    gradient: Array | None = None
    several = micro_batch_size is not None and len(batch) > micro_batch_size
    for X, y, sample_weight, share in batch.micro_batches(micro_batch_size):
        data_loss += share * model.calculate_loss(X, y, sample_weight=sample_weight)
        if check_loss is not None:
            check_loss(data_loss)
        model.backward(y, all_operations=False, sample_weight=sample_weight, scale=scale)
        if model.accuracy is not None:
            accuracy += share * model.calculate_accuracy(y, sample_weight=sample_weight)
        if several:
            # The gradient of a mean is the mean of the micro-batches' gradients. Each of them
            # contains that of the penalties, which counts once, since the shares add up to 1.
            part = share * model.parameters.dweights
            gradient = part if gradient is None else gradient + part
    if gradient is not None:
        model.parameters.dweights[...] = gradient
    return data_loss, accuracy
