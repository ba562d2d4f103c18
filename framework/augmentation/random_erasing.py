"""RandomErasing: images with a rectangle covered."""

from __future__ import annotations

import numpy as np

from framework.augmentation.augmentation import Augmentation
from framework.augmentation.borders import fill_value
from framework.checks import check_number
from optimizers.arrays import Array


class RandomErasing(Augmentation):
    """Covers a rectangle of an image, so that no single part of it is relied upon.

    Args:
        share: the smallest and the largest share of the image that is covered, above 0 and at
            most 1; drawn evenly, and right to half a row or column of pixels. Height / width of the
            rectangle is from 0.3 to 1 / 0.3, its logarithm drawn evenly from what fits into the
            image; where nothing does, it is the nearest that fits.
        probability: of an image to be changed, above 0 and at most 1.
        fill: the number that covers.
        seed: see the module.

    Raises:
        TypeError, ValueError: for an argument of another kind or out of its range; when called,
            for what is no batch of images, or a ``fill`` that their dtype does not have.

    Source: Zhong et al., "Random Erasing Data Augmentation", AAAI 2020.
    """

    NARROWEST = 0.3

    def __init__(
        self,
        share: tuple[float, float] = (0.02, 0.2),
        *,
        probability: float = 0.5,
        fill: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__(seed)
        expected = f"share must be two numbers above 0 and up to 1, received {share!r}"
        if not isinstance(share, (tuple, list)):
            raise TypeError(expected)
        numbers = [check_number("share", number) for number in share]
        if len(numbers) != 2 or not 0 < numbers[0] <= numbers[1] <= 1:
            raise ValueError(expected)
        low, high = numbers
        self.share = low, high
        self.probability = check_number("probability", probability)
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability must be above 0 and at most 1, received {probability!r}")
        self.fill = check_number("fill", fill)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        lengths = np.array(images.shape[1:3])
        numbers = generator.random((len(images), 5))
        low, high = self.share
        area = (low + (high - low) * numbers[:, :1]) * lengths.prod()
        # The lowest and the highest rectangle that the ratios allow, and the image.
        heights = np.sqrt(area * [self.NARROWEST, 1 / self.NARROWEST])
        heights = heights.clip(area / lengths[1], lengths[0])
        height = heights[:, :1] * (heights[:, 1:] / heights[:, :1]) ** numbers[:, 1:2]
        height = np.rint(height).clip(1)
        size = np.hstack([height, np.rint(area / height)]).clip(1, lengths)
        start = np.floor(numbers[:, 2:4] * (lengths - size + 1))
        size *= numbers[:, 4:] < self.probability
        rows, columns = (
            (start[:, [axis]] <= np.arange(length))
            & (np.arange(length) < start[:, [axis]] + size[:, [axis]])
            for axis, length in enumerate(lengths)
        )
        changed = images.copy()
        changed[rows[:, :, np.newaxis] & columns[:, np.newaxis]] = fill_value(self, images.dtype)
        return changed
