"""Networks as scikit-learn estimators, for its pipelines, searches and cross-validation.

    from framework.estimators import NeuralNetworkClassifier

    network = NeuralNetworkClassifier((64, 32), activation=["relu", "tanh"], dropout=0.2)
    search = GridSearchCV(make_pipeline(StandardScaler(), network), {...}).fit(X, y)

An estimator keeps its arguments as they are and builds a ``Model`` of them in ``fit``, which is
then in ``model_``. It needs scikit-learn, which the extra ``[sklearn]`` installs.
"""

import copy
import difflib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework import randomness
from framework.accuracies import Accuracy, BinaryAccuracy, CategoricalAccuracy
from framework.activations import (
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Swish,
    Tanh,
)
from framework.callbacks import Callback, EarlyStopping
from framework.checks import check_count, check_dtype, check_fraction, check_non_negative
from framework.forks import after_fork, renewed
from framework.history import History
from framework.layers import BatchNormalization, Dense, Dropout
from framework.losses import BinaryCrossentropy, CategoricalCrossentropy, Loss, MeanSquaredError
from framework.model import Model
from framework.operation import Array, describe
from framework.training import Training
from framework.weights import drop_weightless
from optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from optimizers.optimizer import LearningRate

try:
    from scipy.sparse import issparse
    from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
    from sklearn.metrics import accuracy_score, r2_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import LabelEncoder
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError as error:
    raise ImportError(
        "framework.estimators needs scikit-learn 1.7 or newer: install the extra [sklearn], "
        'pip install "dinputs[sklearn]"'
    ) from error

__all__ = ["NeuralNetworkClassifier", "NeuralNetworkRegressor"]

Named = TypeVar("Named")

# "identity" and "logistic" are what scikit-learn calls "linear" and "sigmoid".
ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "swish": Swish,
    "softplus": Softplus,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "logistic": Sigmoid,
    "linear": Linear,
    "identity": Linear,
}

# Each with the learning rate it has if none is given.
OPTIMIZERS: dict[str, tuple[type[Optimizer], float]] = {
    "adam": (Adam, 0.001),
    "adamw": (AdamW, 0.001),
    "rmsprop": (RMSprop, 0.001),
    "adagrad": (Adagrad, 0.01),
    "sgd": (SGD, 0.01),
}

# Predictions are computed this many rows at a time, which bounds the memory they take.
ROWS_AT_ONCE = 4096

# Operations keep what their last pass computed, so two threads cannot predict with the same ones
# at once. For the same reason every use of a network ends with a pass of a single sample: what it
# leaves behind is in memory, and in every pickle, in place of the user's data.
_one_at_a_time = threading.RLock()


def _renew_lock() -> None:
    global _one_at_a_time
    _one_at_a_time = renewed(_one_at_a_time)


after_fork(_renew_lock)


