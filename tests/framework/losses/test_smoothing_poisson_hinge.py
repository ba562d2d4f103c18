"""Label smoothing, and the losses Poisson and Hinge, against PyTorch and arithmetic."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Hinge,
    HingeAccuracy,
    Model,
    Poisson,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Softplus,
    Tanh,
    metrics,
)
from optimizers import SGD

random = np.random.default_rng(0)
LOGITS, y = random.normal(size=(7, 4)), random.integers(0, 4, 7)
ONE_HOT = np.eye(4)[y]


@pytest.mark.parametrize("targets", [y, ONE_HOT], ids=["labels", "one-hot"])
def test_label_smoothing_is_that_of_pytorch(targets: Any) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    logits = torch.tensor(LOGITS, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor(y), label_smoothing=0.1)
    expected.backward()
    fused = SoftmaxCategoricalCrossentropy(label_smoothing=0.1)
    assert fused.forward(LOGITS, targets) == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(fused.backward(fused.output, targets), logits.grad, atol=1e-12)
    softmax, loss = Softmax(), CategoricalCrossentropy(label_smoothing=0.1)
    outputs = softmax.forward(LOGITS)
    assert loss.calculate(outputs, targets) == pytest.approx(expected.item(), rel=1e-12)
    dinputs = softmax.backward(loss.backward(outputs, targets))
    np.testing.assert_allclose(dinputs, logits.grad, atol=1e-12)


def test_poisson_is_that_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    rates = torch.tensor(np.exp(LOGITS), requires_grad=True)
    counts = random.poisson(2, (7, 4))
    expected = torch.nn.functional.poisson_nll_loss(
        rates, torch.tensor(counts, dtype=torch.float64), log_input=False, eps=0
    )
    expected.backward()
    loss = Poisson()
    assert loss.calculate(np.exp(LOGITS), counts) == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(loss.backward(np.exp(LOGITS), counts), rates.grad, atol=1e-12)


def test_hinge_takes_zero_and_minus_one_for_no() -> None:
    predictions = np.array([[0.5], [2.0], [-0.5], [-3.0]])
    for answers in ([1, 0, 0, 1], [1, -1, -1, 1], [[1], [0], [0], [1]]):
        loss = Hinge()
        assert loss.forward(predictions, answers).tolist() == [0.5, 3.0, 0.5, 4.0]
        assert loss.backward(predictions, answers).tolist() == [[-0.25], [0.25], [0.25], [-0.25]]
    assert Hinge().backward([[2.0]], [1]).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CategoricalCrossentropy(1.0), ValueError, "label_smoothing must be at least 0"),
        (lambda: SoftmaxCategoricalCrossentropy("a"), TypeError, "label_smoothing must be a numb"),
        (lambda: Poisson().forward([[1.0]], [-1]), ValueError, "counts of 0 or more, received -1"),
        (lambda: Hinge().forward([[1.0]], [2]), ValueError, "1 for yes and 0 or -1 for no, rec"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


HEADS: dict[str, tuple[list[Any], Any, Any]] = {
    "smoothed, fused": ([Dense(3, 4), Softmax()], CategoricalCrossentropy(0.1), y),
    "smoothed, rows": ([Dense(3, 4), Softmax()], CategoricalCrossentropy(0.1), ONE_HOT),
    "smoothed, given": ([Dense(3, 4)], SoftmaxCategoricalCrossentropy(0.2), y),
    "smoothed, apart": ([Dense(3, 4), Tanh(), Sigmoid()], CategoricalCrossentropy(0.3), y),
    "smoothed, apart, rows": ([Dense(3, 4), Sigmoid()], CategoricalCrossentropy(0.3), ONE_HOT),
    "poisson": ([Dense(3, 4), Softplus()], Poisson(), random.poisson(2, (7, 4))),
    "hinge": ([Dense(3, 4)], Hinge(), ONE_HOT),
}


@pytest.mark.parametrize("head", HEADS)
def test_compiled_steps_are_those_of_plain_numpy(head: str) -> None:
    pytest.importorskip("numba", reason="numba is not installed: no compiled steps")
    X, trained = random.normal(size=(7, 3)), []
    layers, loss, targets = HEADS[head]
    for accelerated in (False, True):
        framework.seed(1)
        model = Model([Dense(3, 3), *layers], dtype="float64")
        model.set(loss=loss, optimizer=SGD(0.1))
        model.layers[0].weights = np.eye(3)
        model.layers[1].weights = np.ones((3, 4)) - np.eye(3, 4)
        model.layers[1].biases = np.zeros((1, 4))
        model.finalize(accelerated=accelerated)
        assert (model.trainer is not None) is accelerated
        history = model.train(X, targets, epochs=3, batch_size=4, shuffle=False, progress=False)
        trained.append((model.parameters.weights.copy(), history.loss))
    np.testing.assert_allclose(trained[0][0], trained[1][0], rtol=1e-9)
    np.testing.assert_allclose(trained[0][1], trained[1][1], rtol=1e-9)


@pytest.mark.parametrize("outputs", [1, 2])
def test_answers_of_hinge_are_read_at_0(outputs: int) -> None:
    reference = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    X = random.normal(size=(60, 2))
    y = (X[:, :outputs] + 0.5 > 0).astype(int)
    model = Model([Dense(2, outputs)], dtype="float64")
    measured = {"f1": metrics.f1, "auc": metrics.auc, "own": partial(metrics.f1, threshold=0.3)}
    model.set(loss=Hinge(), optimizer=SGD(0.1), accuracy=HingeAccuracy(), metrics=measured)
    model.finalize()
    model.train(X, 2 * y - 1, epochs=5, progress=False)
    values, found = model.predict(X), model.evaluate(X, y)
    for answers in (model.predict_classes(X), model.predict_classes(X, threshold=0.3)):
        assert answers.shape == ((60,) if outputs == 1 else (60, 2))
    assert (model.predict_classes(X).reshape(y.shape) == (values > 0)).all()
    assert (model.predict_classes(X, threshold=-0.3).reshape(y.shape) == (values > -0.3)).all()
    assert found.accuracy == pytest.approx((y == (values > 0)).mean())
    average = "binary" if outputs == 1 else "macro"
    expected = [reference.f1_score(y, values > limit, average=average) for limit in (0, 0.3)]
    assert found.metrics["f1"] == pytest.approx(expected[0], rel=1e-12)
    assert found.metrics["own"] == pytest.approx(expected[1], rel=1e-12)
    assert found.metrics["auc"] == pytest.approx(reference.roc_auc_score(y, values), rel=1e-12)


def test_two_sigmoids_are_two_labels_even_if_they_add_up_to_1() -> None:
    reference = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    X = random.normal(size=(60, 1))
    layer = Dense(1, 2)
    layer.weights, layer.biases = [[2.0, -2.0]], np.zeros((1, 2))
    model = Model([layer, Sigmoid()], dtype="float64")
    model.set(loss=BinaryCrossentropy(), optimizer=SGD(0.1), metrics={"f1": metrics.f1})
    model.finalize()
    y = np.eye(2)[(X[:, 0] < 0.4).astype(int)]
    expected = reference.f1_score(y, model.predict(X) > 0.5, average="macro")
    assert model.evaluate(X, y).metrics["f1"] == pytest.approx(expected, rel=1e-12)


def test_smoothing_is_saved_and_left_out_where_there_is_none(tmp_path: Path) -> None:
    for smoothing in (0.0, 0.1):
        model = Model([Dense(2, 3), Softmax()])
        model.set(loss=CategoricalCrossentropy(label_smoothing=smoothing), optimizer=SGD(0.1))
        model.finalize()
        model.save(tmp_path / "model")
        assert (b"label_smoothing" in (tmp_path / "model").read_bytes()) is bool(smoothing)
        assert Model.load(tmp_path / "model").loss.label_smoothing == smoothing


def test_classes_of_another_threshold() -> None:
    X = np.array([[-1.0], [0.0], [1.0]])
    model = Model([Dense(1, 1), Sigmoid()])
    model.layers[0].weights = [[1.0]]
    model.finalize()
    assert model.predict_classes(X).tolist() == [0, 0, 1]
    assert model.predict_classes(X, threshold=0.4).tolist() == [0, 1, 1]
    assert model.predict_classes(X, threshold=0.8).tolist() == [0, 0, 0]
    two = Model([Dense(1, 2), Softmax()])
    two.layers[0].weights = [[0.0, 1.0]]
    two.finalize()
    assert two.predict_classes(X, threshold=0.4).tolist() == [0, 1, 1]
    with pytest.raises(ValueError, match="threshold must be at least 0 and less than 1"):
        model.predict_classes(X, threshold=1.5)
    three = Model([Dense(1, 3), Softmax()])
    three.finalize()
    with pytest.raises(ValueError, match="threshold=0.4 is for two classes.* largest of 3 outputs"):
        three.predict_classes(X, threshold=0.4)
