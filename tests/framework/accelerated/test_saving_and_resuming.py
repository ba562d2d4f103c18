"""An accelerated training can be saved, copied, interrupted, and undone."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import framework
from framework import (
    BatchNormalization,
    Callback,
    Checkpoint,
    Dense,
    DivergenceError,
    History,
    Model,
    Scale,
    SoftmaxCategoricalCrossentropy,
    Tanh,
    Training,
)
from optimizers import SGD
from tests.framework.accelerated.networks import (
    CLASSES,
    X,
    assert_same_history,
    both,
    classifier,
    independent,
    network,
    train,
)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("make", [classifier, independent])
@pytest.mark.parametrize("where", [(1, 3), (2, 7), (3, 13), (3, 14)])
def test_an_interrupted_training_goes_on_bit_by_bit(
    make: Any, where: tuple[int, int], tmp_path: Any
) -> None:
    class Interrupt(Callback):
        def on_batch_end(self, training: Training) -> None:
            if (training.epoch, training.batch) == where:
                training.stop("enough for now")

    def trained(**options: Any) -> tuple[Model, History]:
        model = make()
        model.finalize(accelerated=True)
        return model, model.train(*(X, CLASSES), epochs=4, batch_size=32, progress=False, **options)

    whole, expected = trained()
    path = tmp_path / "run.safetensors"
    trained(callbacks=[Interrupt(), Checkpoint(path)])
    resumed, history = trained(resume_from=path)
    for ours, array in zip(resumed.stored_arrays(), whole.stored_arrays(), strict=True):
        np.testing.assert_array_equal(ours, array)
    assert history.loss == expected.loss


def test_a_saved_model_holds_plain_classes_and_predicts_the_same(tmp_path: Any) -> None:
    model = classifier()
    model.finalize(accelerated=True)
    model.train(X, CLASSES, progress=False)
    model.save(tmp_path / "model.safetensors")
    loaded = Model.load(tmp_path / "model.safetensors")
    assert not loaded.accelerated
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), atol=1e-6)
    loaded.finalize(accelerated=True)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("after_tanh", [BatchNormalization(8), Scale(2)], ids=repr)
def test_divergence_is_told_and_undone_as_in_plain_training(after_tanh: Any) -> None:
    def diverging() -> Model:
        # The penalty overflows, while tanh keeps the products finite. In an overflowing product,
        # the order of the sum, which differs with the number of threads, would decide between
        # NaN and infinity.
        framework.seed(5)
        layers = [Dense(4, 8, weight_regularizer_l2=1e-3), Tanh(), after_tanh, Dense(8, 3)]
        loss = SoftmaxCategoricalCrossentropy()
        return network(*copy.deepcopy(layers), loss=loss, optimizer=SGD(1e30))

    messages = []
    for model in both(diverging):
        train_once = model.parameters.weights.copy()
        with pytest.raises(DivergenceError) as caught:
            train(model, CLASSES)
        messages.append(str(caught.value))
        assert model.optimizer.iterations == 0
        np.testing.assert_array_equal(model.parameters.weights, train_once)
    assert messages[0] == messages[1]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_goes_on_from_where_the_original_was(duplicate: Any) -> None:
    _, model = both(classifier)
    train(model, CLASSES, epochs=1)
    other = duplicate(model)
    assert other.accelerated
    before = model.parameters.weights.copy()
    expected = train(other, CLASSES, epochs=2)
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert_same_history(train(model, CLASSES, epochs=2), expected)
