"""Activations that work along an axis, or have a number for each feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from framework.activations import Activation, PReLU
from framework.interchange.assembly import Assembly
from framework.interchange.builders import build
from optimizers.arrays import Array


def add_along(assembly: Assembly, activation: Activation, axes: Sequence[int]) -> None:
    """Add an activation along these of their axes, such as a softmax."""
    assembly.features(*axes)
    assembly.append(activation)


def add_prelu(assembly: Assembly, slopes: Array) -> None:
    """Add a PReLU with slopes that broadcast to a sample.

    Raises ValueError if they are for several axes, or do not fit.
    """
    shape = slopes.shape[-len(assembly.sizes) :]
    features = [axis for axis, size in enumerate(shape) if size != 1]
    if len(features) > 1 or slopes.size != np.prod(shape):
        raise ValueError(f"slopes of shape {slopes.shape}: PReLU has one for each feature")
    slopes = slopes.reshape(-1)
    if features:
        assembly.features(features[0] - len(shape))
        slopes = slopes[assembly.order(len(slopes))]
    assembly.append(build(PReLU, weights=slopes))
