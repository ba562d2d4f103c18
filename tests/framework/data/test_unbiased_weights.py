"""The loss of a batch is Σ w·loss / (samples · w̄), so that weights mean the same in any batch."""

import copy
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchError,
    BinaryCrossentropy,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    MeanSquaredError,
    Model,
    Sigmoid,
    Softmax,
    Training,
)
from framework.data import micro_batches
from optimizers import SGD
from tests.framework.data.test_batches import Loader, pieces
from tests.framework.training.checkpoints import StopAt, ask
from tests.strategies import Array

random = np.random.default_rng(0)
X = random.normal(size=(60, 2))
y = random.integers(0, 3, 60)
WEIGHTS = np.where(random.random(60) < 0.2, 0, random.exponential(size=60) ** 2)


def linear(accelerated: bool = False) -> Model:
    """A linear model, whose gradients are easily written down."""
    framework.seed(0)
    model = Model([Dense(2, 3)], dtype="float64")
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize(accelerated=accelerated)
    return model


def by_hand(weights: Array, order: list[Array], means: list[float]) -> tuple[Array, list[float]]:
    """The parameters after steps on the rows of ``order``, and the losses, written down."""
    model = linear()
    W, b = (array.copy() for array in model.get_parameters()[0])
    targets, losses = np.eye(3)[y], []
    for rows, mean in zip(order, means, strict=True):
        errors = X[rows] @ W + b - targets[rows]
        shares = weights[rows] / (len(rows) * mean)
        losses.append(float(shares @ np.square(errors).mean(axis=1)))
        gradient = 2 / 3 * shares[:, np.newaxis] * errors
        W -= 0.1 * X[rows].T @ gradient
        b -= 0.1 * gradient.sum(axis=0)
    return np.concatenate([W.ravel(), b.ravel()]), losses


class Losses(Callback):
    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_batch_end(self, training: Training) -> None:
        self.losses.append(training.batch_loss)


def in_order(batch_size: int) -> tuple[list[Array], float]:
    rows = np.flatnonzero(WEIGHTS)
    return np.split(rows, range(batch_size, len(rows), batch_size)), WEIGHTS[rows].mean()


