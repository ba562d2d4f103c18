"""Random changes of images, so that a training sees more of them than there are.

    transform = Compose([RandomShift(2), RandomRotation(10)])
    model.train(X, y, transform=transform, validation_split=0.1)

| class | what it does |
|---|---|
| ``RandomShift`` | moves each image up or down, and to the left or the right |
| ``RandomFlip`` | mirrors half of the images |
| ``RandomRotation`` | turns each image by a small angle |
| ``RandomCrop`` | cuts a window out of each image, or out of the image with a border |
| ``RandomErasing`` | covers a rectangle |
| ``Compose`` | one after the other, functions of one's own among them |

Each is a function of a batch of images, ``(samples, height, width, channels)``, of bytes or of any
other real numbers, which returns new images of the same dtype; every image gets a change of its
own. ``Model.train`` calls it for each batch. Validation data are left as they are, or cut in the
middle: ``training=False``.

Without a ``seed``, random numbers come from the generator that ``framework.seed`` seeds; with one,
from a generator of its own, or from that of a ``rng.use_generator`` block around the call. Either
way they are the same again, and a training that goes on from a ``Checkpoint`` goes on with them.

A change of one's own is a class with one method:

>>> import numpy as np
>>> class RandomBrightness(Augmentation):
...     def change(self, images, generator):
...         return images * generator.uniform(0.8, 1.2, size=(len(images), 1, 1, 1))
>>> RandomBrightness(seed=0)(np.ones((2, 1, 1, 1))).round(2).ravel().tolist()
[1.05, 0.91]
"""

from typing import TYPE_CHECKING

from framework.augmentation.augmentation import Augmentation as Augmentation
from framework.augmentation.compose import Compose as Compose
from framework.augmentation.random_crop import RandomCrop as RandomCrop
from framework.augmentation.random_erasing import RandomErasing as RandomErasing
from framework.augmentation.random_flip import RandomFlip as RandomFlip
from framework.augmentation.random_rotation import RandomRotation as RandomRotation
from framework.augmentation.random_shift import RandomShift as RandomShift

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = sorted(name for name, value in globals().items() if isinstance(value, type))
