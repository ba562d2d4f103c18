"""Random data for property tests."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.float64]


@st.composite
def batches(draw: st.DrawFn, max_samples: int = 6, max_features: int = 5) -> Array:
    """Normally distributed ``(samples, features)``, down to one sample or one feature."""
    shape = draw(st.integers(1, max_samples)), draw(st.integers(1, max_features))
    return generator(draw).normal(scale=2.0, size=shape)


@st.composite
def images(draw: st.DrawFn) -> Array:
    """Normally distributed ``(samples, height, width, channels)``."""
    shape = tuple(draw(st.integers(1, 3)) for _ in range(4))
    return generator(draw).normal(size=shape)


@st.composite
def probabilities(draw: st.DrawFn) -> Array:
    """``(samples, outputs)`` well inside 0…1, where no clipping takes place."""
    shape = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    return generator(draw).uniform(0.02, 0.98, size=shape)


@st.composite
def window_options(draw: st.DrawFn, axes: int, paddings: tuple[str, ...]) -> dict[str, Any]:
    """Kernel size, stride, dilation and padding of a convolution, as numbers or one for each axis.

    A number for padding is at most half of a kernel of size 3.
    """

    def sizes(low: int, high: int) -> Any:
        several = st.tuples(*[st.integers(low, high)] * axes)
        return draw(st.one_of(st.integers(low, high), several))

    return {
        "kernel_size": sizes(1, 4),
        "stride": sizes(1, 3),
        "dilation": sizes(1, 2),
        "padding": draw(st.sampled_from(paddings)) if draw(st.booleans()) else sizes(0, 2),
    }


def generator(draw: st.DrawFn) -> np.random.Generator:
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
