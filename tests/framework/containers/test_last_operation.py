"""The last operation counts where it is inside a Sequential as it does in a row."""

from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Loss,
    Model,
    ReLU,
    Sequential,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
    check_gradients,
)
from optimizers import SGD

X = np.random.default_rng(0).normal(size=(12, 2))
CLASSES = np.arange(12) % 3


def model_of(layers: list[Any], loss: Loss, **options: Any) -> Model:
    model = Model(layers, dtype="float64")
    model.set(loss=loss, optimizer=SGD(0.1), **options)
    model.finalize()
    return model


def sure(*activation: Any) -> Model:
    """A model whose logits are (0, -200, 0) for an input of 1."""
    dense = Dense(1, 3, dtype="float64")
    dense.weights = [[0.0, -200.0, 0.0]]
    return model_of([Sequential([dense, *activation])], CategoricalCrossentropy())


def test_a_softmax_at_the_end_of_the_last_sequential_is_fused_with_the_loss() -> None:
    model = sure(Softmax())
    inner = model.layers[0]
    # -log softmax₁ = 200 + log(2 + e⁻²⁰⁰), and its gradient is softmax - one-hot.
    loss = model.calculate_loss(np.ones((1, 1)), [1])
    assert loss == pytest.approx(200 + np.log(2), rel=1e-12)
    model.backward([1])
    np.testing.assert_allclose(inner.layers[0].dbiases, [[0.5, -1, 0.5]], atol=1e-12)
    np.testing.assert_allclose(model.output, [[0.5, 0, 0.5]], atol=1e-12)
    assert inner.output is inner.layers[1].output is model.output
    np.testing.assert_allclose(inner.dinputs, [[200.0]])  # dvalues · weightsᵀ
    assert model.layers == [inner]


@pytest.mark.parametrize(
    ("activation", "loss", "targets"),
    [
        (Softmax, CategoricalCrossentropy, CLASSES),
        (Sigmoid, BinaryCrossentropy, np.eye(3)[CLASSES]),
    ],
)
def test_gradients_diagnosis_and_classes_are_those_of_a_row(
    activation: Any, loss: Any, targets: Any
) -> None:
    found = []
    for nested in (False, True):
        framework.seed(1)
        layers = [Dense(2, 5), Tanh(), Dense(5, 3), activation()]
        if nested:
            layers = [Sequential(layers[:2]), Sequential([layers[2], Sequential([layers[3]])])]
        model = model_of(layers, loss())
        model.calculate_loss(X, targets)
        model.backward(targets)
        gradients = model.gradients()
        assert gradients[-1] is None
        found.append(
            [
                model.predict_classes(X),
                *gradients[:-1],
                *(leaf.dinputs for leaf in model.leaves()),
                str(model.diagnose(X, targets)),
            ]
        )
        assert check_gradients(model, X, targets).passed
        assert model.output_activation is model.leaves()[-1]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_sequential_has_the_output_and_dinputs_of_its_operations_after_training() -> None:
    inner, last = Sequential([ReLU(), Sequential([Dense(4, 4)])]), Sequential([Softmax()])
    model = model_of(
        [Sequential([Dense(2, 4), inner]), Dense(4, 3), last], CategoricalCrossentropy()
    )
    model.train(X, CLASSES, epochs=2, batch_size=6, progress=False)
    for one in (model.layers[0], inner, inner.layers[1], last):
        assert one.output is one.layers[-1].output
        assert one.dinputs is one.layers[0].dinputs
    assert model.layers[0].dinputs.shape == (6, 2)


def test_a_sequential_with_a_forward_of_its_own_is_not_opened() -> None:
    class Sharper(Sequential):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            return super().forward(3 * np.asarray(inputs), training)

        def backward(self, dvalues: Any) -> Any:
            self.dinputs = 3 * super().backward(dvalues)
            return self.dinputs

    last = Sharper([Softmax()])
    model = model_of([Dense(2, 3), last], CategoricalCrossentropy(), accuracy=CategoricalAccuracy())
    scores = 3 * (X @ model.layers[0].weights + model.layers[0].biases)
    expected = np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(12), CLASSES]
    assert model.calculate_loss(X, CLASSES) == pytest.approx(expected.mean())
    assert model.output_activation is last
    assert check_gradients(model, X, CLASSES).passed


def test_a_fused_loss_after_the_activation_inside_a_sequential_is_refused() -> None:
    with pytest.raises(ValueError, match=r"contains the activation Softmax\(\): leave that out"):
        model_of([Sequential([Dense(2, 3), Softmax()])], SoftmaxCategoricalCrossentropy())
