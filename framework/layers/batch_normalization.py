"""Batch normalization: each feature gets mean 0 and variance 1 in every batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.checks import as_dvalues, check_count, check_dtype, check_fraction, check_positive
from framework.layers.sample_shapes import check_features, check_inputs
from framework.operation import Operation, Shape, smooth
from framework.parameters import Parameter
from framework.utils.all_reduce import all_reduce
from optimizers.arrays import Array


class BatchNormalization(Operation):
    """Normalizes each feature over the batch, then scales and shifts it.

    With the mean and the variance of each feature over the ``m`` values it has in the batch: one
    for each sample, and of a sequence one for each step, of an image one for each pixel.

        variance   = mean((inputs - mean(inputs))²)
        normalized = (inputs - mean(inputs)) / √(variance + epsilon)
        output     = weights * normalized + biases

    The mean and the variance depend on every input of the batch, so the gradient of one input
    has three parts: its own, and one through each of the two.

        g       = dvalues * weights
        dinputs = (g - mean(g) - normalized * mean(g * normalized)) / √(variance + epsilon)
        dweights = Σ dvalues * normalized
        dbiases  = Σ dvalues

    With ``training=False`` the running statistics are used instead of those of the batch. They
    are not trained by gradients; each forward pass in training updates them:

        running = momentum * running + (1 - momentum) * batch

    Both variances are divided by ``m``, as in Keras. With a single value of each feature in a
    batch, the variance is not known: the output is the bias, and the running statistics are not
    updated. Sums over the batch are computed in float64.

    In a distributed training (``framework.training.distributed``), each process normalizes its
    own part of the batch. With ``synchronized=True`` it uses the mean and the variance of the
    whole batch, so the result is that of a single process; this costs four small messages for
    each step.

    Shapes: ``inputs``, ``output``, ``dvalues``, ``dinputs`` ``(samples, …, n_features)``;
    ``weights`` (the scale), ``biases`` (the shift), ``running_mean``, ``running_variance``
    ``(1, n_features)``.

    Args:
        n_features: length of the last axis, which has features or channels; at least 1.
        momentum: the weight of the old running statistics, at least 0 and less than 1.
        epsilon: greater than 0.
        synchronized: whether the mean and the variance are computed over all processes. It makes
            no difference in a single process.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs of another shape.

    Source: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by
    Reducing Internal Covariate Shift", ICML 2015.
    """

    parameters = ("weights", "biases")
    state = ("running_mean", "running_variance")
    kink_sides = smooth
    weights = Parameter()
    biases = Parameter()
    dweights = Parameter()
    dbiases = Parameter()
    running_mean = Parameter()
    running_variance = Parameter()

    def __init__(
        self,
        n_features: int,
        *,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        synchronized: bool = False,
        dtype: DTypeLike = "float32",
    ) -> None:
        self.n_features = check_count("n_features", n_features)
        self.momentum = check_fraction("momentum", momentum)
        self.epsilon = check_positive("epsilon", epsilon)
        self.synchronized = bool(synchronized)
        number_type = check_dtype(dtype)
        shape = (1, self.n_features)
        self.weights = np.ones(shape, dtype=number_type)
        self.biases = np.zeros(shape, dtype=number_type)
        self.dweights = np.zeros(shape, dtype=number_type)
        self.dbiases = np.zeros(shape, dtype=number_type)
        self.running_mean = np.zeros(shape, dtype=number_type)
        self.running_variance = np.ones(shape, dtype=number_type)

    @property
    def dtype(self) -> str:
        """The dtype of the parameters, which is also that of the computation."""
        return self.weights.dtype.name

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = check_inputs(self, inputs)
        rows = inputs.astype(self.weights.dtype, copy=False).reshape(-1, self.n_features)
        self.training = training = training and self.trainable
        if training:
            count = float(self._over_batch(np.array([len(rows)], np.float64))[0])
            self.count = count = max(count, 1.0)  # no samples have sums of 0, and means of 0
            mean = self._over_batch(_sums(rows)).astype(rows.dtype) / count
            centred = rows - mean
            squares = self._over_batch(_sums(np.square(centred))).astype(rows.dtype)
            variance = squares / count
            if count > 1:
                self._move_running_statistics(mean, variance)
        else:
            centred = rows - self.running_mean
            variance = self.running_variance
        self.deviation = deviation = np.sqrt(variance + self.epsilon)
        self.normalized = normalized = np.divide(centred, deviation, out=centred)
        output = normalized * self.weights
        output += self.biases
        self.output = output = output.reshape(inputs.shape)
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        rows = dvalues.reshape(-1, self.n_features)
        weighted = rows * self.normalized
        own = _sums(weighted), _sums(rows)
        if self.trainable:
            self.dweights, self.dbiases = own
        dinputs = rows * self.weights
        if self.training:
            # mean(g) and mean(g * normalized) follow from the sums that are already computed.
            dweights, dbiases = self._over_batch(np.stack(own)).astype(rows.dtype)
            share = self.weights / self.count
            dinputs -= dbiases * share
            dinputs -= np.multiply(self.normalized, dweights * share, out=weighted)
        dinputs /= self.deviation
        self.dinputs = dinputs.reshape(dvalues.shape)
        return self.dinputs

    def output_shape(self, input_shape: Shape) -> Shape:
        return check_features(self, input_shape, self.n_features)

    @classmethod
    def stored_shapes(cls, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys((*cls.parameters, *cls.state), (1, arguments["n_features"]))

    def _over_batch(self, own: Array) -> Array:
        return all_reduce(own) if self.synchronized else own

    def _move_running_statistics(self, mean: Array, variance: Array) -> None:
        for running, batch in ((self.running_mean, mean), (self.running_variance, variance)):
            running *= self.momentum
            running += (1 - self.momentum) * batch


def _sums(rows: Array) -> Array:
    """Return the sum of each column in float64, ``(1, n_features)``."""
    return rows.sum(axis=0, keepdims=True, dtype=np.float64)
