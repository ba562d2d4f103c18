"""Compose: random changes one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.augmentation.augmentation import Augmentation
from framework.utils import rng
from framework.utils.signatures import with_training
from optimizers.arrays import Array


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
