"""Operations that are frozen: trainable = False."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    BatchNormalization,
    CategoricalCrossentropy,
    Checkpoint,
    Conv2D,
    Dense,
    Flatten,
    LayerNormalization,
    Model,
    Operation,
    PReLU,
    ReLU,
    SavedFileError,
    Sequential,
    Softmax,
)
from optimizers import SGD, Adam, AdamW

random = np.random.default_rng(0)
X, y = random.normal(size=(40, 3)), random.integers(0, 2, 40)


def network(*frozen: int, optimizer: Any = None) -> Model:
    framework.seed(0)
    layers: list[Any] = [Dense(3, 5), ReLU(), Dense(5, 4), ReLU(), Dense(4, 2), Softmax()]
    for position in frozen:
        layers[position].trainable = False
    model = Model(layers, dtype="float64")
    model.set(loss=CategoricalCrossentropy(), optimizer=optimizer or AdamW(0.01))
    model.finalize()
    return model


def train(model: Model, **options: Any) -> Any:
    framework.seed(1)
    return model.train(X, y, batch_size=16, progress=False, **{"epochs": 3, **options})


@pytest.mark.parametrize("frozen", [(0,), (2,), (0, 2), (4,)], ids=str)
def test_frozen_parameters_stay_and_the_others_follow_their_gradient(
    frozen: tuple[int, ...],
) -> None:
    model, whole = network(*frozen, optimizer=SGD(0.1)), network(optimizer=SGD(0.1))
    before = model.get_parameters()
    for each in (model, whole):
        train(each, epochs=1, validation_split=0.6)  # one batch, of 16 samples
    for position, (layer, other) in enumerate(zip(model.layers, whole.layers, strict=True)):
        if not isinstance(layer, Dense):
            continue
        if position in frozen:
            np.testing.assert_array_equal(layer.weights, before[position // 2][0])
        else:
            np.testing.assert_allclose(layer.weights, other.weights, rtol=1e-12)
            np.testing.assert_allclose(layer.biases, other.biases, atol=1e-15)


def test_the_optimizer_remembers_nothing_of_them() -> None:
    model = network(0, 2)
    train(model)
    assert len(model.parameters) == 4 * 2 + 2
    for array in model.optimizer.state(model.parameters)["weights"].values():
        assert array.shape == (10,)
    assert model.trained_layers == [model.layers[4]]


def test_no_gradient_is_computed_that_nobody_needs() -> None:
    model = network(0, 2)
    model.calculate_loss(X, y)
    model.backward(y, all_operations=False)
    assert not hasattr(model.layers[0], "dinputs")
    assert not hasattr(model.layers[2], "dinputs")
    assert not hasattr(model.layers[4], "dinputs")
    model = network(2)
    model.calculate_loss(X, y)
    model.backward(y, all_operations=False)
    assert not model.layers[2].dweights.any()
    assert model.layers[2].dinputs.any() and model.layers[0].dweights.any()


@pytest.mark.parametrize(
    "operation",
    [Dense(3, 3), PReLU(3), BatchNormalization(3), LayerNormalization(3), Conv2D(3, 2, 2)],
    ids=lambda operation: type(operation).__name__,
)
def test_every_frozen_operation_has_the_same_dinputs_and_no_gradient(operation: Operation) -> None:
    inputs = random.normal(size=(4, 4, 4, 3) if isinstance(operation, Conv2D) else (6, 3))
    in_training = not isinstance(operation, BatchNormalization)
    output = operation.forward(inputs, in_training)
    dvalues = random.normal(size=output.shape)
    expected = operation.backward(dvalues)
    operation.dweights[...] = 7
    operation.trainable = False
    np.testing.assert_array_equal(operation.forward(inputs, True), output)
    np.testing.assert_array_equal(operation.backward(dvalues), expected)
    assert (operation.dweights == 7).all()


def test_a_container_freezes_what_is_in_it() -> None:
    framework.seed(0)
    body = Sequential([Dense(3, 5), Sequential([BatchNormalization(5), ReLU()])])
    model = Model([body, Dense(5, 2), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01))
    body.trainable = False
    assert not body.trainable and model.trainable
    model.finalize()
    before = [array.copy() for arrays in model.get_parameters()[:2] for array in arrays]
    train(model)
    after = [array for arrays in model.get_parameters()[:2] for array in arrays]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)  # running statistics too
    body.trainable = True
    model.finalize()
    train(model)
    assert not np.array_equal(model.layers[0].layers[0].weights, before[0])


def test_thawing_and_freezing_need_finalize_again() -> None:
    model = network(0)
    train(model)
    model.layers[0].trainable = True
    with pytest.raises(RuntimeError, match=r"trainable of an operation was changed.* finalize\(\)"):
        train(model)
    model.finalize()
    before = model.layers[0].weights.copy()
    train(model)
    assert not np.array_equal(model.layers[0].weights, before)


def test_it_is_saved_as_frozen_and_predicts_the_same(tmp_path: Path) -> None:
    model = network(0, 2)
    train(model)
    model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert [layer.trainable for layer in loaded.layers[:5:2]] == [False, False, True]
    assert len(loaded.parameters) == 10
    network().save(tmp_path / "whole")
    assert b"frozen" not in (tmp_path / "whole").read_bytes()


def test_it_goes_on_from_a_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    whole = network(0)
    train(whole, epochs=4)
    first = network(0)
    train(first, epochs=2, callbacks=[Checkpoint(tmp_path / "run")])
    model = network(0)
    train(model, epochs=4, resume_from=tmp_path / "run", callbacks=[Checkpoint(tmp_path / "run")])
    np.testing.assert_array_equal(model.parameters.weights, whole.parameters.weights)
    with pytest.raises(SavedFileError, match="its model has other operations that are frozen"):
        train(network(2), epochs=4, resume_from=tmp_path / "run")


def test_all_frozen_is_refused_and_a_loop_by_hand_leaves_them() -> None:
    with pytest.raises(ValueError, match="has no parameters to train"):
        train(network(0, 2, 4))
    layer, optimizer = Dense(3, 2), SGD(0.1)
    layer.trainable = False
    layer.dweights[...] = 1
    before = layer.weights.copy()
    optimizer.update_params(layer)
    np.testing.assert_array_equal(layer.weights, before)


def test_a_frozen_operation_takes_the_dtype_of_the_model() -> None:
    layer = Dense(3, 2)
    layer.trainable = False
    model = Model([Dense(3, 3), layer, Flatten()], dtype="float64")
    model.finalize()
    assert layer.weights.dtype == np.float64
