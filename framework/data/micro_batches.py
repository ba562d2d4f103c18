"""How many samples go through a network at once.

A step holds every operation's output and its gradient. For a batch far larger than the cache,
which is the whole of the data when ``batch_size=None``, it is faster, and takes no more memory
however many samples there are, to send slices of it through and to add up what they give.
"""

from collections.abc import Sequence
from typing import Any

from framework.operation import Array, describe
from framework.utils.warnings import warn_user

# Measured: between 1,000 and 4,000 samples at once are fastest, twice as fast as 20,000.
MOST_SAMPLES = 4096
FEWEST_SAMPLES = 256
BYTES_AT_ONCE = 2**26
MUCH_MEMORY = 200 * 2**20


def samples_at_once(outputs: Sequence[Array], sample: Array) -> int:
    """Return how many samples like ``sample``, of which operations gave ``outputs``, to take."""
    at_once = BYTES_AT_ONCE // bytes_per_sample(outputs, sample)
    return min(max(at_once, FEWEST_SAMPLES), MOST_SAMPLES)


def bytes_per_sample(outputs: Sequence[Array], sample: Array) -> int:
    """Return how many bytes a step holds of each sample: outputs and gradients."""
    return 2 * (sum(output.nbytes for output in outputs) + sample.size * outputs[0].itemsize)


def warn_of_whole_batches(
    layers: Sequence[Any], outputs: Sequence[Array], sample: Array, samples: int
) -> None:
    """Warn if ``samples`` at once take much memory, naming the operation that wants them so."""
    needed = samples * bytes_per_sample(outputs, sample)
    if needed > MUCH_MEMORY:
        reason = next((describe(layer) for layer in layers if not is_samplewise(layer)), "the loss")
        warn_user(
            f"each batch of {samples:,} samples goes through the network at once, which takes "
            f"about {needed / 2**30:.1f} GiB: {reason} may need all of them together. A smaller "
            "batch_size takes less."
        )


def is_samplewise(layer: Any) -> bool:
    """Whether ``layer`` says that it treats every sample on its own: see ``Operation``."""
    if hasattr(layer, "independent_samples") or not hasattr(layer, "samplewise"):
        return bool(getattr(layer, "independent_samples", False))
    warn_user(
        f"{type(layer).__name__}.samplewise was renamed: use independent_samples",
        DeprecationWarning,
    )
    return bool(layer.samplewise)
