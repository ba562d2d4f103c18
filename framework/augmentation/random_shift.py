"""RandomShift: images moved by whole pixels."""

from __future__ import annotations

import numpy as np

from framework.augmentation.augmentation import Augmentation
from framework.augmentation.borders import Fill, check_fill, padded_images, windows_of
from framework.layers.sample_shapes import IMAGE
from framework.layers.windows import Sizes, check_sizes, per_axis
from optimizers.arrays import Array


class RandomShift(Augmentation):
    """Moves each image by whole pixels.

    Args:
        pixels: how far at most, up and down and to both sides; or a pair ``(height, width)``.
            Every distance up to it is as likely.
        fill: what comes in at the other side: a number, "edge" for the outermost pixel, or
            "reflect" for the mirrored image.
        seed: see the module.

    Raises:
        TypeError, ValueError: for an argument of another kind or out of its range; when called,
            for what is no batch of images, or a ``fill`` that their dtype does not have.

    >>> images = np.arange(1, 4, dtype=np.uint8).reshape(1, 1, 3, 1)
    >>> RandomShift((0, 1), seed=0)(images).ravel()
    array([2, 3, 0], dtype=uint8)
    """

    def __init__(self, pixels: Sizes, *, fill: Fill = 0.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.pixels = check_sizes("pixels", pixels, IMAGE, minimum=0)
        self.fill = check_fill(fill)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        margins = per_axis(self.pixels, IMAGE)
        places = generator.integers(0, [2 * n + 1 for n in margins], size=(len(images), 2))
        return windows_of(padded_images(self, images, margins), places, images.shape[1:3])
