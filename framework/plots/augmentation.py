"""Training images beside random changes of them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_array, check_count
from framework.data.checks import Transform
from framework.operation import describe
from framework.plots.pixels import as_unit_interval, check_images, show_image
from framework.utils import rng
from framework.utils.figures import new_grid
from optimizers.arrays import Array


def augmented(
    images: ArrayLike,
    transform: Transform,
    *,
    rows: int = 4,
    variations: int = 7,
    figure: Any = None,
) -> Array:
    """Draw images, each at the left of its row, and beside it what ``transform`` makes of it.

    It shows whether changed images are still what their labels say. ``transform`` is called once,
    as in a training, with a batch of as many copies of each image as there are variations. The
    generators of the framework and of NumPy are left as they were.

    Args:
        images: ``(samples, height, width)`` or ``(samples, height, width, channels)``, as for
            ``image_grid``; on any usual scale, which all of the images drawn share.
        transform: a function of a batch of images that returns as many images, of any one size:
            as for ``Model.train``.
        rows: how many images to draw at most, the first ones.
        variations: how many to draw beside each.
        figure: a matplotlib figure or subfigure to draw in; None opens one.

    Returns:
        The axes, ``(rows, 1 + variations)``.

    Raises:
        ImportError: matplotlib is missing.
        TypeError, ValueError: the images have another shape, or there are none; ``transform``
            is no function, or returns no images, or not as many.
    """
    rows, variations = check_count("rows", rows), check_count("variations", variations)
    if not callable(transform) or isinstance(transform, type):
        raise TypeError(f"transform must be a function of a batch, received {describe(transform)}")
    given = as_array(images, "images")
    originals = check_images(given, "images")[:rows]
    shown = given[:rows]
    with rng.preserve_rng():
        transform = copy.deepcopy(transform)  # it may have a generator of its own
        changed = check_images(transform(np.repeat(shown, variations, axis=0)), "transform(images)")
    if len(changed) != len(shown) * variations:
        raise ValueError(
            f"transform(images) must keep the images, but makes {len(changed)} of "
            f"{len(shown) * variations}"
        )
    together = as_unit_interval(np.concatenate([originals.ravel(), changed.ravel()]))
    originals = together[: originals.size].reshape(originals.shape)
    changed = together[originals.size :].reshape(len(shown), variations, *changed.shape[1:])

    grid = new_grid(figure, len(shown), 1 + variations, width=0.9, height=0.9)
    for row, original, others in zip(grid, originals, changed, strict=True):
        for ax, picture in zip(row, [original, *others], strict=True):
            show_image(ax, picture)
    grid[0, 0].set_title("original", size=8, pad=3)
    return grid
