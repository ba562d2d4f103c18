"""The base class of random changes of images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_count
from framework.layers.sample_shapes import MOST_COLOURS
from framework.utils import rng
from framework.utils.warnings import warn_user
from optimizers.arrays import Array
from optimizers.configuration import Configurable


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
        if 0 in found.shape[1:]:
            raise ValueError(f"{self!r} received images without a pixel: {found.shape}")
        short, long = sorted(found.shape[2:])
        # Images are seldom longer than that, and may well be low and have many channels.
        if found.shape[1] <= MOST_COLOURS < short and long <= 2 * short:
            warn_user(
                f"{self!r} received images of shape {found.shape}, whose last axis it takes for "
                f"the channels. It has {found.shape[3]} values; are these channels first?"
            )
        return found
