"""The regressor: one linear output for each column of targets, with squared error."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike, DTypeLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.metrics import r2_score

from framework.accuracies import Accuracy
from framework.activations import Activation, Linear, Softplus
from framework.estimators.base import NeuralNetwork
from framework.estimators.names import LOSSES, by_name
from framework.losses import Loss, Poisson
from framework.training.state import Callback
from optimizers.arrays import Array
from optimizers.optimizer import LearningRate


class NeuralNetworkRegressor(MultiOutputMixin, RegressorMixin, NeuralNetwork):
    """A neural network regressor: one output for each column of ``y``, mean squared error.

    Targets much larger or smaller than 1 should be scaled:
    ``TransformedTargetRegressor(NeuralNetworkRegressor(), transformer=StandardScaler())``.

    Arguments and attributes are those of ``NeuralNetworkClassifier``, except those about classes,
    and ``loss``: "squared_error", "absolute_error", "huber" or "poisson" (for counts, after a
    softplus), or a loss object, which is copied.
    ``score`` is the coefficient of determination, R².

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> network = NeuralNetworkRegressor((), learning_rate=0.1, random_state=0)
    >>> network.fit(X, y).predict([[4.0]]).round(1)
    array([9.])
    """

    _metric = staticmethod(r2_score)

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",
        *,
        loss: Any = "squared_error",
        dropout: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        batch_normalization: bool = False,
        optimizer: Any = "adam",
        learning_rate: LearningRate | None = None,
        batch_size: Any = "auto",
        epochs: int = 200,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        min_delta: float = 0.0,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        shuffle: bool = True,
        callbacks: Sequence[Callback] | None = None,
        random_state: Any = None,
        warm_start: bool = False,
        dtype: DTypeLike | None = None,
        accelerated: bool = False,
        verbose: bool | int = False,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            dropout=dropout,
            l1=l1,
            l2=l2,
            batch_normalization=batch_normalization,
            optimizer=optimizer,
            learning_rate=learning_rate,
            batch_size=batch_size,
            epochs=epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            min_delta=min_delta,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            shuffle=shuffle,
            callbacks=callbacks,
            random_state=random_state,
            warm_start=warm_start,
            dtype=dtype,
            accelerated=accelerated,
            verbose=verbose,
        )
        self.loss = loss

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> NeuralNetworkRegressor:
        """Train on ``X`` ``(samples, features)`` and ``y``, and return ``self``.

        Args:
            X: finite numbers, an array, a DataFrame or a sparse matrix, which is made dense batch
                by batch.
            y: ``(samples,)`` or ``(samples, outputs)``, finite numbers.
            sample_weight: the weight of each sample, ``(samples,)``, at least 0.
            validation_data: ``(X_val, y_val)``, on which loss and score are computed after each
                epoch, and which ``early_stopping`` watches; no sample is split off then. At
                least two samples.
        """
        self._fit(X, y, sample_weight, validation_data=validation_data)
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
        if isinstance(self.loss, str):
            loss = by_name("loss", self.loss, LOSSES)()
        else:
            loss = copy.deepcopy(self.loss)
        # Expected counts are above 0.
        last: Activation = Softplus() if isinstance(loss, Poisson) else Linear()
        return self.n_outputs_, last, loss, None
