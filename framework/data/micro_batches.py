"""How many samples run through a network at once.

A step holds the output and the gradient of every operation. For a batch much larger than the
cache, such as the whole data set with ``batch_size=None``, it is faster to run micro-batches
through one after the other and to add up their gradients. It also bounds the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from framework.checks import check_count
from framework.containers.supervised import Supervised
from framework.operation import Operation, describe
from framework.utils.deprecation import RenamedAttribute
from framework.utils.warnings import warn_user
from optimizers.arrays import Array

# Measured: 1,000 to 4,000 samples at once are fastest, twice as fast as 20,000.
MOST_SAMPLES = 4096
FEWEST_SAMPLES = 256
BYTES_AT_ONCE = 2**26
MUCH_MEMORY = 200 * 2**20

OLD = "samplewise"  # the old name of independent_samples


def micro_batch_size(outputs: Sequence[Array], sample: Array) -> int:
    """Return the number of samples to run at once, given the operations' outputs for one."""
    size = BYTES_AT_ONCE // bytes_per_sample(outputs, sample)
    return min(max(size, FEWEST_SAMPLES), MOST_SAMPLES)


def evaluation_batch_size(model: Supervised, sample: Array) -> int:
    """Return how many samples like ``sample`` to evaluate or predict at once."""
    return micro_batch_size(model.leaf_outputs(sample), sample)


def chosen_batch_size(model: Supervised, X: Array, batch_size: int | None) -> int:
    """Return ``batch_size``, or for None how many samples of ``X`` to evaluate at once.

    Raises TypeError or ValueError if ``batch_size`` is not a whole number of at least 1.
    """
    if batch_size is not None:
        return check_count("batch_size", batch_size)
    # So few run at once whatever a sample takes, so it need not be found out.
    return len(X) if len(X) <= FEWEST_SAMPLES else evaluation_batch_size(model, X[:1])


def bytes_per_sample(outputs: Sequence[Array], sample: Array) -> int:
    """Return the memory that a step needs for each sample: outputs and gradients."""
    return 2 * (sum(output.nbytes for output in outputs) + sample.size * outputs[0].itemsize)


def warn_of_whole_batches(
    operations: Sequence[Any], outputs: Sequence[Array], sample: Array, batch_size: int
) -> None:
    """Warn if whole batches take much memory; name the operation that needs them whole."""
    needed = batch_size * bytes_per_sample(outputs, sample)
    if needed > MUCH_MEMORY:
        dependent = (describe(one) for one in operations if not has_independent_samples(one))
        warn_user(
            f"each batch of {batch_size:,} samples goes through the network at once, which takes "
            f"about {needed / 2**30:.1f} GiB: {next(dependent, 'the loss')} may need all of them "
            "together. A smaller batch_size takes less."
        )


def has_independent_samples(operation: Any) -> bool:
    """Whether ``operation`` declares that each output depends on its own sample alone."""
    old = next((vars(c)[OLD] for c in type(operation).__mro__ if OLD in vars(c)), None)
    # ``Operation`` has both: the old name counts where it was set on the class afterwards.
    is_set = isinstance(operation, Operation) and not isinstance(old, RenamedAttribute)
    if not is_set and (hasattr(operation, "independent_samples") or not hasattr(operation, OLD)):
        return bool(getattr(operation, "independent_samples", False))
    warn_user(
        f"{type(operation).__name__}.samplewise was renamed: use independent_samples",
        DeprecationWarning,
    )
    return bool(operation.samplewise)
