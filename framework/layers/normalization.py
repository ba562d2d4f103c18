"""Normalization: each feature of the data gets mean 0 and variance 1, once and for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.checks import as_array, as_dvalues, check_count, check_dtype, check_finite
from framework.layers.blocks import blocks_of
from framework.layers.sample_shapes import check_features, check_inputs
from framework.operation import Operation, Shape, smooth
from framework.parameters import Parameter, bind
from framework.utils.warnings import warn_user
from optimizers.arrays import Array

# More constant features than this are counted, not named.
MOST_NAMED = 10
# The distance between two numbers near the mean, in deviations, from which on adapt warns.
COARSE = 0.25
# Two to the power of minus it is finite, and so is its inverse.
SMALLEST_EXPONENT = int(np.finfo(np.float64).minexp)


class Mean(Parameter):
    """A mean whose ``mean_rest`` is 0 when it is set."""

    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, value)
        instance.mean_rest = np.zeros_like(instance.mean)


class Normalization(Operation):
    """Brings each feature of the data to mean 0 and standard deviation 1.

        output  = (inputs - mean) / deviation      0 where the deviation is 0
        dinputs = dvalues / deviation              0 where the deviation is 0

    Where a feature is large against its deviation, as a time in seconds is, its mean may have more
    digits than ``dtype`` holds. What ``mean`` leaves over stands in ``mean_rest`` and is subtracted
    too. So nothing is lost but what the inputs have lost before: float64 ones are rounded when they
    are normalized, but a float32 model rounds its data first.

    ``mean`` and ``deviation`` are those of the training data: ``adapt`` learns both from them,
    before the training, and nothing changes them afterwards. They are not trained, but saved and
    exported with the model, which so takes data as they are. Features, or the channels of images,
    are in the last axis; the statistics are over all other axes.

    Feature ``i`` is divided by a constant, so its gradient is divided by the same. A feature that
    is constant in the training data has nothing to tell, and stays at 0.

    Shapes: ``inputs``, ``output``, ``dvalues``, ``dinputs`` ``(samples, …, n_features)``;
    ``mean``, ``mean_rest`` and ``deviation`` ``(1, n_features)``; mean and deviation are NaN before
    ``adapt``. Setting ``mean`` sets ``mean_rest`` to 0.

    Args:
        n_features: length of the last axis, at least 1.
        mean, deviation: of each feature, ``(n_features,)``, or a number for all of them. Give
            both, or neither and call ``adapt``.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs of another shape.
        RuntimeError: ``forward`` was called before ``adapt``.

    Source: LeCun et al., "Efficient BackProp", 1998, section 4.3; the sums of ``adapt`` as in
    Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
    variances", 1979.

    >>> layer = Normalization(2)
    >>> layer.adapt([[1.0, 10.0], [3.0, 50.0]])
    >>> layer.mean, layer.deviation
    (array([[ 2., 30.]], dtype=float32), array([[ 1., 20.]], dtype=float32))
    >>> layer.forward([[1.0, 70.0]])
    array([[-1.,  2.]], dtype=float32)
    >>> layer.backward([[1.0, 1.0]])
    array([[1.  , 0.05]], dtype=float32)
    """

    state = ("mean", "mean_rest", "deviation")
    independent_samples = True
    kink_sides = smooth
    mean = Mean()
    mean_rest = Parameter()
    deviation = Parameter()

    def __init__(
        self,
        n_features: int,
        *,
        mean: ArrayLike | None = None,
        deviation: ArrayLike | None = None,
        dtype: DTypeLike = "float32",
    ) -> None:
        self.n_features = check_count("n_features", n_features)
        number_type = check_dtype(dtype)
        if (mean is None) != (deviation is None):
            raise ValueError("give both the mean and the deviation, or neither and call adapt(X)")
        exact = self._statistic("mean", mean, number_type)
        self.mean = exact.astype(number_type)
        self.deviation = self._statistic("deviation", deviation, number_type).astype(number_type)
        self._set_mean(exact)
        if (self.deviation < 0).any():
            raise ValueError("deviation must be 0 or greater for each feature")
        if deviation is not None:
            too_small = (np.asarray(deviation) > 0) & _is_too_small(self.deviation)
            if too_small.any():
                raise ValueError(
                    f"deviation must be 0, or so large that 1 / deviation is finite in {self.dtype}"
                )

    def __repr__(self) -> str:
        dtype = "" if self.dtype == "float32" else f", dtype={self.dtype!r}"
        return f"{type(self).__name__}({self.n_features}{dtype})"

    def configuration(self) -> dict[str, Any]:
        """Return the arguments without ``mean`` and ``deviation``, which are state."""
        return {"n_features": self.n_features, "dtype": self.dtype}

    @property
    def dtype(self) -> str:
        """The dtype of mean and deviation, which is also that of the computation."""
        return self.mean.dtype.name

    def adapt(self, X: ArrayLike | Iterable[Any]) -> None:
        """Learn ``mean`` and ``deviation`` from the training data, in one pass over them.

        Args:
            X: ``(samples, …, n_features)``, also mapped from a file; or an iterable of batches,
                such as a list, which are such arrays or tuples that begin with one, such as
                ``(X, y)``. A tuple ``(X, y)`` itself is refused, since nothing is learned from
                targets, and so is a list of arrays as a batch that may be ``[X, y]`` or samples.

        Raises:
            TypeError, ValueError: data of another kind or shape, no data, a NaN or infinity in
                them, or a mean or deviation too large for the dtype. Both are as they were then.

        Warns of features that have the same value everywhere or differ by too little for the dtype,
        and of those whose mean is so much larger than their deviation that numbers of the dtype
        hardly tell their values apart. The positions are named.
        """
        count, mean, squares = 0, np.zeros(self.n_features), np.zeros(self.n_features)
        exponent = np.zeros(self.n_features, np.intc)  # the type that frexp gives
        smallest, largest = np.full(self.n_features, np.inf), np.full(self.n_features, -np.inf)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused
            for rows in blocks_of(self, X):
                smallest = np.minimum(smallest, rows.min(axis=0))
                largest = np.maximum(largest, rows.max(axis=0))
                # The sums are of numbers below 1, so that no square over- or underflows.
                before, size = exponent, np.maximum(-smallest, largest)
                exponent = np.frexp(size)[1].clip(SMALLEST_EXPONENT)
                mean = np.ldexp(mean, before - exponent)
                squares = np.ldexp(squares, 2 * (before - exponent))
                rows *= np.ldexp(1.0, -exponent)
                total = count + len(rows)
                block_mean = rows.mean(axis=0)
                difference = block_mean - mean
                squares += np.square(rows - block_mean).sum(axis=0)
                squares += np.square(difference) * (count * len(rows) / total)
                mean += difference * (len(rows) / total)
                count = total
        if not count:
            raise ValueError(f"{self!r}: there are no data to adapt to")
        # The sums of a constant feature may be off by a rounding error; its extremes are not.
        constant = smallest == largest
        mean = np.where(constant, smallest, np.ldexp(mean, exponent))
        deviation = np.ldexp(np.sqrt(squares / count), exponent)
        self._take(mean, np.where(constant, 0.0, deviation), constant)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        mean, rest, factor = self.mean[0], self.mean_rest[0], self._factor()
        inputs = check_inputs(self, inputs)
        output = inputs - mean
        if rest.any():
            output -= rest
        output *= factor
        self.output = output = output.astype(mean.dtype, copy=False)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        self.dinputs = as_dvalues(self, dvalues) * self._factor()
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        return check_features(self, input_shape, self.n_features)

    @classmethod
    def for_features(cls, n_features: int) -> Normalization:
        features = np.arange(n_features)
        return cls(n_features, mean=features, deviation=1 + features)

    @classmethod
    def stored_shapes(cls, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(cls.state, (1, arguments["n_features"]))

    def check_is_adapted(self) -> None:
        """Raise RuntimeError before ``mean`` and ``deviation`` are known."""
        if np.isnan(self.deviation).any():
            raise RuntimeError(f"{self!r} has no mean and no deviation yet: call adapt(X) first")

    def convert_state(self, dtype: np.dtype[Any]) -> None:
        """Take another dtype, with as much of the mean as it holds: see ``Sequential.finalize``."""
        mean = self.mean.astype(np.float64) + self.mean_rest
        for name in self.state:
            bind(self, name, getattr(self, name).astype(dtype))
        self._set_mean(mean)

    def _set_mean(self, mean: Array) -> None:
        """Set the mean, float64, and what of its rest shows in an output."""
        self.mean = mean
        rest = mean - self.mean
        shows = np.abs(rest) > np.finfo(self.dtype).eps * self.deviation
        self.mean_rest = np.where(shows & (self.deviation > 0), rest, 0)

    def _take(self, mean: Array, deviation: Array, constant: Array) -> None:
        """Take the statistics of data in the dtype, and warn of what it cannot tell apart."""
        dtype = self.mean.dtype
        with np.errstate(over="ignore"):
            rounded, deviation = mean.astype(dtype), deviation.astype(dtype)
        infinite = ~np.isfinite(rounded) | ~np.isfinite(deviation)
        if infinite.any():
            raise ValueError(
                f"{self!r}: a mean or a deviation too large for {self.dtype} in {_named(infinite)}"
            )
        too_little = ~constant & _is_too_small(deviation)
        deviation[too_little] = 0
        self.deviation = deviation[np.newaxis]
        self._set_mean(mean[np.newaxis])
        if constant.any():
            warn_user(f"{self!r}: the same value everywhere in {_named(constant)}, left at 0")
        if too_little.any():
            warn_user(
                f"{self!r}: a deviation too small for {self.dtype} in {_named(too_little)}, left "
                "at 0"
            )
        coarse = (deviation > 0) & (np.spacing(np.abs(rounded)) > COARSE * deviation)
        if coarse.any():
            warn_user(
                f"{self!r}: a mean much larger than the deviation in {_named(coarse)}, whose "
                f"values {self.dtype} hardly tells apart; use float64, or subtract a number near "
                "the mean from the data first"
            )

    def _factor(self) -> Array:
        self.check_is_adapted()
        deviation = self.deviation[0]
        return np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)

    def _statistic(self, name: str, given: ArrayLike | None, dtype: np.dtype[Any]) -> Array:
        shape = (1, self.n_features)
        if given is None:
            return np.full(shape, np.nan)
        values = as_array(given, name)
        if values.shape not in ((), (self.n_features,), shape):
            raise ValueError(
                f"{name} must have shape ({self.n_features},), received {values.shape}"
            )
        check_finite(np.atleast_2d(values), name, dtype)
        return np.broadcast_to(values, shape)


def _is_too_small(deviation: Array) -> Array:
    with np.errstate(divide="ignore", over="ignore"):
        too_small: Array = np.isinf(1 / deviation)
    return too_small


def _named(chosen: Array) -> str:
    """Name the features that are chosen, by their positions."""
    positions = np.flatnonzero(chosen).tolist()
    more = f" and {len(positions) - MOST_NAMED} more" if len(positions) > MOST_NAMED else ""
    s = "s" if len(positions) > 1 else ""
    return f"feature{s} {', '.join(map(str, positions[:MOST_NAMED]))}{more}"
