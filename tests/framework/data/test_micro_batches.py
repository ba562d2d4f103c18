"""Large batches run through the network in micro-batches, and nothing else changes."""

from typing import Any

import numpy as np
import pytest

import framework
from datasets import spiral_data
from framework import (
    BatchNormalization,
    BinaryAccuracy,
    BinaryCrossentropy,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Conv2D,
    Dense,
    Flatten,
    LayerNormalization,
    MaxPooling2D,
    Model,
    Operation,
    ReLU,
    Reshape,
    Residual,
    Sigmoid,
    Softmax,
    Tanh,
    Training,
)
from framework.data.micro_batches import MOST_SAMPLES, evaluation_batch_size
from optimizers import Adam

X, y = spiral_data(4000, 3, seed=0)  # more samples than go through at once


class LongestForward(Callback):
    def on_train_begin(self, training: Training) -> None:
        self.rows = 0

    def on_batch_end(self, training: Training) -> None:
        self.rows = max(self.rows, len(training.model.layers[0].output))


class Whole(Operation):
    """Passes on what it gets, without declaring that samples are independent."""

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = np.array(inputs)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = np.array(dvalues)
        return self.dinputs


def model_with(*operations: Any, dtype: str = "float64") -> Model:
    framework.seed(0)
    first = Dense(2, 8, weight_regularizer_l2=1e-2, bias_regularizer_l1=1e-2)
    model = Model([first, *operations, ReLU(), Dense(8, 3), Softmax()], dtype=dtype)
    accuracy = CategoricalAccuracy()
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.02), accuracy=accuracy)
    model.finalize()
    return model


@pytest.mark.parametrize("batch_size", [None, 10_000])
@pytest.mark.parametrize("weights", [None, np.arange(12_000) % 5], ids=["plain", "weighted"])
def test_micro_batches_make_the_update_of_the_whole_batch(batch_size: Any, weights: Any) -> None:
    divided, whole = model_with(), model_with(Whole())
    settings: dict[str, Any] = {"epochs": 3, "batch_size": batch_size, "sample_weight": weights}
    longest = LongestForward()
    framework.seed(1)
    history = divided.train(X, y, callbacks=[longest], progress=False, **settings)
    assert longest.rows <= MOST_SAMPLES
    framework.seed(1)
    expected = whole.train(X, y, callbacks=[longest], progress=False, **settings)
    assert longest.rows >= 9_000
    np.testing.assert_allclose(divided.parameters.weights, whole.parameters.weights, rtol=1e-9)
    for name in ("loss", "regularization_loss", "accuracy"):
        assert getattr(history, name) == pytest.approx(getattr(expected, name), rel=1e-12)


def test_a_network_for_images_runs_in_micro_batches_too() -> None:
    def images_of_four(*operations: Any) -> list[Any]:
        layers = [Reshape((2, 4, 1)), Conv2D(1, 4, 2, padding="same"), MaxPooling2D((1, 2))]
        inside = [Conv2D(4, 4, 3, padding="same"), *operations, LayerNormalization(4)]
        return [*layers, Residual(inside, shortcut=[Conv2D(4, 4, 1)]), Flatten(), Dense(16, 8)]

    def trained(*operations: Any) -> Model:
        framework.seed(0)
        model = model_with(*images_of_four(*operations))
        framework.seed(1)
        model.train(X, y, epochs=2, batch_size=None, progress=False)
        return model

    divided, whole = trained(), trained(Whole())
    assert len(divided.layers[0].output) <= MOST_SAMPLES < len(whole.layers[0].output)
    np.testing.assert_allclose(
        divided.parameters.weights, whole.parameters.weights, rtol=1e-7, atol=1e-9
    )


def test_the_outputs_inside_a_residual_count_as_memory() -> None:
    wide = Residual([Dense(8, 5000), Tanh(), Dense(5000, 8)])
    # Two outputs of 5,000 numbers and their gradients are 160 kB for each sample.
    assert 0.95 < evaluation_batch_size(model_with(wide), X[:1]) / (2**26 / 160_000) < 1


def test_micro_batches_of_tiny_weight_do_not_affect_the_others() -> None:
    weights = np.full(12_000, 1e-20)
    weights[:MOST_SAMPLES] = 1
    divided, alone = model_with(), model_with()
    divided.train(X, y, batch_size=None, sample_weight=weights, progress=False)
    alone.train(X[:MOST_SAMPLES], y[:MOST_SAMPLES], batch_size=None, progress=False)
    np.testing.assert_allclose(divided.parameters.weights, alone.parameters.weights, rtol=1e-9)


def test_the_losses_of_several_outputs_run_in_micro_batches_too() -> None:
    targets = np.stack([y == 0, y > 0], axis=1)
    models = []
    for between in ([], [Whole()]):
        framework.seed(0)
        model = Model([Dense(2, 4), *between, Dense(4, 2), Sigmoid()], dtype="float64")
        model.set(loss=BinaryCrossentropy(), optimizer=Adam(), accuracy=BinaryAccuracy())
        model.finalize()
        model.train(X, targets, batch_size=None, progress=False)
        models.append(model)
    np.testing.assert_allclose(
        models[0].parameters.weights, models[1].parameters.weights, rtol=1e-9
    )


def test_batch_normalization_sees_the_whole_batch_and_warns_if_that_takes_much_memory() -> None:
    longest = LongestForward()
    model_with(BatchNormalization(8)).train(
        X, y, batch_size=None, callbacks=[longest], progress=False
    )
    assert longest.rows == 12_000
    wide = Model([Dense(2, 2000), BatchNormalization(2000), Dense(2000, 3), Softmax()])
    wide.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    wide.finalize()
    with pytest.warns(
        UserWarning, match=r"12,000 samples .* 0\.4 GiB: BatchNormalization\(2000\) may need"
    ) as caught:
        wide.train(X, y, batch_size=None, progress=False)
    assert caught[0].filename == __file__


def test_a_few_hundred_images_are_not_predicted_at_once_if_that_takes_much_memory() -> None:
    model = Model([Conv2D(1, 64, 3), MaxPooling2D(2)])
    model.finalize()
    images = np.random.default_rng(0).random((600, 32, 32, 1), dtype=np.float32)
    outputs = model.predict(images)
    assert len(model.layers[0].output) < 300
    np.testing.assert_array_equal(outputs, model.predict(images, batch_size=600))


def test_so_it_does_inside_a_residual_and_over_images() -> None:
    longest = LongestForward()
    block = Residual([Conv2D(2, 2, 3, padding="same"), BatchNormalization(2)])
    model_with(Reshape((2, 2, 2)), block, Flatten()).train(
        X, y, batch_size=None, callbacks=[longest], progress=False
    )
    assert longest.rows == 12_000


def test_predictions_in_batches_equal_predictions_at_once() -> None:
    model = model_with(BatchNormalization(8))
    model.train(X[:600], y[:600], progress=False)
    np.testing.assert_allclose(model.predict(X), model.predict(X, batch_size=len(X)), rtol=1e-12)
    assert model.evaluate(X, y) == pytest.approx(model.evaluate(X, y, batch_size=len(X)))
