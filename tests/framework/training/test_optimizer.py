"""The optimizer of a training: whose it is, and what it keeps."""

import copy
import gc
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    Model,
    ReLU,
    Softmax,
)
from optimizers import SGD, Adam, Optimizer
from tests.framework.training.classifiers import X, classifier, y


def loss_of(optimizer: Any) -> float:
    """The loss of a new model, always the same one, that ``optimizer`` has trained."""
    framework.seed(1)
    model = classifier(optimizer=optimizer)
    return model.train(X, y, epochs=30, progress=False).loss[-1]


def test_an_optimizer_that_is_reset_trains_the_next_model_as_a_new_one() -> None:
    optimizer = Adam(0.02, decay=0.05)
    expected = loss_of(Adam(0.02, decay=0.05))
    losses = []
    for _ in range(5):
        losses.append(loss_of(optimizer))
        optimizer.reset()
    assert losses == [expected] * 5


@pytest.mark.parametrize("optimizer", [Adam(0.02, decay=0.05), SGD(0.1)], ids=repr)
def test_train_refuses_an_optimizer_that_has_trained_another_model(optimizer: Optimizer) -> None:
    loss_of(optimizer)  # of a model that is no more
    other = classifier(optimizer=optimizer)
    before = other.parameters.weights.copy()
    with pytest.raises(RuntimeError, match="another model for 60 steps.*optimizer.reset().*set"):
        other.train(X, y, progress=False)
    np.testing.assert_array_equal(other.parameters.weights, before)
    assert optimizer.iterations == 60
    optimizer.reset()
    other.train(X, y, progress=False)
    assert optimizer.iterations == 2


def added_to(model: Model) -> Model:
    model.layers.pop()
    model.add(Dense(3, 3))
    model.add(Softmax())
    model.finalize()
    return model


def set_again(model: Model) -> Model:
    model.set(optimizer=model.optimizer)
    return model


def finalized_again(model: Model) -> Model:
    model.finalize()
    return model


def used_otherwise(model: Model) -> Model:
    """The same model, trained with another optimizer in between."""
    optimizer = model.optimizer
    model.set(optimizer=SGD(0.1))
    model.train(X, y, progress=False)
    model.set(optimizer=optimizer)
    return model


@pytest.mark.parametrize(
    "change",
    [
        finalized_again,
        added_to,
        set_again,
        used_otherwise,
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
    ],
)
def test_the_same_model_goes_on_with_its_optimizer(change: Any) -> None:
    model = change(classifier(optimizer=Adam(0.02, decay=0.05)))
    model.train(X, y, progress=False)
    model = change(model)
    model.train(X, y, progress=False)
    assert model.optimizer.iterations == 4


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_of_a_model_keeps_the_state_of_its_optimizer(copied: Any) -> None:
    model = classifier(optimizer=Adam(0.02))
    model.train(X, y, progress=False)
    other = copied(model)
    for each in (model, other):
        framework.seed(5)
        each.train(X, y, progress=False)
    np.testing.assert_array_equal(other.parameters.weights, model.parameters.weights)


def test_a_training_is_resumed_with_an_optimizer_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    model = classifier(optimizer=Adam(0.02))
    options = {"progress": False, "resume_from": path, "callbacks": [Checkpoint(path)]}
    model.train(X, y, epochs=2, **options)
    other = classifier(optimizer=Adam(0.02))
    other.set_parameters(model.get_parameters())
    other.train(X, y, epochs=3, **options)
    assert other.optimizer.iterations == 6
    other.train(X, y, progress=False)
    assert other.optimizer.iterations == 8


def test_a_loop_by_hand_and_train_take_turns() -> None:
    model = classifier(optimizer=Adam(0.02))
    for _ in range(2):
        model.calculate_loss(X, y)
        model.backward(y)
        model.optimizer.pre_update_params()
        model.optimizer.update_params(model.parameters)
        model.optimizer.post_update_params()
        model.train(X, y, progress=False)
    assert model.optimizer.iterations == 6


def test_layers_that_were_trained_by_hand_go_on_in_a_model() -> None:
    optimizer, layer = SGD(0.1), Dense(2, 3)
    layer.forward(X)
    layer.backward(np.ones((60, 3)))
    optimizer.update_params(layer)
    optimizer.post_update_params()
    model = Model([layer, Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=optimizer)
    model.finalize()
    model.train(X, y, progress=False)
    assert optimizer.iterations == 3


def test_a_step_count_that_was_set_by_hand_is_taken() -> None:
    model = classifier(optimizer=Adam(0.02, decay=0.1))
    model.optimizer.iterations = 90
    assert model.train(X, y, batch_size=60, progress=False).learning_rate == [0.02 / 10]


def test_an_optimizer_of_many_models_is_pickled_with_the_one_that_is_left() -> None:
    optimizer, sizes = Adam(0.01), []
    for _ in range(10):
        model = Model([Dense(2, 500), ReLU(), Dense(500, 3), Softmax()])
        model.set(loss=CategoricalCrossentropy(), optimizer=optimizer)
        model.finalize()
        model.calculate_loss(X, y)
        model.backward(y)
        optimizer.update_params(model.parameters)
        gc.collect()
        sizes.append(len(pickle.dumps(model)))
    assert max(sizes) < 1.01 * min(sizes)
