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

>>> class RandomBrightness(Augmentation):
...     def change(self, images, generator):
...         return images * generator.uniform(0.8, 1.2, size=(len(images), 1, 1, 1))
>>> RandomBrightness(seed=0)(np.ones((2, 1, 1, 1))).round(2).ravel().tolist()
[1.05, 0.91]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from framework.checks import as_array, check_count, check_number
from framework.layers.sample_shapes import IMAGE, MOST_COLOURS
from framework.layers.windows import Sizes, check_sizes, per_axis
from framework.utils import rng
from framework.utils.signatures import with_training
from framework.utils.warnings import warn_user
from optimizers.arrays import Array
from optimizers.configuration import Configurable

# What comes in from outside an image: a number, or how ``np.pad`` goes on with the image.
Fill: TypeAlias = float | str
CONTINUED = ("edge", "reflect")


class Augmentation(Configurable):
    """Base class of random changes of images.

    A subclass writes ``change``; and, if its images change their size, ``leave``, which does the
    same to images that are not trained on.

    Args:
        seed: a whole number, for a generator of its own. None takes that of the framework.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = None if seed is None else check_count("seed", seed, minimum=0)
        self._generator = None if seed is None else np.random.default_rng(seed)

    def __call__(self, images: ArrayLike, training: bool = True) -> Array:
        """Return changed copies of ``images``; without ``training``, unchanged ones.

        Raises TypeError or ValueError for what is no batch of images.
        """
        checked = self._checked(images)
        return self.change(checked, self.generator) if training else self.leave(checked)

    @property
    def generator(self) -> np.random.Generator:
        """The generator to draw from now."""
        return rng.generator() if self._generator is None else rng.used_or(self._generator)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        """Return a changed copy of ``images``, with random numbers from ``generator``."""
        raise NotImplementedError(f"{type(self).__name__} has no change method")

    def leave(self, images: Array) -> Array:
        """Return a copy of ``images`` for validation."""
        return images.copy()

    def checkpoint_state(self) -> dict[str, Any]:
        """Return the state of the generator, for a ``Checkpoint``: see ``Callback``."""
        return {} if self._generator is None else {"generator": self._generator.bit_generator.state}

    def resume(self, training: Any, state: dict[str, Any]) -> None:
        """Go on from the ``checkpoint_state``. Raises an error for any other ``state``."""
        if self._generator is not None and "generator" in state:
            rng.set_generator_state(self._generator, state["generator"])

    def _checked(self, images: ArrayLike) -> Array:
        found = as_array(images, "images")
        mistake = ""
        if found.ndim == 3:
            mistake = ": there is no axis for channels; images[..., np.newaxis] adds one"
        if found.ndim != 4 or mistake:
            raise ValueError(
                f"{self!r} expects images of shape (samples, height, width, channels), received "
                f"{found.shape}{mistake}"
            )
        short, long = sorted(found.shape[2:])
        # Images are seldom longer than that, and may well be low and have many channels.
        if found.shape[1] <= MOST_COLOURS < short and long <= 2 * short:
            warn_user(
                f"{self!r} received images of shape {found.shape}, whose last axis it takes for "
                f"the channels. It has {found.shape[3]} values; are these channels first?"
            )
        return found


class Compose(Augmentation):
    """Applies transforms one after the other.

    Args:
        transforms: changes of this module, or functions of a batch. Those that take ``training``
            are told whether they are.
        seed: of all that is random inside and draws from the framework's generator; a change with
            a seed of its own draws from this one's generator too.

    Raises:
        TypeError: they are no list, or one of them cannot be called.
    """

    def __init__(
        self, transforms: Iterable[Callable[..., ArrayLike]], *, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        if not isinstance(transforms, Iterable):
            raise TypeError(f"transforms must be a list of them, received {transforms!r}")
        self.transforms = list(transforms)
        for transform in self.transforms:
            if not callable(transform) or isinstance(transform, type):
                raise TypeError(
                    f"a transform must be a function of a batch, received {transform!r}"
                )

    def __call__(self, images: ArrayLike, training: bool = True) -> Array:
        values = images
        with rng.use_generator(self.generator):
            for transform in self.transforms:
                values = with_training(transform, training)(values)
        return np.array(values) if values is images else np.asarray(values)

    def checkpoint_state(self) -> dict[str, Any]:
        inside = [
            one.checkpoint_state() if hasattr(one, "checkpoint_state") else {}
            for one in self.transforms
        ]
        state = super().checkpoint_state()
        return {**state, "transforms": inside} if any(inside) else state

    def resume(self, training: Any, state: dict[str, Any]) -> None:
        super().resume(training, state)
        for transform, inside in zip(self.transforms, state.get("transforms", ()), strict=False):
            if inside and hasattr(transform, "resume"):
                transform.resume(training, inside)


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
        self.fill = _check_fill(fill)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        margins = per_axis(self.pixels, IMAGE)
        places = generator.integers(0, [2 * n + 1 for n in margins], size=(len(images), 2))
        return _cut(_padded(self, images, margins), places, images.shape[1:3])


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
        self.fill = _check_fill(fill)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        padded = _padded(self, images, per_axis(self.padding, IMAGE))
        room = self._room(padded)
        places = generator.integers(0, [n + 1 for n in room], size=(len(images), 2))
        return _cut(padded, places, per_axis(self.size, IMAGE))

    def leave(self, images: Array) -> Array:
        places = np.tile([n // 2 for n in self._room(images)], (len(images), 1))
        return _cut(images, places, per_axis(self.size, IMAGE))

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


class RandomRotation(Augmentation):
    """Turns each image around its middle, by an angle between ``-degrees`` and ``degrees``.

    Each pixel of the result is taken from where it came from, between four pixels, which count the
    more the nearer they are (bilinear interpolation). Images of integers are rounded.

    Args:
        degrees: the largest angle, greater than 0 and at most 180.
        fill: what comes in at the corners, as in ``RandomShift``.
        seed: see the module.

    Raises:
        TypeError, ValueError: for an argument of another kind or out of its range; when called,
            for what is no batch of images, or a ``fill`` that their dtype does not have.
    """

    def __init__(self, degrees: float, *, fill: Fill = 0.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.degrees = check_number("degrees", degrees)
        if not 0 < self.degrees <= 180:
            raise ValueError(
                f"degrees must be greater than 0 and at most 180, received {degrees!r}"
            )
        self.fill = _check_fill(fill)

    def change(self, images: Array, generator: np.random.Generator) -> Array:
        angles = np.radians(generator.uniform(-self.degrees, self.degrees, len(images)))
        dtype = np.float64 if images.dtype == np.float64 else np.float32
        sines, cosines = (f(angles).astype(dtype).reshape(-1, 1, 1) for f in (np.sin, np.cos))
        height, width = images.shape[1:3]
        y = np.arange(height, dtype=dtype).reshape(1, -1, 1) - (height - 1) / 2
        x = np.arange(width, dtype=dtype).reshape(1, 1, -1) - (width - 1) / 2
        rows = cosines * y + sines * x + (height - 1) / 2
        columns = cosines * x - sines * y + (width - 1) / 2
        # Beyond one pixel all is filled alike, but for a mirrored image, which is needed as far as
        # a corner moves.
        moved = math.hypot(height, width) * math.sin(math.radians(self.degrees) / 2)
        margin = math.ceil(moved) if self.fill == "reflect" else 0
        return _interpolated(self, images, rows, columns, margin + 1)


class RandomErasing(Augmentation):
    """Covers a rectangle of an image, so that no single part of it is relied upon.

    Args:
        share: the smallest and the largest share of the image that is covered, above 0 and at
            most 1; it is drawn evenly, and so is the logarithm of the rectangle's height to its
            width, from 0.3 to 1 / 0.3.
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
        ratio = self.NARROWEST ** (1 - 2 * numbers[:, 1:2])
        size = np.rint(np.sqrt(np.hstack([area * ratio, area / ratio]))).clip(1, lengths)
        start = np.floor(numbers[:, 2:4] * (lengths - size + 1))
        size *= numbers[:, 4:] < self.probability
        rows, columns = (
            (start[:, [axis]] <= np.arange(length))
            & (np.arange(length) < start[:, [axis]] + size[:, [axis]])
            for axis, length in enumerate(lengths)
        )
        changed = images.copy()
        changed[rows[:, :, np.newaxis] & columns[:, np.newaxis]] = _value(self, images.dtype)
        return changed


