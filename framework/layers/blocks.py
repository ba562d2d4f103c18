"""Data as blocks of rows, a few megabytes at a time: what a layer learns statistics from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from typing import Any

import numpy as np

from framework.checks import as_array, check_finite
from framework.utils.memory_maps import release_pages
from optimizers.arrays import Array

# Of the data, in float64, at once.
BYTES_AT_ONCE = 2**22


def blocks_of(layer: Any, X: Any) -> Iterator[Array]:
    """Yield the data as new float64 arrays ``(rows, n_features)``: see ``Normalization.adapt``."""
    if isinstance(X, str | PathLike):
        raise TypeError(
            f"{layer!r}: X must be an array, received a path: load the file, as "
            "np.load(path, mmap_mode='r') does"
        )
    is_array = not isinstance(X, Iterable) or hasattr(X, "__array__") or _are_rows(X)
    if not is_array and isinstance(X, tuple) and hasattr(X[0], "__array__"):
        raise TypeError(
            f"{layer!r}: X must not be a tuple of arrays, such as (X, y): give X alone, or batches "
            "in a list"
        )
    for number, batch in enumerate([X] if is_array else X):
        name = "X" if is_array else f"X of batch {number}"
        array = as_array(batch if is_array else _data_of(layer, batch, name), name)
        if array.ndim < 2 or array.shape[-1] != layer.n_features:
            raise ValueError(
                f"{layer!r} expects {name} of shape (samples, …, {layer.n_features}), received "
                f"{array.shape}"
            )
        samples = max(1, BYTES_AT_ONCE // max(1, 8 * array[:1].size))
        for start in range(0, len(array), samples):
            rows = slice(start, start + samples)
            check_finite(array, name, rows=rows)
            block = array[rows].astype(np.float64).reshape(-1, layer.n_features)
            release_pages(array)
            if len(block):
                yield block


def _data_of(layer: Any, batch: Any, name: str) -> Any:
    """Return the data of a batch such as ``(X, y)``, also in a list, as of PyTorch, or ``X``.

    Raises TypeError for a list whose arrays may also be samples.
    """
    if isinstance(batch, list) and _may_be_pair(batch):
        data, targets = map(np.shape, batch[:2])
        if len(data) == len(targets) and targets[-1] == layer.n_features:
            raise TypeError(
                f"{layer!r}: {name} is a list of arrays of shape {data} and {targets}, which may "
                "be [X, y] or samples: give a tuple (X, y), or the samples in one array"
            )
        return batch[0]
    return batch[0] if isinstance(batch, tuple) and batch else batch


def _may_be_pair(batch: list[Any]) -> bool:
    """Whether a list may be ``[X, y]`` or ``[X, y, sample_weight]``."""
    return len(batch) in (2, 3) and hasattr(batch[0], "__array__") and np.ndim(batch[0]) > 1


def _are_rows(X: Any) -> bool:
    """Whether a sequence holds numbers or rows. What has more axes are batches, or may be so."""
    if not isinstance(X, Sequence):
        return False
    first = X[0] if X else 0
    if (isinstance(first, tuple) and first) or (isinstance(first, list) and _may_be_pair(first)):
        first = first[0]
    try:
        return np.ndim(first) < 2
    except ValueError:  # of rows of different lengths
        return True
