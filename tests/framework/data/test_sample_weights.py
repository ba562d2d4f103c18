"""Sample weights in the loss, its gradient and the metrics."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import framework
from datasets import one_hot_encode, spiral_data
from framework import (
    BatchNormalization,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Huber,
    Linear,
    MeanAbsoluteError,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    Sigmoid,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
)
from framework.data.sample_weights import check_sample_weight
from optimizers import SGD, Adam

X, y = spiral_data(8, 3, seed=0)
X = X + 0.1  # away from the origin, where no class is more likely than another
ONE_HOT = one_hot_encode(y, 3)
VALUES = np.random.default_rng(1).normal(size=(24, 3))
WEIGHTS = np.random.default_rng(2).integers(0, 5, size=24)


class Quartic:
    """A user's own loss: no base class, only the two methods."""

    def forward(self, y_pred: np.ndarray, y_true: np.ndarray) -> np.ndarray:
        return ((y_pred - y_true) ** 4).mean(axis=1)

    def backward(self, y_pred: np.ndarray, y_true: np.ndarray) -> None:
        self.dinputs = 4 * (y_pred - y_true) ** 3 / y_pred.size


# The last activation, the loss, the accuracy and the targets.
HEADS: dict[str, tuple[list[Any], Any, Any, np.ndarray]] = {
    "softmax, fused": ([Softmax()], CategoricalCrossentropy(), CategoricalAccuracy(), y),
    "softmax, apart": ([Tanh(), Sigmoid()], CategoricalCrossentropy(), CategoricalAccuracy(), y),
    "softmax, given": ([], SoftmaxCategoricalCrossentropy(), CategoricalAccuracy(), ONE_HOT),
    "sigmoid, fused": ([Sigmoid()], BinaryCrossentropy(), BinaryAccuracy(), ONE_HOT),
    "sigmoid, apart": ([Sigmoid(), Linear()], BinaryCrossentropy(), BinaryAccuracy(), ONE_HOT),
    "sigmoid, given": ([], SigmoidBinaryCrossentropy(), BinaryAccuracy(), ONE_HOT),
    "squared": ([], MeanSquaredError(), RegressionAccuracy(0.8), VALUES),
    "absolute": ([], MeanAbsoluteError(), RegressionAccuracy(0.8), VALUES),
    "huber": ([], Huber(), RegressionAccuracy(0.8), VALUES),
    "a user's own": ([], Quartic(), None, VALUES),
}
all_heads = pytest.mark.parametrize("head", HEADS)


def network(head: str, *, dtype: str = "float64") -> tuple[Model, np.ndarray]:
    framework.seed(3)
    last, loss, accuracy, targets = HEADS[head]
    hidden = Dense(2, 4, weight_regularizer_l2=0.01, bias_regularizer_l1=0.01)
    model = Model([hidden, Tanh(), Dense(4, 3), *last], dtype=dtype)
    model.set(loss=loss, optimizer=Adam(0.02), accuracy=accuracy)
    model.finalize()
    return model, targets


@all_heads
def test_a_weight_is_a_number_of_repetitions(head: str) -> None:
    weighted, targets = network(head)
    repeated, _ = network(head)
    rows = np.arange(24).repeat(WEIGHTS)
    options: dict[str, Any] = {"epochs": 30, "batch_size": None, "progress": False}
    ours = weighted.train(
        X, targets, sample_weight=WEIGHTS, validation_data=(X, targets, WEIGHTS), **options
    )
    theirs = repeated.train(
        X[rows], targets[rows], validation_data=(X[rows], targets[rows]), **options
    )
    np.testing.assert_allclose(
        weighted.parameters.weights, repeated.parameters.weights, rtol=1e-9, atol=1e-12
    )
    for name in ours.names():
        if name != "seconds":
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-9), name
    assert bool(ours.accuracy) == (weighted.accuracy is not None)


