"""Sparse data: rows that are made dense a batch at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse, vstack

from framework.data.checks import Transform
from framework.data.micro_batches import evaluation_batch_size
from framework.model import Model
from optimizers.arrays import Array

# The number of rows that are predicted at a time, which bounds the memory.
ROWS_AT_ONCE = 4096


class DenseRows:
    """A ``transform`` of ``Model.train`` whose data are numbers of rows of a sparse matrix."""

    def __init__(self, matrix: Any) -> None:
        self.matrix = matrix

    def __call__(self, rows: Array) -> Array:
        return dense(self.matrix[rows])


def dense(X: Any) -> Array:
    """Return ``X``, which may be sparse, as an array."""
    found: Array = X.toarray() if issparse(X) else X
    return found


def data_of_training(X: Any, kept: Any, held_out: Any) -> tuple[Array, Array, Transform | None]:
    """Return the data to train on, those to validate on, and the transform of both.

    Those to train on are the rows ``kept`` of ``X``. Those to validate on are ``held_out``, or none
    for None.
    """
    if not issparse(X):
        return X[kept], dense(held_out), None
    rows = np.arange(X.shape[0])[kept]
    if held_out is None:
        return rows, rows[:0], DenseRows(X)
    both = csr_array(vstack([X, csr_array(held_out)]))
    return rows, np.arange(X.shape[0], both.shape[0]), DenseRows(both)


def predicted(model: Model, X: Any) -> Array:
    """Return the outputs of ``model`` for ``X``, which may be sparse."""
    if not issparse(X):
        return model.predict(X, batch_size=ROWS_AT_ONCE)
    size = evaluation_batch_size(model, dense(X[:1]))
    starts = range(0, X.shape[0], size)
    return np.concatenate([model.predict(dense(X[i : i + size])) for i in starts])
