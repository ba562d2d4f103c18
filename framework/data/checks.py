"""Checks of data against the model that they are for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from numpy.typing import ArrayLike

from framework.accuracies.accuracy import Accuracy
from framework.checks import as_array, check_finite
from framework.containers.supervised import Supervised
from framework.data.sample_weights import check_sample_weight, check_weights
from framework.operation import describe
from framework.utils.dataframes import first_bad_cell
from optimizers.arrays import Array

# A function of the X of a batch that returns the network's inputs.
Transform: TypeAlias = Callable[[Array], ArrayLike]
# A function of the number of samples that returns the rows of this process.
RowsOf: TypeAlias = Callable[[int], slice]

# Data of more numbers than this stay in the dtype that they have.
CONVERTED_AT_ONCE = 2**24


def all_rows(samples: int) -> slice:
    """Return the rows of a single process: all of them."""
    return slice(samples)


def check_inputs(model: Supervised, X: ArrayLike, rows_of: RowsOf = all_rows) -> Array:
    """Return ``X`` as an array that ``model`` takes, and remember the shape of a sample.

    Raises:
        RuntimeError: ``finalize`` has not been called.
        TypeError, ValueError: it does not fit, is empty, or has a value that is not finite in
            the rows of ``rows_of``.
    """
    dtype = model.parameters.dtype
    samples = as_array(X, "X")
    if samples.ndim < 2:
        raise ValueError(
            f"X must be (samples, features) or have more axes, received {samples.shape}; "
            "a single sample is one row: X[np.newaxis]"
        )
    if not samples.size:
        raise ValueError(f"X is empty: its shape is {samples.shape}")
    model.output_shapes(samples.shape[1:])
    model.input_shape = samples.shape[1:]
    check_finite(samples, "X", dtype, rows=rows_of(len(samples)), table=X)
    # Large data are converted batch by batch, and a mapped file is only read then.
    return samples.astype(dtype, copy=False) if samples.size <= CONVERTED_AT_ONCE else samples


def check_data(
    model: Supervised,
    X: ArrayLike,
    y: ArrayLike,
    transform: Transform | None = None,
    rows_of: RowsOf = all_rows,
) -> tuple[Array, Array]:
    """Return ``X`` and ``y`` as arrays that fit ``model``, its loss and each other.

    With ``transform``, ``X`` stays as it is, and its first sample must fit transformed.
    Otherwise the rows that ``rows_of`` gives, for the number of samples, must be finite.

    Raises:
        RuntimeError: no loss, or ``finalize`` has not been called.
        TypeError, ValueError: they do not fit; the message names the expected value.
    """
    model.check_ready()
    if transform is None:
        X = check_inputs(model, X, rows_of)
        first = X[:1]
    else:
        X = as_array(X, "X")
        if not X.size:
            raise ValueError(f"X is empty: its shape is {X.shape}")
        first = _transformed(model, X[:1].copy(), transform)
    targets = as_array(y, "y")
    if targets.ndim == 0 or len(targets) != len(X):
        received = len(targets) if targets.ndim else "a single value"
        raise ValueError(
            f"X and y must have the same length, received {len(X)} samples and {received} targets"
        )
    if hasattr(model.loss, "check_targets"):
        shape = model.output_shapes(first.shape[1:])[-1]
        if shape is None:  # an operation of the user's own: one sample will tell
            shape = model.outputs_of(first).shape[1:]
        try:
            targets = model.loss.check_targets(targets, (len(X), *shape))
        except ValueError:
            if cell := first_bad_cell(y, model.dtype):
                raise ValueError(f"y must be finite, but {cell}") from None
            raise
        if targets.dtype.kind == "f":
            targets = targets.astype(model.dtype, copy=False)
    if isinstance(model.accuracy, Accuracy):
        # Whether it fits the outputs is better known now than after the first update.
        outputs = model.outputs_of(first)
        float(model.accuracy.calculate(model.predictions_of(outputs), targets[:1]))
    return X, targets


def check_weighted_data(
    model: Supervised,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    transform: Transform | None = None,
    rows_of: RowsOf = all_rows,
    scaled: bool = True,
) -> tuple[Array, Array, Array | None]:
    """Return ``X`` and ``y`` as ``check_data`` does, and the weights as float64 or None.

    The weights are scaled as ``check_sample_weight`` does; or, not ``scaled``, those of a batch,
    which may all be 0.

    Raises as ``check_data`` and ``check_sample_weight`` or ``check_weights``; also TypeError for an
    accuracy that cannot be weighted.
    """
    X, y = check_data(model, X, y, transform, rows_of)
    if sample_weight is None:
        return X, y, None
    if model.accuracy is not None and not hasattr(model.accuracy, "compare"):
        raise TypeError(
            "with sample_weight, the accuracy needs a method compare(predictions, y) that returns "
            f"a value for each sample; {describe(model.accuracy)} has none"
        )
    check = check_sample_weight if scaled else check_weights
    return X, y, check(sample_weight, len(X))


def _transformed(model: Supervised, X: Array, transform: Transform) -> Array:
    try:
        transformed = check_inputs(model, transform(X))
    except (TypeError, ValueError) as error:
        raise type(error)(f"transform(X): {error}") from None
    if len(transformed) != len(X):
        raise ValueError(
            f"transform(X) must keep the samples, but makes {len(transformed)} of {len(X)}"
        )
    return transformed