@all_heads
@given(weights=st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
def test_the_gradient_is_that_of_the_weighted_mean(head: str, weights: list[float]) -> None:
    model, targets = network(head)
    data, targets, w = X[::6], targets[::6], np.array(weights)
    parameters = model.parameters.weights
    generator = np.random.default_rng(4)
    parameters += generator.normal(scale=0.1, size=parameters.shape)

    def loss_one_sample_at_a_time() -> float:
        losses = [
            model.calculate_loss(data[i : i + 1], targets[i : i + 1]) for i in range(len(data))
        ]
        return float(w @ losses / w.sum()) + model.regularization_loss()

    loss = model.calculate_loss(data, targets, sample_weight=w) + model.regularization_loss()
    model.backward(targets, sample_weight=w)
    assert loss == pytest.approx(loss_one_sample_at_a_time(), rel=1e-12)
    gradient, start = model.parameters.dweights.copy(), parameters.copy()
    direction, step = generator.normal(size=parameters.shape), 1e-6
    parameters += step * direction
    above = loss_one_sample_at_a_time()
    parameters[...] = start - step * direction
    below = loss_one_sample_at_a_time()
    assert gradient @ direction == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-8)


def test_dinputs_are_the_weighted_ones_wherever_they_are_kept() -> None:
    model, targets = network("softmax, fused", dtype="float32")
    model.calculate_loss(X, targets)
    model.backward(targets)
    plain = model.layers[-1].dinputs.copy()
    model.calculate_loss(X, targets, sample_weight=WEIGHTS)
    model.backward(targets, sample_weight=WEIGHTS)
    expected = plain * 24 * (WEIGHTS / WEIGHTS.sum())[:, np.newaxis]
    np.testing.assert_allclose(model.layers[-1].dinputs, expected, rtol=1e-5)
    assert model.layers[-1].dinputs.dtype == np.float32


