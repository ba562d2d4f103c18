"""RandomCrop: windows of images."""

from __future__ import annotations

import numpy as np

from framework.augmentation.augmentation import Augmentation
from framework.augmentation.borders import Fill, check_fill, padded_images, windows_of
from framework.layers.sample_shapes import IMAGE
from framework.layers.windows import Sizes, check_sizes, per_axis
from optimizers.arrays import Array


class RandomCrop(Augmentation):
    """Cuts a window out of each image, anywhere in it.

    For validation the window is the middle of the image, without a border. Where a training is
    evaluated on whole images instead, as with a ``size`` that is theirs and a ``padding``, the
    change is that of ``RandomShift``.

    Args:
        size: height and width of the window, a pair or one number for both.
        padding: the width of a border that is put around the images first, a pair ``(height,
            width)`` or one number.
        fill: of the border, as in ``RandomShift``.
        seed: see the module.

    Raises:
        TypeError, ValueError: for an argument of another kind or out of its range; when called,
            for what is no batch of images, images smaller than the window, or a ``fill`` that their
            dtype does not have.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional
    Neural Networks", 2012.

    >>> images = np.arange(1, 5).reshape(1, 1, 4, 1)
    >>> crop = RandomCrop((1, 2), seed=0)
    >>> crop(images).ravel(), crop(images, training=False).ravel()
    (array([3, 4]), array([2, 3]))
    """

    def __init__(
        self, size: Sizes, *, padding: Sizes = 0, fill: Fill = 0.0, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.size = check_sizes("size", size, IMAGE)
        self.padding = check_sizes("padding", padding, IMAGE, minimum=0)
        self.fill = check_fill(fill)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        padded = padded_images(self, images, per_axis(self.padding, IMAGE))
        room = self._room(padded)
        places = generator.integers(0, [n + 1 for n in room], size=(len(images), 2))
        return windows_of(padded, places, per_axis(self.size, IMAGE))

    def leave(self, images: Array) -> Array:
        places = np.tile([n // 2 for n in self._room(images)], (len(images), 1))
        return windows_of(images, places, per_axis(self.size, IMAGE))

    def _room(self, images: Array) -> list[int]:
        """How far a window can move."""
        size = per_axis(self.size, IMAGE)
        room = [length - n for length, n in zip(images.shape[1:3], size, strict=True)]
        if min(room) < 0:
            raise ValueError(
                f"{self!r} cannot cut {size[0]} × {size[1]} pixels out of images of "
                f"{images.shape[1]} × {images.shape[2]}"
            )
        return room