@pytest.mark.parametrize("way", ["plain", "accelerated", "in micro-batches"])
@pytest.mark.parametrize("batch_size", [1, 7, 60])
def test_steps_are_those_that_are_written_down(
    batch_size: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "accelerated":
        pytest.importorskip("numba", reason="numba is not installed: no compiled steps")
    if way == "in micro-batches":
        monkeypatch.setattr(micro_batches, "MOST_SAMPLES", 3)
    order, mean = in_order(batch_size)
    expected, losses = by_hand(WEIGHTS, order, [mean] * len(order))
    options: dict[str, Any] = {"sample_weight": WEIGHTS, "batch_size": batch_size}
    options |= {"shuffle": False, "progress": False}
    watched = Losses()
    for callbacks in ([watched], []):
        model = linear(accelerated=way == "accelerated")
        history = model.train(X, np.eye(3)[y], callbacks=callbacks, **options)
        np.testing.assert_allclose(model.parameters.weights, expected, rtol=1e-10)
    np.testing.assert_allclose(watched.losses, losses, rtol=1e-10)
    # The mean over the samples of the epoch, by their weights.
    samples = [len(rows) for rows in order]
    assert history.data_loss[0] == pytest.approx(np.average(losses, weights=samples), rel=1e-10)


@pytest.mark.parametrize("accelerated", [False, True], ids=["plain", "accelerated"])
def test_of_batches_that_are_given_the_mean_is_of_those_so_far(accelerated: bool) -> None:
    if accelerated:
        pytest.importorskip("numba", reason="numba is not installed: no compiled steps")
    order, _ = in_order(13)
    seen, means = np.array([], int), []
    for rows in order * 2:
        seen = np.append(seen, rows)
        means.append(WEIGHTS[seen].mean())
    expected, _ = by_hand(WEIGHTS, order * 2, means)
    given = [(X[rows], np.eye(3)[y[rows]], 1e-3 * WEIGHTS[rows]) for rows in order]
    model = linear(accelerated)
    model.train(Loader(*given), epochs=2, progress=False)
    np.testing.assert_allclose(model.parameters.weights, expected, rtol=1e-10)


def test_their_mean_goes_on_from_a_checkpoint(tmp_path: Any) -> None:
    given = Loader(*pieces(X, np.eye(3)[y], WEIGHTS + 0.1, size=13))
    whole = linear()
    whole.train(given, epochs=3, progress=False)
    for where in ((1, 2), (2, 5), (3, 1)):
        path = tmp_path / f"run{where}"
        callbacks = [StopAt(*where, ask), Checkpoint(path)]
        linear().train(given, epochs=3, callbacks=callbacks, progress=False)
        model = linear()
        model.train(given, epochs=3, callbacks=[Checkpoint(path)], resume_from=path, progress=False)
        np.testing.assert_array_equal(model.parameters.weights, whole.parameters.weights)


@pytest.mark.parametrize("batch_size", [1, 8, 32, 200])
def test_balanced_classes_are_equally_likely_where_the_inputs_say_nothing(batch_size: int) -> None:
    """5 % of the samples are of class 1; divided by its own Σ w, a batch of one says 0.044."""
    framework.seed(1)
    model = Model([Dense(1, 1, weight_initializer="zeros"), Sigmoid()], dtype="float64")
    model.set(loss=BinaryCrossentropy(), optimizer=SGD(0.5, decay=0.1))
    model.finalize()
    labels = np.arange(200) % 20 == 0
    options: dict[str, Any] = {"class_weight": "balanced", "progress": False}
    model.train(np.zeros((200, 1)), labels, epochs=400, batch_size=batch_size, **options)
    assert model.predict([[0.0]])[0, 0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("metrics", [{}, {"one": lambda outputs, targets: 1.0}])
def test_a_batch_that_is_given_with_weights_of_0_is_skipped(metrics: Any) -> None:
    models, batches = [linear(), linear()], pieces(X, np.eye(3)[y], WEIGHTS, size=20)
    empty = (100 * X[:9], np.eye(3)[y[:9]], np.zeros(9))
    histories = []
    watched = Losses()
    for model, given in zip(
        models, (batches, [empty, *batches[:2], empty, batches[2], empty]), strict=True
    ):
        model.set(metrics=metrics)
        watched = Losses()
        options: dict[str, Any] = {"callbacks": [watched], "validation_data": Loader(*given)}
        if metrics:
            del options["validation_data"]
        histories.append(model.train(given, epochs=2, progress=False, **options))
        assert len(watched.losses) == 6
    np.testing.assert_array_equal(models[0].parameters.weights, models[1].parameters.weights)
    assert histories[0].loss == histories[1].loss
    assert histories[0].val_loss == histories[1].val_loss
    assert models[0].evaluate(batches) == models[1].evaluate([empty, *batches])
    np.testing.assert_array_equal(models[0].layers[0].dinputs, models[1].layers[0].dinputs)
    with pytest.raises(BatchError, match="X gave no batch with a weight above 0"):
        linear().train([empty], progress=False)
    wrong = (X[:9], np.eye(3)[y[:9]], -np.ones(9))
    with pytest.raises(BatchError, match="batch 1 of X: sample_weight must be 0 or greater"):
        linear().train([wrong], progress=False)


# Class weights


def classifier(outputs: int = 3) -> Model:
    framework.seed(0)
    last, loss = (Softmax(), CategoricalCrossentropy())
    if outputs == 1:
        last, loss = Sigmoid(), BinaryCrossentropy()
    model = Model([Dense(2, outputs), last], dtype="float64")
    model.set(loss=loss, optimizer=SGD(0.1))
    model.finalize()
    return model


def trained(model: Model, *data: Any, **options: Any) -> Array:
    model.train(*data, epochs=3, batch_size=16, shuffle=False, progress=False, **options)
    return model.parameters.weights


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("one_hot", [False, True], ids=["labels", "one-hot"])
@pytest.mark.filterwarnings("ignore:the labels come sorted")
def test_balanced_is_that_of_scikit_learn(weights: Any, one_hot: bool) -> None:
    module = pytest.importorskip("sklearn.utils.class_weight", reason="scikit-learn is missing")
    rare = np.where(random.random(60) < 0.7, 1, y)
    factors = module.compute_class_weight(
        "balanced", classes=np.arange(3), y=rare, sample_weight=weights
    )[rare]
    targets = np.eye(3)[rare] if one_hot else rare
    found = trained(classifier(), X, targets, sample_weight=weights, class_weight="balanced")
    product = factors if weights is None else weights * factors
    expected = trained(classifier(), X, targets, sample_weight=product)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("given", ["arrays", "batches"])
@pytest.mark.filterwarnings("ignore:the labels come sorted")
def test_weights_by_class_number_multiply_those_of_the_samples(given: str) -> None:
    def data(labels: Array, weights: Array) -> tuple[Any, ...]:
        targets = np.eye(3)[labels] if outputs == 3 else labels
        if given == "arrays":
            return X, targets
        return (pieces(X, targets, weights, size=16),)

    for outputs, weight in ((3, {0: 2.0, 2: 0.5}), (3, {1: 0}), (1, {1: 5}), (1, {np.int64(0): 3})):
        labels = y if outputs == 3 else y % 2
        factors = np.array([weight.get(c, 1.0) for c in range(3)])[labels]
        samples = {"sample_weight": WEIGHTS} if given == "arrays" else {}
        found = trained(classifier(outputs), *data(labels, WEIGHTS), class_weight=weight, **samples)
        samples = {"sample_weight": WEIGHTS * factors} if given == "arrays" else {}
        expected = trained(classifier(outputs), *data(labels, WEIGHTS * factors), **samples)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_only_the_samples_that_are_trained_on_are_balanced() -> None:
    labels = np.append(np.arange(40) % 4 == 0, np.ones(20, bool)).astype(float)
    found = trained(classifier(1), X, labels, validation_split=1 / 3, class_weight="balanced")
    factors = np.where(labels[:40] > 0, 3.0, 1.0)
    expected = trained(classifier(1), X[:40], labels[:40], sample_weight=factors)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def share_of_class_1(outputs: Array, targets: Array, sample_weight: Any = None) -> float:
    return float(np.average(targets == 1, weights=sample_weight))


@pytest.mark.parametrize("given", ["arrays", "batches"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_class_weights_count_in_training_and_nowhere_else(weights: Any, given: str) -> None:
    arrays = (X, y) if weights is None else (X, y, weights)
    data: Any = (X, y) if given == "arrays" else (pieces(*arrays, size=16),)
    model = classifier()
    model.set(metrics={"share": share_of_class_1}, accuracy=CategoricalAccuracy())
    options: dict[str, Any] = {"class_weight": {0: 0.0, 1: 3.0}, "progress": False}
    if given == "arrays":
        options["sample_weight"] = weights
    history = model.train(*data, **options)
    expected = np.average(y == 1, weights=weights)
    assert history.share[0] == pytest.approx(expected, rel=1e-12)
    history = model.train(*data, validation_data=arrays, **options)
    assert history.val_share[0] == pytest.approx(expected, rel=1e-12)
    loss, accuracy = model.evaluate(X, y, sample_weight=weights)
    assert history.val_loss[0] == pytest.approx(loss, rel=1e-12)
    assert history.val_accuracy[0] == pytest.approx(accuracy, rel=1e-12)


SEVERAL = np.array([[1, 1, 0], [0, 1, 0]] * 30)


@pytest.mark.parametrize(
    ("data", "class_weight", "error", "message"),
    [
        ((X, y), "even", TypeError, 'class_weight must be "balanced" or {class: weight}, received'),
        ((X, y), [1, 2, 3], TypeError, r"received \[1, 2, 3\]"),
        ((X, y), {1: "much"}, TypeError, r"class_weight\[1\] must be a number"),
        ((X, y), {1: -1}, ValueError, r"class_weight\[1\] must be 0 or greater"),
        ((X, y), {3: 2}, ValueError, "the label 3, which is none of the classes: .* 0 to 2"),
        ((X, y), {"cat": 2}, ValueError, "the label 'cat', which is none of the classes"),
        ((X, y), dict.fromkeys(range(3), 0), ValueError, "must not be 0 for every class"),
        ((X, np.ones(60, int)), {1: 0}, ValueError, "must not be 0 for the class of every sample"),
        (([(X, y)],), "balanced", ValueError, 'class_weight="balanced" needs X and y as arrays'),
        (([(X, y)],), {3: 1}, ValueError, "the label 3, which is none of the classes"),
    ],
)
def test_class_weights_that_fit_nothing_are_refused(
    data: Any, class_weight: Any, error: type[Exception], message: str
) -> None:
    model = classifier()
    before = copy.deepcopy(model.parameters.weights)
    with pytest.raises(error, match=message):
        model.train(*data, class_weight=class_weight, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_targets_that_are_no_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"class_weight is for classes.*MeanSquaredError\(\)"):
        linear().train(X, np.eye(3)[y], class_weight="balanced", progress=False)
    model = Model([Dense(2, 3), Sigmoid()])
    model.set(loss=BinaryCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    with pytest.raises(ValueError, match="one class per sample, .* give sample_weight instead"):
        model.train(X, SEVERAL, class_weight="balanced", progress=False)
    model.train(X, np.eye(3)[y], class_weight="balanced", progress=False)