@pytest.mark.parametrize("weight", [1, 1e-300, 7.5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equal_weights_train_the_same_bits_as_none(weight: float, dtype: str) -> None:
    models = [network("softmax, fused", dtype=dtype) for _ in range(2)]
    histories = []
    for (model, targets), weights in zip(models, (None, np.full(24, weight)), strict=True):
        framework.seed(5)
        histories.append(
            model.train(
                X,
                targets,
                epochs=3,
                batch_size=10,
                sample_weight=weights,
                validation_split=0.25,
                progress=False,
            )
        )
    (plain, _), (weighted, _) = models
    np.testing.assert_array_equal(plain.parameters.weights, weighted.parameters.weights)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        figures = [getattr(history, name) for history in histories]
        assert figures[0] == pytest.approx(figures[1], rel=1e-6)


def test_a_sample_of_weight_0_changes_nothing() -> None:
    # Batch statistics, dropout masks, shuffles and a split would all show the difference.
    def trained(data: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> tuple[Model, Any]:
        framework.seed(6)
        model = Model([Dense(2, 8), BatchNormalization(8), Tanh(), Dropout(0.2), Dense(8, 3)])
        loss = SoftmaxCategoricalCrossentropy()
        model.set(loss=loss, optimizer=SGD(0.1), accuracy=CategoricalAccuracy())
        model.finalize()
        history = model.train(
            data,
            labels,
            epochs=3,
            batch_size=6,
            sample_weight=weights,
            validation_split=0.2,
            progress=False,
        )
        return model, history

    rows = WEIGHTS > 0
    assert not rows.all()
    with_them, history = trained(X, y, WEIGHTS)
    without, expected = trained(X[rows], y[rows], WEIGHTS[rows])
    np.testing.assert_array_equal(with_them.parameters.weights, without.parameters.weights)
    assert history.loss == expected.loss
    assert history.val_accuracy == expected.val_accuracy
    assert with_them.evaluate(X, y, sample_weight=WEIGHTS) == without.evaluate(
        X[rows], y[rows], sample_weight=WEIGHTS[rows]
    )


def test_metrics_are_averaged_by_weight_over_the_batches() -> None:
    model, targets = network("softmax, fused")
    model.set(optimizer=SGD(1e-12))
    losses = [model.evaluate(X[[i]], targets[[i]])[0] for i in range(24)]
    right = model.predict_classes(X) == y
    history = model.train(X, targets, batch_size=7, sample_weight=WEIGHTS, progress=False)
    assert history.data_loss == pytest.approx([np.average(losses, weights=WEIGHTS)])
    assert history.accuracy == pytest.approx([np.average(right, weights=WEIGHTS)])
    assert history.regularization_loss == pytest.approx([model.regularization_loss()])
    for batch_size in (None, 7):
        loss, accuracy = model.evaluate(
            X, targets, batch_size=batch_size, sample_weight=WEIGHTS.tolist()
        )
        assert loss == pytest.approx(history.data_loss[0])
        assert accuracy == pytest.approx(history.accuracy[0])


def test_binary_accuracy_counts_every_output_by_the_weight_of_its_sample() -> None:
    model, targets = network("sigmoid, fused")
    right = (model.predict(X) > 0.5) == (targets > 0.5)
    _, accuracy = model.evaluate(X, targets, sample_weight=WEIGHTS)
    assert accuracy == pytest.approx((WEIGHTS @ right).sum() / (3 * WEIGHTS.sum()))


def test_a_validation_split_takes_its_weights_along() -> None:
    model, targets = network("squared")
    model.set(optimizer=SGD(1e-12))
    history = model.train(
        X,
        targets,
        sample_weight=WEIGHTS,
        batch_size=None,
        validation_split=0.25,
        shuffle=False,
        progress=False,
    )
    rows = np.flatnonzero(WEIGHTS)
    held_back = rows[-round(0.25 * len(rows)) :]
    loss, _ = model.evaluate(X[held_back], targets[held_back], sample_weight=WEIGHTS[held_back])
    assert history.val_loss == pytest.approx([loss])


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        (np.ones(23), ValueError, r"of shape \(24,\), received shape \(23,\)"),
        (np.ones((24, 1)), ValueError, r"received shape \(24, 1\)"),
        (1.0, ValueError, r"received shape \(\)"),
        (np.where(np.arange(24) == 5, -1.0, 1.0), ValueError, "0 or greater, but row 5 is -1"),
        (np.where(np.arange(24) == 5, math.nan, 1.0), ValueError, "row 5 has NaN or infinity"),
        (np.where(np.arange(24) == 5, math.inf, 1.0), ValueError, "row 5 has NaN or infinity"),
        (np.zeros(24), ValueError, "must not be zero for every sample"),
        (["heavy"] * 24, TypeError, "sample_weight must hold real numbers"),
    ],
)
def test_impossible_weights_are_refused_and_the_model_is_unchanged(
    weights: Any, error: type[Exception], message: str
) -> None:
    model, targets = network("softmax, fused")
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        model.train(X, targets, sample_weight=weights, progress=False)
    with pytest.raises(error, match=message):
        model.evaluate(X, targets, sample_weight=weights)
    with pytest.raises(error, match=f"validation_data: .*{message}"):
        model.train(X, targets, validation_data=(X, targets, weights), progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_an_accuracy_that_has_no_value_for_each_sample_is_refused() -> None:
    class Close:
        def calculate(self, predictions: np.ndarray, y: np.ndarray) -> float:
            return float((np.abs(predictions - y) < 0.5).mean())

    model, targets = network("a user's own")
    model.set(accuracy=Close())
    model.train(X, targets, progress=False)
    with pytest.raises(TypeError, match=r"needs a method compare.*Close\(\) has none"):
        model.train(X, targets, sample_weight=WEIGHTS, progress=False)


def test_a_loss_that_gives_only_its_mean_is_refused() -> None:
    class OnlyTheMean(Quartic):
        def forward(self, y_pred: np.ndarray, y_true: np.ndarray) -> Any:
            return super().forward(y_pred, y_true).mean()

    model, targets = network("a user's own")
    model.set(loss=OnlyTheMean())
    before = model.parameters.weights.copy()
    with pytest.raises(ValueError, match="a value for each of the .* samples"):
        model.train(X, targets, sample_weight=WEIGHTS, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_weights_of_any_size_keep_their_ratios() -> None:
    for scale in (1e-320, 1e-30, 1.0, 1e300):
        weights = check_sample_weight([2 * scale, 0, 4 * scale], 3)
        assert weights.tolist() == pytest.approx([0.5, 0, 1], rel=1e-3)
