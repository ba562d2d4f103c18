"""The classifier: labels, class weights, softmax or one sigmoid for each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from framework.accuracies import Accuracy, BinaryAccuracy, CategoricalAccuracy
from framework.activations import Activation, Sigmoid, Softmax
from framework.data.class_weights import balancing, check_class_weight
from framework.data.sample_weights import drop_weightless
from framework.estimators.base import NeuralNetwork
from framework.losses import BinaryCrossentropy, CategoricalCrossentropy, Loss
from framework.training.state import Callback
from optimizers.arrays import Array
from optimizers.optimizer import LearningRate


class NeuralNetworkClassifier(ClassifierMixin, NeuralNetwork):
    """A neural network classifier.

    Each hidden layer is a ``Dense``, optional batch normalization, an activation and optional
    dropout. The last is a ``Dense`` with one output for each class, with softmax and categorical
    cross-entropy. For multilabel targets (a column of 0 and 1 for each label), each output has a
    sigmoid, with binary cross-entropy.

    The arguments are checked in ``fit``, as scikit-learn requires.

    Args:
        hidden_layer_sizes: the number of neurons of each hidden layer; empty for none.
        activation: the name of an activation of ``framework`` that has a gradient, in lower case
            ("relu", "leaky_relu", "tanh"), or an operation; or a list with one for each hidden
            layer.
        dropout: the dropout rate after each hidden layer, at least 0 and less than 1.
        l1, l2: the λ of the penalties ``λ Σ |w|`` and ``λ Σ w²`` on the weights of each layer,
            output layer included, biases not.
        batch_normalization: whether to normalize before each activation.
        optimizer: the name of one of ``optimizers``, in lower case ("adam", "adamw", "sgd"), or an
            optimizer, which is copied.
        learning_rate: a number or a schedule, instead of that of ``optimizer``. None takes that of
            an object; by name, the default (0.001 for "adam"), but 0.01 for "adagrad" and "sgd".
        batch_size: samples per update; "auto" is ``min(200, samples)``, None all of them.
        epochs: the maximum number of epochs of ``fit``.
        early_stopping: whether to split off validation samples, stop when the loss on them has not
            improved for ``patience`` epochs, and restore the best parameters.
        validation_fraction: the share of validation samples, stratified by class; greater than 0
            and less than 1. At least one sample of every class is trained on.
        patience: the number of epochs without improvement before training stops, at least 1.
        min_delta: the smallest change of the validation loss that counts as an improvement.
        tol, n_iter_no_change: unless ``tol`` is None, training stops when the training loss has not
            fallen by more than ``tol`` for so many epochs.
        shuffle: whether to go through the samples in a new random order each epoch.
        callbacks: objects derived from ``framework.Callback``, which ``fit`` copies.
        class_weight: the weight of each class, ``{label: weight}``, 1 for classes that are not in
            it; "balanced" for weights inversely proportional to the class frequencies. Only for
            one label per sample.
        random_state: a number or a ``numpy.random.RandomState``. It decides everything that is
            random in ``fit``, and no other generator is read or changed. With None everything is
            drawn as in the rest of ``framework``: see ``framework.seed``.
        warm_start: whether ``fit`` continues with the present network for ``epochs`` more epochs,
            with a new optimizer. The arguments that determine the network are then ignored.
        dtype: the dtype of the computation, "float32" or "float64". None takes that of ``X``, and
            float64 for other data, as scikit-learn does; float32 is faster.
        accelerated: whether compiled code takes the steps of training: see ``Model.finalize``. It
            needs the extra ``[fast]``, and compiles for a while, once for each machine and dtype.
        verbose: whether to print a line for each epoch; a number prints every ``verbose`` epochs.

    Attributes:
        model_: the trained ``Model``.
        callbacks_: the copies of ``callbacks``, as the training has left them.
        classes_: the labels, sorted; for several labels per sample, the numbers of the columns.
        loss_curve_: the loss of each epoch, penalties included, as ``History.loss``.
        validation_loss_curve_: the loss on the validation samples, without penalties; empty
            without ``early_stopping``.
        validation_scores_: ``score`` on these samples after each epoch; NaN if an output is NaN.
        n_iter_: the number of epochs so far.
        n_outputs_: the number of outputs of the network.
        n_features_in_, feature_names_in_: as for any estimator.

    Raises:
        TypeError, ValueError: in ``fit``, for arguments or data that do not fit.
        FloatingPointError: in ``fit``, when the loss became NaN or infinite.
        ImportError: in ``fit``, for ``accelerated`` where numba is not installed.

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
        min_delta: float = 0.0,
        tol: float | None = None,
        n_iter_no_change: int = 10,
        shuffle: bool = True,
        callbacks: Sequence[Callback] | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
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
        self.class_weight = class_weight

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> NeuralNetworkClassifier:
        """Train on ``X`` ``(samples, features)`` and ``y``, and return ``self``.

        Args:
            X: finite numbers, an array, a DataFrame or a sparse matrix, which is made dense batch
                by batch.
            y: a label for each sample, ``(samples,)``; or 0 and 1 for each of several labels,
                ``(samples, labels)``.
            sample_weight: the weight of each sample, ``(samples,)``, at least 0.
            validation_data: ``(X_val, y_val)``, on which loss and score are computed after each
                epoch, and which ``early_stopping`` watches; no sample is split off then. At
                least two samples.
        """
        self._fit(X, y, sample_weight, validation_data=validation_data)
        return self

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> NeuralNetworkClassifier:
        """Train for one epoch on ``X`` and ``y``, from the present parameters; return ``self``.

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
        ``(samples, labels)``. Raises ValueError, naming the row, if an output is NaN.
        """
        return self._predictions(X)

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the probability of each class, ``(samples, classes)``, in their order.

        NaN outputs are returned as NaN.
        """
        return self._outputs(X)

    def predict_log_proba(self, X: ArrayLike) -> Array:
        """Return the logarithm of ``predict_proba``, ``-inf`` for a probability of 0."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    def _class_names(self) -> list[str] | None:
        return None if self._several_labels else [str(label) for label in self.classes_]

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
        if several:
            return y
        # LabelEncoder cuts "yesterday" off to the length of "yes".
        is_known = np.isin(y, self.classes_)
        if not is_known.all():
            unseen = y[~is_known][:1].tolist()[0]
            raise ValueError(f"y contains previously unseen labels: {unseen!r}")
        return np.searchsorted(self.classes_, y)

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
        class_weight = check_class_weight(self.class_weight)
        if class_weight is None:
            return X, y, weights
        if self._several_labels:
            raise ValueError("class_weight is for one label per sample: give sample_weight instead")
        classes = np.searchsorted(self.classes_, y)
        if isinstance(class_weight, Mapping):
            of_class = self._weights_of_classes(class_weight)
        else:
            of_class = balancing(np.bincount(classes, weights, minlength=len(self.classes_)))
        factors = of_class[classes]
        return drop_weightless(X, y, factors if weights is None else weights * factors)

    def _weights_of_classes(self, class_weight: Mapping[Any, float]) -> Array:
        """Return the weight of each of ``classes_``."""
        labels = self.classes_.tolist()
        for label in class_weight:
            if label not in labels:
                raise ValueError(
                    f"class_weight has the label {label!r}, which is none of the classes: "
                    f"{', '.join(map(repr, labels))}"
                )
        return np.array([float(class_weight.get(label, 1)) for label in labels])

    def _strata(self, y: Array) -> Array | None:
        return None if self._several_labels else y


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
