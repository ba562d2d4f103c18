"""The base of both estimators: ``fit`` and ``partial_fit``, early stopping, predictions."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from framework.accuracies import Accuracy
from framework.activations import Activation
from framework.checks import check_count, check_dtype, check_fraction, check_unmasked
from framework.data.sample_weights import drop_weightless
from framework.data.validation_split import split_by_class
from framework.estimators.network import new_network, new_optimizer, optimizer_with
from framework.estimators.sparse import data_of_training, dense, predicted
from framework.estimators.validation import ValidationScores
from framework.losses import Loss
from framework.model import Model
from framework.training.early_stopping import EarlyStopping
from framework.training.history import History
from framework.training.state import Callback
from framework.utils import rng
from framework.utils.classes import check_not_nan
from framework.utils.dataframes import first_bad_cell
from framework.utils.forks import after_fork, renewed
from optimizers.arrays import Array
from optimizers.optimizer import LearningRate, Optimizer

OF_OPTIMIZER = "optimizer__"

# Operations store the results of their last pass, so threads that share a network predict one at a
# time. Each use of a network ends with a pass of a single sample, so that memory and pickles hold
# the results for that sample, and not the user's data.
_one_at_a_time = threading.RLock()


def _renew_lock() -> None:
    global _one_at_a_time
    _one_at_a_time = renewed(_one_at_a_time)


after_fork(_renew_lock)


class NeuralNetwork(BaseEstimator):
    """The base class of both estimators: all but the last layer, the loss and the targets."""

    model_: Model

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",
        *,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.batch_normalization = batch_normalization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.min_delta = min_delta
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.shuffle = shuffle
        self.callbacks = callbacks
        self.random_state = random_state
        self.warm_start = warm_start
        self.dtype = dtype
        self.accelerated = accelerated
        self.verbose = verbose

    # Hooks of the classifier and the regressor

    _metric: Callable[..., float]

    def _learn_targets(self, y: Array, classes: ArrayLike | None) -> None:
        """Set the classes or the number of outputs from the first targets."""
        raise NotImplementedError

    def _encode(self, y: Array) -> Array:
        """Return targets in the form for the loss. Raises ValueError if they do not fit."""
        raise NotImplementedError

    def _decode(self, outputs: Array) -> Array:
        """Return predictions in the form of ``y``, given the outputs of the network."""
        raise NotImplementedError

    def _head(self) -> tuple[int, Activation, Loss, Accuracy | None]:
        """Return the number of outputs, the last activation, the loss and the accuracy."""
        raise NotImplementedError

    def _class_names(self) -> list[str] | None:
        """Return the names of the classes, which the model keeps and exports, or None."""
        return None

    def _weigh(
        self, X: Array, y: Array, sample_weight: ArrayLike | None
    ) -> tuple[Array, Array, Array | None]:
        """Return the samples whose weight is not 0, and their weights."""
        return drop_weightless(X, y, sample_weight)

    def _strata(self, y: Array) -> Array | None:
        """Return the classes for a stratified split, or None."""
        return None

    # Training

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None,
        *,
        incremental: bool = False,
        classes: ArrayLike | None = None,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> None:
        """Train a new model, or continue with ``model_``; ``incremental`` trains for one epoch."""
        first = not (hasattr(self, "model_") and (incremental or self.warm_start))
        if incremental and self.early_stopping:
            raise ValueError("partial_fit cannot stop early: it needs early_stopping=False")
        X, y = self._check_data(X, y, first)
        if first:
            # If this fit fails, the network of an earlier fit must not remain beside the attributes
            # of the new data.
            if hasattr(self, "model_"):
                del self.model_
            self._learn_targets(y, classes)
        given = None
        if validation_data is not None:
            given = self._check_validation_data(validation_data, X.dtype)
        X, y, weights = self._weigh(X, y, sample_weight)
        if first or not incremental:
            self._generator = self._new_generator()
        with rng.use_generator(self._generator or rng.generator()):
            model = new_network(self, X, self._head()) if first else self.model_
            if first:
                model.class_names = self._class_names()
            if first or not incremental:
                model.set(optimizer=new_optimizer(self))
                self.callbacks_ = copy.deepcopy(list(self.callbacks or ()))
            history, scores = self._train(
                model, X, y, weights, given, epochs=1 if incremental else self.epochs
            )
        if first:
            self.model_ = model
            self.loss_curve_: list[float] = []
            self.validation_loss_curve_: list[float] = []
            self.validation_scores_: list[float] = []
        self.loss_curve_ += history.loss
        self.validation_loss_curve_ += history.val_loss
        self.validation_scores_ += scores
        self.n_iter_ = len(self.loss_curve_)

    def _check_validation_data(self, data: Any, dtype: Any) -> tuple[Any, Array]:
        if not isinstance(data, (tuple, list)) or len(data) != 2:
            raise ValueError("validation_data must be a pair (X_val, y_val)")
        try:
            X, y = self._check_data(data[0], data[1], first=False, dtype=dtype)
            self._encode(y)
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation_data: {error}") from None
        if len(y) < 2:
            raise ValueError("validation_data has a single sample, which tells nothing")
        return X, y

    def _check_data(self, X: Any, y: Any, first: bool, dtype: Any = None) -> tuple[Any, Array]:
        check_unmasked(X, "X")
        check_unmasked(y, "y")
        X, y = self._validated(
            X,
            y,
            accept_sparse="csr",
            reset=first,
            dtype=dtype or (self._dtypes() if first else self.model_.dtype),
            multi_output=True,
            y_numeric=isinstance(self, RegressorMixin),
        )
        y = dense(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _validated(self, X: Any, *y: Any, **options: Any) -> Any:
        """Return the result of ``validate_data``. Its errors name the cell of a DataFrame too."""
        try:
            return validate_data(self, X, *y, **options)
        except ValueError as error:
            numbers = {"X": X, "y": y[0] if y and isinstance(self, RegressorMixin) else None}
            for name, table in numbers.items():
                if cell := first_bad_cell(table):
                    raise ValueError(f"{error}\nIn {name}, {cell}") from None
            raise

    def _train(
        self,
        model: Model,
        X: Any,
        y: Array,
        weights: Array | None,
        given: tuple[Any, Array] | None,
        epochs: int,
    ) -> tuple[History, list[float]]:
        """Train ``model`` and return its history and its scores on the validation samples.

        ``given`` are those that ``fit`` was given, or None.
        """
        targets = self._encode(y)
        kept: Any = slice(None)
        validation, scores, aside_weights = None, [], None
        callbacks: list[Callback] = []
        if given is None and self.early_stopping:
            kept, aside = self._split(y)
            aside_weights = None if weights is None else weights[aside]
            given = X[aside], y[aside]
        inputs, held_out, transform = data_of_training(X, kept, None if given is None else given[0])
        if given is not None:
            validation = held_out, self._encode(given[1]), aside_weights
            watcher = ValidationScores(self, *given, aside_weights)
            callbacks, scores = [watcher], watcher.scores
        if self.early_stopping:
            callbacks.append(EarlyStopping(patience=self.patience, min_delta=self.min_delta))
        if self.tol is not None:
            patience = self.n_iter_no_change
            callbacks.append(EarlyStopping("loss", patience, False, min_delta=self.tol))
        # Before the user's callbacks, so that they see the restored best parameters.
        callbacks += self.callbacks_
        verbose = int(self.verbose) if isinstance(self.verbose, bool) else self.verbose
        history = model.train(
            inputs,
            targets[kept],
            epochs=epochs,
            batch_size=200 if self.batch_size == "auto" else self.batch_size,
            sample_weight=None if weights is None else weights[kept],
            validation_data=validation,
            shuffle=self.shuffle,
            transform=transform,
            callbacks=callbacks,
            progress=False,
            print_every=check_count("verbose", verbose, minimum=0) or None,
        )
        model.calculate_loss(dense(X[:1]).copy(), targets[:1], training=False)
        model.backward(targets[:1])
        return history, scores

    def _split(self, y: Array) -> tuple[Array, Array]:
        """Return the rows to train on and those to validate on."""
        fraction = check_fraction("validation_fraction", self.validation_fraction)
        if not fraction:
            raise ValueError("validation_fraction must be greater than 0 for early_stopping")
        strata = self._strata(y)
        strata = np.zeros(len(y)) if strata is None else strata
        kept, aside = split_by_class(strata, fraction, rng.generator())
        if len(aside) < 2:
            raise ValueError(
                f"validation_fraction={fraction:g} of {len(y)} samples leaves a single one to "
                "validate on, which tells nothing: raise it, or fit with validation_data"
            )
        return kept, aside

    # Arguments of the optimizer

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the arguments by name; those of an optimizer as ``optimizer__learning_rate``."""
        found: dict[str, Any] = super().get_params(deep)
        if deep and isinstance(self.optimizer, Optimizer):
            arguments = self.optimizer.configuration()
            found |= {f"{OF_OPTIMIZER}{name}": value for name, value in arguments.items()}
        return found

    def set_params(self, **params: Any) -> Any:
        """Set arguments by name; ``optimizer__learning_rate`` sets that of the optimizer.

        The optimizer is replaced by a new one. One that was given by name becomes an object, which
        has the ``learning_rate`` of the estimator too. Raises ValueError for a name that is not
        known, and other errors of an optimizer's arguments; then nothing has been set.
        """
        before = dict(vars(self))
        try:
            self._set_params(params)
        except Exception:
            self.__dict__.update(before)
            raise
        return self

    def _set_params(self, params: dict[str, Any]) -> None:
        nested = {name: value for name, value in params.items() if name.startswith(OF_OPTIMIZER)}
        super().set_params(**{name: params[name] for name in params.keys() - nested.keys()})
        if nested:
            arguments = {name.removeprefix(OF_OPTIMIZER): nested[name] for name in nested}
            self.optimizer, self.learning_rate = optimizer_with(self, arguments), None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # Building

    def _dtypes(self) -> Any:
        """Return the dtypes that ``X`` may have: ``dtype``, or without it float64 and float32."""
        return [np.float64, np.float32] if self.dtype is None else check_dtype(self.dtype)

    def _new_generator(self) -> np.random.Generator | None:
        """Return the random generator of a fit, or None for that of ``framework.seed``."""
        if self.random_state is None:
            return None
        state = check_random_state(self.random_state)
        return np.random.default_rng(state.randint(np.iinfo(np.int32).max))

    # Predicting

    def _outputs(self, X: ArrayLike) -> Array:
        check_is_fitted(self, "model_")
        check_unmasked(X, "X")
        samples = self._validated(X, accept_sparse="csr", reset=False, dtype=self.model_.dtype)
        with _one_at_a_time:
            outputs = predicted(self.model_, samples)
            self.model_.outputs_of(dense(samples[:1]).copy())
        return outputs

    def _predictions(self, X: ArrayLike) -> Array:
        outputs = self._outputs(X)
        check_not_nan(outputs, self.model_.stored_arrays())
        return self._decode(outputs)
