"""RandomFlip: mirrored images."""

from __future__ import annotations

import numpy as np

from framework.augmentation.augmentation import Augmentation
from optimizers.arrays import Array


class RandomFlip(Augmentation):
    """Mirrors each image with a probability of one half.

    Not for digits or letters, which mean something else then.

    Args:
        horizontal: whether left and right are exchanged.
        vertical: whether top and bottom are; of both kinds, each is drawn by itself.
        seed: see the module.

    Raises:
        ValueError: neither is asked for; when called, for what is no batch of images.

    >>> images = np.tile(np.arange(1, 4).reshape(1, 1, 3, 1), (3, 1, 1, 1))
    >>> RandomFlip(seed=0)(images)[:, 0, :, 0].tolist()
    [[1, 2, 3], [3, 2, 1], [1, 2, 3]]
    """

    def __init__(
        self, *, horizontal: bool = True, vertical: bool = False, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.horizontal, self.vertical = bool(horizontal), bool(vertical)
        if not (horizontal or vertical):
            raise ValueError("RandomFlip needs horizontal=True, vertical=True, or both")

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        changed = images.copy()
        flipped = generator.random((len(images), 2)) < 0.5
        if self.horizontal:
            changed[flipped[:, 0]] = changed[flipped[:, 0], :, ::-1]
        if self.vertical:
            changed[flipped[:, 1]] = changed[flipped[:, 1], ::-1]
        return changed