class _NeuralNetwork(BaseEstimator):
    """What the two estimators share: everything but the last layer and what is said of it."""

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
        callbacks: Sequence[Callback] | None = None,
        random_state: Any = None,
        warm_start: bool = False,
        dtype: DTypeLike | None = None,
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
        self.callbacks = callbacks
        self.random_state = random_state
        self.warm_start = warm_start
        self.dtype = dtype
        self.verbose = verbose

    # What a classifier and a regressor do each in their own way

    _metric: Callable[..., float]

    def _learn_targets(self, y: Array, classes: ArrayLike | None) -> None:
        """Learn from the first targets what the network has to say."""
        raise NotImplementedError

    def _encode(self, y: Array) -> Array:
        """Return targets as the loss takes them. Raises ValueError if they do not fit."""
        raise NotImplementedError

    def _decode(self, outputs: Array) -> Array:
        """Return what the outputs of the network say, in the terms of ``y``."""
        raise NotImplementedError

    def _head(self) -> tuple[int, Activation, Loss, Accuracy | None]:
        """Return the number of outputs, the last activation, the loss and the accuracy."""
        raise NotImplementedError

    def _weigh(
        self, X: Array, y: Array, sample_weight: ArrayLike | None
    ) -> tuple[Array, Array, Array | None]:
        """Return the samples that count, and their weights."""
        return drop_weightless(X, y, sample_weight)

    def _strata(self, y: Array) -> Array | None:
        """Return what should be equally frequent on both sides of a split, if anything."""
        return None

    # Training

    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        *,
        incremental: bool = False,
        classes: ArrayLike | None = None,
    ) -> None:
        """Train a new model, or go on with the one there is; ``incremental``: for one epoch."""
        first = not (hasattr(self, "model_") and (incremental or self.warm_start))
        if incremental and self.early_stopping:
            raise ValueError("partial_fit cannot stop early: it needs early_stopping=False")
        X, y = self._check_data(X, y, first)
        if first:
            # If anything fails from here on, the network of an earlier fit and what is now known
            # of the data would not belong together.
            if hasattr(self, "model_"):
                del self.model_
            self._learn_targets(y, classes)
        X, y, weights = self._weigh(X, y, sample_weight)
        if first or not incremental:
            self._generator = self._new_generator()
        with randomness.drawing_from(self._generator or randomness.generator()):
            model = self._new_model(X) if first else self.model_
            if first or not incremental:
                model.set(optimizer=self._new_optimizer())
            history, scores = self._train(
                model, X, y, weights, epochs=1 if incremental else self.epochs
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

    def _check_data(self, X: Any, y: Any, first: bool) -> tuple[Array, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            reset=first,
            dtype=self._dtypes() if first else self.model_.dtype,
            multi_output=True,
            y_numeric=isinstance(self, RegressorMixin),
        )
        if issparse(y):
            y = y.toarray()
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return X, y

    def _train(
        self, model: Model, X: Array, y: Array, weights: Array | None, epochs: int
    ) -> tuple[History, list[float]]:
        """Train ``model`` and return its history and its scores on the validation samples."""
        targets, callbacks = self._encode(y), list(self.callbacks or ())
        kept: Any = slice(None)
        validation, scores = None, []
        if self.early_stopping:
            kept, aside = self._split(y)
            aside_weights = None if weights is None else weights[aside]
            validation = X[aside], targets[aside], aside_weights
            watcher = _ValidationScores(self, X[aside], y[aside], aside_weights)
            # In front of the user's own, which then find the best parameters restored.
            callbacks = [watcher, EarlyStopping(patience=self.patience), *callbacks]
            scores = watcher.scores
        verbose = int(self.verbose) if isinstance(self.verbose, bool) else self.verbose
        history = model.train(
            X[kept],
            targets[kept],
            epochs=epochs,
            batch_size=200 if self.batch_size == "auto" else self.batch_size,
            sample_weight=None if weights is None else weights[kept],
            validation_data=validation,
            callbacks=callbacks,
            progress=False,
            print_every=check_count("verbose", verbose, minimum=0) or None,
        )
        model.calculate_loss(X[:1].copy(), targets[:1], training=False)
        model.backward(targets[:1])
        return history, scores

    def _split(self, y: Array) -> tuple[Array, Array]:
        """Return the rows to train on and those to validate on."""
        fraction = check_fraction("validation_fraction", self.validation_fraction)
        kept, aside = train_test_split(
            np.arange(len(y)),
            test_size=fraction,
            stratify=self._strata(y),
            random_state=int(randomness.generator().integers(2**31)),
        )
        return kept, aside

    # Building

    def _dtypes(self) -> Any:
        """What the data are converted to: the dtype asked for, or else their own."""
        return [np.float64, np.float32] if self.dtype is None else check_dtype(self.dtype)

    def _new_generator(self) -> np.random.Generator | None:
        """The source of all chance in a fit, None for the one that ``framework.seed`` sets."""
        if self.random_state is None:
            return None
        state = check_random_state(self.random_state)
        return np.random.default_rng(state.randint(np.iinfo(np.int32).max))

    def _new_model(self, X: Array) -> Model:
        sizes = self._sizes()
        dropout = check_fraction("dropout", self.dropout)
        n_outputs, last, loss, accuracy = self._head()
        model, width = Model(dtype=X.dtype), X.shape[1]
        for size, activation in zip(sizes, self._activations(len(sizes)), strict=True):
            saturates = isinstance(activation, (Linear, Sigmoid, Tanh))
            model.add(self._dense(width, size, "glorot_uniform" if saturates else "he_uniform"))
            if self.batch_normalization:
                model.add(BatchNormalization(size))
            model.add(activation)
            if dropout:
                model.add(Dropout(dropout))
            width = size
        model.add(self._dense(width, n_outputs, "glorot_uniform"))
        model.add(last)
        model.set(loss=loss, accuracy=accuracy)
        model.finalize()
        return model

    def _dense(self, n_inputs: int, n_neurons: int, initializer: str) -> Dense:
        return Dense(
            n_inputs,
            n_neurons,
            weight_initializer=initializer,
            weight_regularizer_l1=check_non_negative("l1", self.l1),
            weight_regularizer_l2=check_non_negative("l2", self.l2),
        )

    def _sizes(self) -> list[int]:
        sizes = self.hidden_layer_sizes
        sizes = list(sizes) if np.iterable(sizes) else [sizes]
        return [check_count("hidden_layer_sizes", size) for size in sizes]

    def _activations(self, layers: int) -> list[Any]:
        """A new operation for each hidden layer."""
        given = self.activation
        if isinstance(given, str) or not np.iterable(given):
            given = [given] * layers
        given = list(given)
        if len(given) != layers:
            raise ValueError(
                "activation must be one for all hidden layers, or one for each of the "
                f"{layers}, received {len(given)}"
            )
        return [
            _by_name("activation", each, ACTIVATIONS)()
            if isinstance(each, str)
            else copy.deepcopy(each)
            for each in given
        ]

    def _new_optimizer(self) -> Any:
        rate = self.learning_rate
        if isinstance(self.optimizer, str):
            cls, usual_rate = _by_name("optimizer", self.optimizer, OPTIMIZERS)
            return cls(usual_rate if rate is None else rate)
        if rate is not None:
            raise ValueError(
                "learning_rate is for an optimizer given by name: set it in "
                f"{describe(self.optimizer)} itself"
            )
        return copy.deepcopy(self.optimizer)

    # Predicting

    def _outputs(self, X: ArrayLike) -> Array:
        check_is_fitted(self, "model_")
        samples = validate_data(self, X, reset=False, dtype=self.model_.dtype)
        with _one_at_a_time:
            outputs = self.model_.predict(samples, batch_size=ROWS_AT_ONCE)
            self.model_.forward(samples[:1].copy(), training=False)
        return outputs


class NeuralNetworkClassifier(ClassifierMixin, _NeuralNetwork):
    """A network that tells classes apart, by their probabilities.

    Hidden layers, each a ``Dense``, batch normalization if asked for, its activation and dropout
    if asked for; then a ``Dense`` with one output for each class, softmax and categorical
    cross-entropy. Where ``y`` has several labels for a sample (a column of 0 and 1 for each
    label), each output is a sigmoid of its own, with binary cross-entropy.

    The arguments are looked at in ``fit``, as always in scikit-learn.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer; empty for none.
        activation: "relu", "leaky_relu", "elu", "gelu", "swish", "softplus", "tanh", "sigmoid"
            or "linear", or an operation of your own; or a list with one for each hidden layer.
        dropout: the share of each hidden layer's values that is dropped, at least 0, less than 1.
        l1, l2: the λ of the penalties ``λ Σ |w|`` and ``λ Σ w²`` on the weights of each layer,
            output layer included, biases not.
        batch_normalization: whether to normalize before each activation.
        optimizer: "adam", "adamw", "rmsprop", "adagrad" or "sgd", or an optimizer, of which a
            copy is used.
        learning_rate: of an optimizer given by name: a number or a schedule. None stands for
            0.001, for "adagrad" and "sgd" 0.01.
        batch_size: samples per update; "auto" is ``min(200, samples)``, None all of them.
        epochs: how often ``fit`` goes through the data, at most.
        early_stopping: whether to set samples aside, stop when the loss on them has not become
            smaller for ``patience`` epochs, and go back to the best parameters.
        validation_fraction: the share of the samples that is set aside for it, of each class
            alike; greater than 0, less than 1.
        patience: how many epochs in a row may bring nothing better, at least 1.
        callbacks: objects derived from ``framework.Callback``. ``sklearn.base.clone`` copies
            them, and so does whatever clones: searches, cross-validation, ensembles.
        class_weight: how much each class counts, ``{label: weight}``, 1 if it is not there;
            "balanced" for weights that make all classes count alike. For one label per sample.
        random_state: a number or a ``numpy.random.RandomState``. It decides everything that is
            random in ``fit``, and no other generator is read or changed. With None everything is
            drawn as in the rest of ``framework``: see ``framework.seed``.
        warm_start: whether ``fit`` goes on with the network it has, for ``epochs`` more, with a
            new optimizer, instead of starting anew. The arguments that shape the network are not
            looked at again then.
        dtype: "float32" or "float64", in which everything is computed. None takes that of ``X``,
            and float64 for data of any other kind, as scikit-learn does; float32 is faster.
        verbose: print a line each epoch, or every so many if it is a number.

    Attributes:
        model_: the trained ``Model``.
        classes_: the labels, sorted; for several labels per sample, the numbers of the columns.
        loss_curve_: the loss of each epoch, penalties included, as ``History.loss``.
        validation_loss_curve_: the loss on the samples set aside, without penalties; empty
            without ``early_stopping``.
        validation_scores_: what ``score`` gives for these samples, after each epoch.
        n_iter_: the number of epochs so far.
        n_outputs_: the number of outputs of the network.
        n_features_in_, feature_names_in_: as for any estimator.

    Raises:
        TypeError, ValueError: in ``fit``, for arguments or data that do not fit.
        FloatingPointError: in ``fit``, when the loss became NaN or infinite.

    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["no", "yes", "yes", "no"]
    >>> network = NeuralNetworkClassifier((16,), learning_rate=0.05, random_state=0)
    >>> network.fit(X, y).predict(X)
    array(['no', 'yes', 'yes', 'no'], dtype='<U3')
    """

    _metric = staticmethod(accuracy_score)

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
        callbacks: Sequence[Callback] | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        random_state: Any = None,
        warm_start: bool = False,
        dtype: DTypeLike | None = None,
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
            callbacks=callbacks,
            random_state=random_state,
            warm_start=warm_start,
            dtype=dtype,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "NeuralNetworkClassifier":
        """Train on ``X`` ``(samples, features)`` and ``y``, and return ``self``.

        Args:
            X: finite numbers.
            y: a label for each sample, ``(samples,)``; or 0 and 1 for each of several labels,
                ``(samples, labels)``.
            sample_weight: how much each sample counts, ``(samples,)``, at least 0.
        """
        self._fit(X, y, sample_weight)
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> "NeuralNetworkClassifier":
        """Go through ``X`` and ``y`` once, from where training is, and return ``self``.

        Args:
            X, y, sample_weight: as for ``fit``.
            classes: all labels there will be (the numbers of the columns, where ``y`` has
                several labels for a sample); needed in the first call.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                'partial_fit does not know all samples, as class_weight="balanced" would have '
                "to: give the weight of each class, {label: weight}"
            )
        if not hasattr(self, "model_"):
            if classes is None:
                raise ValueError(
                    "the first call of partial_fit needs classes: all labels there will be"
                )
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes must be those of the first call, {self.classes_}, received {classes}"
            )
        self._fit(X, y, sample_weight, incremental=True, classes=classes)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """Return the most probable label of each sample, ``(samples,)``.

        For several labels per sample, 1 where one is more probable than not, else 0,
        ``(samples, labels)``.
        """
        return self._decode(self._outputs(X))

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of each class, ``(samples, classes)``, in their order."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _learn_targets(self, y: Array, classes: ArrayLike | None) -> None:
        self._several_labels = _has_several_labels(y)
        if self._several_labels:
            self.classes_ = np.arange(y.shape[1])
        else:
            self.classes_ = np.unique(y if classes is None else classes)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y has only one class, {self.classes_.tolist()}: nothing to tell apart"
                )
        self.n_outputs_ = len(self.classes_)

    def _encode(self, y: Array) -> Array:
        several = _has_several_labels(y)
        if several != self._several_labels or (several and y.shape[1] != self.n_outputs_):
            known = f"{self.n_outputs_} columns" if self._several_labels else "one label per sample"
            raise ValueError(f"y had {known} in the first fit, received shape {y.shape}")
        return y if several else LabelEncoder().fit(self.classes_).transform(y)

    def _decode(self, outputs: Array) -> Array:
        if self._several_labels:
            return (outputs > 0.5).astype(np.intp)
        return self.classes_[outputs.argmax(axis=1)]

    def _head(self) -> tuple[int, Activation, Loss, Accuracy | None]:
        if self._several_labels:
            return self.n_outputs_, Sigmoid(), BinaryCrossentropy(), BinaryAccuracy()
        return self.n_outputs_, Softmax(), CategoricalCrossentropy(), CategoricalAccuracy()

    def _weigh(
        self, X: Array, y: Array, sample_weight: ArrayLike | None
    ) -> tuple[Array, Array, Array | None]:
        X, y, weights = super()._weigh(X, y, sample_weight)
        if self.class_weight is None:
            return X, y, weights
        if self._several_labels:
            raise ValueError("class_weight is for one label per sample: give sample_weight instead")
        # Only classes that are there can be balanced; a dict may also name others.
        classes = np.unique(y) if self.class_weight == "balanced" else self.classes_
        of_class = compute_class_weight(
            self.class_weight, classes=classes, y=y, sample_weight=weights
        )
        factors = of_class[np.searchsorted(classes, y)]
        return drop_weightless(X, y, factors if weights is None else weights * factors)

    def _strata(self, y: Array) -> Array | None:
        return None if self._several_labels else y


class NeuralNetworkRegressor(MultiOutputMixin, RegressorMixin, _NeuralNetwork):
    """A network that predicts numbers: one output for each column of ``y``, squared error.

    Targets far from the size of 1 are best scaled:
    ``TransformedTargetRegressor(NeuralNetworkRegressor(), transformer=StandardScaler())``.

    Args and attributes are those of ``NeuralNetworkClassifier``, without what concerns classes.
    ``score`` is the coefficient of determination, R².

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> network = NeuralNetworkRegressor((), learning_rate=0.1, random_state=0)
    >>> network.fit(X, y).predict([[4.0]]).round(1)
    array([9.])
    """

    _metric = staticmethod(r2_score)

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "NeuralNetworkRegressor":
        """Train on ``X`` ``(samples, features)`` and ``y``, and return ``self``.

        Args:
            X: finite numbers.
            y: ``(samples,)`` or ``(samples, outputs)``, finite numbers.
            sample_weight: how much each sample counts, ``(samples,)``, at least 0.
        """
        self._fit(X, y, sample_weight)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "NeuralNetworkRegressor":
        """Go through ``X`` and ``y`` once, from where training is, and return ``self``."""
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """Return the predicted numbers, ``(samples,)`` or ``(samples, outputs)`` as ``y`` was."""
        return self._decode(self._outputs(X))

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


class _ValidationScores(Callback):
    """Keeps, for each epoch, the estimator's score on the samples set aside."""

    def __init__(
        self, estimator: _NeuralNetwork, X: Array, y: Array, sample_weight: Array | None
    ) -> None:
        self.estimator, self.X, self.y, self.sample_weight = estimator, X, y, sample_weight
        self.scores: list[float] = []

    def on_epoch_end(self, training: Training) -> None:
        predictions = self.estimator._decode(training.model.predict(self.X))
        score = self.estimator._metric(self.y, predictions, sample_weight=self.sample_weight)
        self.scores.append(float(score))


def _has_several_labels(y: Array) -> bool:
    """Whether ``y`` has a column of 0 and 1 for each label, instead of one label per sample."""
    check_classification_targets(y)
    kind = type_of_target(y, input_name="y")
    if kind == "multiclass-multioutput":
        raise ValueError(
            "y must be one label for each sample, or a column of 0 and 1 for each label, "
            f"received {y.shape[1]} columns with other values"
        )
    return bool(kind == "multilabel-indicator")


def _by_name(argument: str, name: str, known: Mapping[str, Named]) -> Named:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    raise ValueError(f"{argument}: there is none named {name!r}; {hint}")