def _check_fill(fill: Any) -> Fill:
    if isinstance(fill, str):
        if fill not in CONTINUED:
            raise ValueError(f"fill must be a number, 'edge' or 'reflect', received {fill!r}")
        return fill
    return check_number("fill", fill)


def _value(augmentation: Any, dtype: np.dtype[Any]) -> Any:
    """Return the number of ``augmentation.fill`` in ``dtype``. Raises ValueError if it has none."""
    value = augmentation.fill
    if dtype.kind in "iu" and not (
        value.is_integer() and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    ):
        raise ValueError(f"{augmentation!r}: images of {dtype} have no {value:g} to fill with")
    return dtype.type(value)


def _padded(augmentation: Any, images: Array, margins: tuple[int, ...]) -> Array:
    """Return ``images`` with margins, of height and width, that are filled."""
    if not any(margins):
        return images
    around = [(0, 0), *((n, n) for n in margins), (0, 0)]
    if isinstance(augmentation.fill, str):
        mode: Any = augmentation.fill
        return np.pad(images, around, mode)
    return np.pad(images, around, constant_values=_value(augmentation, images.dtype))


def _cut(images: Array, places: Array, size: tuple[int, ...]) -> Array:
    """Return a window of each image that begins at its place, a row and a column."""
    windows = sliding_window_view(images, (*size, images.shape[3]), axis=(1, 2, 3))
    return windows[np.arange(len(images)), places[:, 0], places[:, 1], 0]


def _interpolated(
    augmentation: Any, images: Array, rows: Array, columns: Array, margin: int
) -> Array:
    """Return images whose pixels come from fractional ``rows`` and ``columns``, (samples, …)."""
    padded = _padded(augmentation, images, (margin, margin)).astype(rows.dtype, copy=False)
    samples, height, width, channels = padded.shape
    rows = np.clip(rows + margin, 0, height - 1)
    columns = np.clip(columns + margin, 0, width - 1)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    np.minimum(top, height - 2, out=top)
    np.minimum(left, width - 2, out=left)
    down, right = (rows - top)[..., np.newaxis], (columns - left)[..., np.newaxis]
    pixels = padded.reshape(-1, channels)
    first = top * width + left
    first += (np.arange(samples) * height * width).reshape(-1, 1, 1)

    def between(start: Array) -> Array:
        one, other = pixels.take(start, axis=0), pixels.take(start + 1, axis=0)
        return _move(one, other, right)

    found = _move(between(first), between(first + width), down)
    if images.dtype.kind in "iub":
        np.rint(found, out=found)
    return found.astype(images.dtype, copy=False)


def _move(one: Array, other: Array, share: Array) -> Array:
    """Move ``one`` towards ``other`` by a share of the way, in place."""
    other -= one
    other *= share
    one += other
    return one
