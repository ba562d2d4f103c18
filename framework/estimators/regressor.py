"""The regressor: one linear output for each column of targets, with squared error."""

from __future__ import annotations

from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score

from framework.accuracies import Accuracy
from framework.activations import Activation, Linear
from framework.estimators.base import NeuralNetwork
from framework.losses import Loss, MeanSquaredError
from optimizers.arrays import Array


class NeuralNetworkRegressor(MultiOutputMixin, RegressorMixin, NeuralNetwork):
    """A neural network regressor: one output for each column of ``y``, mean squared error.

    Targets much larger or smaller than 1 should be scaled:
    ``TransformedTargetRegressor(NeuralNetworkRegressor(), transformer=StandardScaler())``.

    Arguments and attributes are those of ``NeuralNetworkClassifier``, except those about classes.
    ``score`` is the coefficient of determination, R².

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> network = NeuralNetworkRegressor((), learning_rate=0.1, random_state=0)
    >>> network.fit(X, y).predict([[4.0]]).round(1)
    array([9.])
    """

    _metric = staticmethod(r2_score)

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NeuralNetworkRegressor:
        """Train on ``X`` ``(samples, features)`` and ``y``, and return ``self``.

        Args:
            X: finite numbers.
            y: ``(samples,)`` or ``(samples, outputs)``, finite numbers.
            sample_weight: the weight of each sample, ``(samples,)``, at least 0.
        """
        self._fit(X, y, sample_weight)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NeuralNetworkRegressor:
        """Train for one epoch on ``X`` and ``y``, from the present parameters; return ``self``."""
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """Return the predicted numbers, ``(samples,)`` or ``(samples, outputs)`` as ``y`` was.

        Raises ValueError, naming the row, if one is NaN.
        """
        return self._predictions(X)

    def _learn_targets(self, y: Array, classes: ArrayLike | None) -> None:
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]

    def _encode(self, y: Array) -> Array:
        columns = 1 if y.ndim == 1 else y.shape[1]
        if columns != self.n_outputs_:
            raise ValueError(
                f"y had {self.n_outputs_} columns in the first fit, received {columns}"
            )
        return y

    def _decode(self, outputs: Array) -> Array:
        return outputs[:, 0] if self.n_outputs_ == 1 else outputs

    def _head(self) -> tuple[int, Activation, Loss, Accuracy | None]:
        return self.n_outputs_, Linear(), MeanSquaredError(), None
