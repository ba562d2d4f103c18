"""The book's layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations import Linear
from framework.checks import as_floats, check_dvalues
from framework.layers import Dense, Dropout
from framework.nnfs_book.arithmetic import nnfs_multiplies
from framework.nnfs_book.operation import BookOperation, without_neighbours
from framework.operation import smooth
from framework.parameters import bind
from optimizers.arrays import Array


class Layer_Dense(Dense):
    """``Dense`` with weights of ``weight_scale * np.random.randn(n_inputs, n_neurons)``.

    The book's chapter on regression needs ``Layer_Dense.weight_scale = 0.1``.
    """

    computes_as = Dense
    weight_scale = 0.01
    kink_sides = smooth

    def __init__(
        self,
        n_inputs: int,
        n_neurons: int,
        weight_regularizer_l1: float = 0,
        weight_regularizer_l2: float = 0,
        bias_regularizer_l1: float = 0,
        bias_regularizer_l2: float = 0,
    ) -> None:
        super().__init__(
            n_inputs,
            n_neurons,
            weight_initializer="zeros",
            weight_regularizer_l1=weight_regularizer_l1,
            weight_regularizer_l2=weight_regularizer_l2,
            bias_regularizer_l1=bias_regularizer_l1,
            bias_regularizer_l2=bias_regularizer_l2,
        )
        # Rounded before they are scaled, as after nnfs.init().
        draws = np.random.randn(self.n_inputs, self.n_neurons).astype(np.float32)
        self.weights = self.weight_scale * draws
        self._join()

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        if not self._multiplies_as_nnfs():
            return super().forward(inputs, training)
        self.inputs = inputs = self.check_inputs(inputs)
        self.output = output = np.dot(inputs, self.weights) + self.biases
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        if not self._multiplies_as_nnfs():
            return super().backward(dvalues)
        if self.trainable:
            self.parameter_gradients(dvalues)
        self.dinputs = np.dot(as_floats(dvalues), self.weights.T)
        return self.dinputs

    def parameter_gradients(self, dvalues: ArrayLike) -> None:
        if not self._multiplies_as_nnfs():
            super().parameter_gradients(dvalues)
            return
        dvalues = check_dvalues(self, dvalues)
        self.dweights = np.dot(self.inputs.T, dvalues)
        dbiases = np.sum(dvalues, axis=0, keepdims=True)
        if dbiases.dtype == self.biases.dtype:
            self.dbiases = dbiases
        else:  # an assignment would round it
            bind(self, "dbiases", dbiases)
        self.add_penalty_gradients()

    @property
    def independent_samples(self) -> bool:  # type: ignore[override]
        """Whether a large batch may be divided into micro-batches, which round differently."""
        return not self._multiplies_as_nnfs()

    def get_parameters(self) -> tuple[Array, Array]:
        """Return ``(weights, biases)``, the arrays themselves."""
        return self.weights, self.biases

    def set_parameters(self, weights: ArrayLike, biases: ArrayLike) -> None:
        """Copy the values of ``weights`` and ``biases`` in."""
        self.weights, self.biases = weights, biases

    def _multiplies_as_nnfs(self) -> bool:
        # With float64 parameters, as in a gradient check, everything is computed in float64.
        return nnfs_multiplies() and self.weights.dtype == np.float32

    def _join(self) -> None:
        """Move weights and biases into one array, so that one update serves both."""
        self.joined = np.concatenate([self.weights, self.biases])
        self.djoined = np.concatenate([self.dweights, self.dbiases])
        for prefix, array in (("", self.joined), ("d", self.djoined)):
            bind(self, prefix + "weights", array[:-1])
            bind(self, prefix + "biases", array[-1:])

    def __getstate__(self) -> dict[str, Any]:
        # Views become separate arrays in a copy, so __setstate__ joins them again.
        state = without_neighbours(self)
        return {name: value for name, value in state.items() if "joined" not in name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._join()


class Layer_Dropout(BookOperation, Dropout):
    """``Dropout`` with the masks that ``np.random.binomial(1, 1 - rate, shape)`` would draw."""

    computes_as = Dropout

    @property
    def binary_mask(self) -> Array | None:
        """The last mask, divided by ``1 - rate``."""
        return self.mask

    def _draw_mask(self, inputs: Array) -> Array:
        # np.random.binomial with one trial compares a uniform number with the probability of the
        # rarer outcome. Drawing all uniform numbers at once gives the same masks, faster.
        keep = 1 - self.rate
        uniforms = np.random.random_sample(inputs.shape)
        kept = uniforms <= keep if keep > 0.5 else uniforms > 1 - keep
        mask = kept.astype(np.float64 if nnfs_multiplies() else inputs.dtype)
        mask *= 1 / keep
        return mask


class Layer_Input(BookOperation, Linear):
    """The input layer: its output is the data."""

    computes_as = Linear
