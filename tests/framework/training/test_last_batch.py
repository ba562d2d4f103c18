"""What a training leaves in the operations: the pass of the last batch, as a loop by hand does."""

import copy
import importlib.util
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import framework
from framework import (
    BatchNormalization,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    EarlyStopping,
    Flatten,
    MeanSquaredError,
    Model,
    Operation,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    Softmax,
    Step,
    Tanh,
    Training,
    plots,
)
from optimizers import SGD, Adam
from tests.framework.training import classifiers
from tests.framework.training.classifiers import classifier

# In an order that can be gone through without shuffling.
ORDER = np.random.default_rng(0).permutation(60)
X, y = classifiers.X[ORDER], classifiers.y[ORDER]

ACCELERATED = [False, *[True] * (importlib.util.find_spec("numba") is not None)]

hidden = st.lists(
    st.sampled_from(
        [
            ReLU,
            Tanh,
            Sigmoid,
            lambda: Dropout(0.3),
            lambda: BatchNormalization(6),
            lambda: Dense(6, 6, weight_regularizer_l2=0.01),
        ]
    ),
    max_size=4,
)
first = st.sampled_from([list, lambda: [Dropout(0.2)], lambda: [BatchNormalization(2)]])


class Stops(Callback):
    """Stops the training after a batch; looks at the model in the meantime, as a user would."""

    def __init__(self, epoch: int, batch: int) -> None:
        self.end = epoch, batch

    def on_batch_end(self, training: Training) -> None:
        if (training.epoch, training.batch) == self.end:
            training.stop("the test asked for it")
        training.model.predict(X[:3])


class Looks(Callback):
    """Predicts after every epoch and at the end."""

    def on_epoch_end(self, training: Training) -> None:
        training.model.predict(X[:5])

    on_train_end = on_epoch_end


def by_hand(model: Model, batch_size: int, steps: int) -> None:
    """Take the first ``steps`` steps in a loop of one's own."""
    optimizer = model.optimizer
    starts = itertools.cycle(range(0, len(X), batch_size))
    for start in itertools.islice(starts, steps):
        targets = y[start : start + batch_size]
        model.calculate_loss(X[start : start + batch_size].astype(model.dtype), targets)
        model.backward(targets)
        optimizer.pre_update_params()
        optimizer.update_params(model.parameters)
        optimizer.post_update_params()


def assert_same_pass(model: Model, expected: Model, tolerance: float = 0.0) -> None:
    close = {"rtol": tolerance, "atol": tolerance}
    np.testing.assert_allclose(model.output, expected.output, **close)
    for ours, other in zip(model.leaves(), expected.leaves(), strict=True):
        for name in ("output", "dinputs", "dweights", "dbiases"):
            if hasattr(other, name):
                np.testing.assert_allclose(getattr(ours, name), getattr(other, name), **close)


@pytest.mark.parametrize("accelerated", ACCELERATED)
@given(
    first=first,
    hidden=hidden,
    batch_size=st.sampled_from([7, 25, 60]),
    validation=st.booleans(),
    callback=st.sampled_from([None, Looks, lambda: EarlyStopping("loss", 1, min_delta=9.0)]),
)
def test_after_train_every_operation_has_the_pass_of_the_last_batch(
    accelerated: bool, first: Any, hidden: Any, batch_size: int, validation: bool, callback: Any
) -> None:
    operations = [*first(), Dense(2, 6), *(make() for make in hidden), Dense(6, 3), Softmax()]
    model = Model(operations, dtype="float64")
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.01), accuracy=CategoricalAccuracy())
    expected = copy.deepcopy(model)
    model.finalize(accelerated=accelerated)
    expected.finalize()
    framework.seed(3)
    history = model.train(
        X,
        y,
        epochs=3,
        batch_size=batch_size,
        shuffle=False,
        validation_data=(X[:11], y[:11]) if validation else None,
        callbacks=[callback()] if callback else [],
        progress=False,
    )
    framework.seed(3)
    by_hand(expected, batch_size, len(history) * -(-len(X) // batch_size))
    assert_same_pass(model, expected, 1e-9)


@pytest.mark.parametrize("accelerated", ACCELERATED)
def test_it_is_that_of_the_batch_after_which_a_callback_stopped(accelerated: bool) -> None:
    model, expected = classifier(), classifier()
    expected.set_parameters(model.get_parameters())
    model.finalize(accelerated=accelerated)
    callbacks = [Stops(2, 3)]
    model.train(X, y, epochs=5, batch_size=10, shuffle=False, callbacks=callbacks, progress=False)
    by_hand(expected, 10, 9)
    assert_same_pass(model, expected, 1e-5)


def test_best_parameters_that_are_restored_at_the_end_leave_the_pass_alone() -> None:
    model, expected = classifier(), classifier()
    expected.set_parameters(model.get_parameters())
    stopping = EarlyStopping("val_loss", patience=2, min_delta=9.0)
    history = model.train(
        X,
        y,
        epochs=9,
        batch_size=20,
        shuffle=False,
        validation_data=(X, y),
        callbacks=[stopping],
        progress=False,
    )
    assert (stopping.best_epoch, len(history)) == (1, 3)
    by_hand(expected, 20, 9)
    assert_same_pass(model, expected)
    assert (model.layers[0].weights != expected.layers[0].weights).any()


def test_batches_of_an_iterable_of_unknown_length_leave_it_too() -> None:
    class Stream:
        def __iter__(self) -> Any:
            return iter([(X[:20], y[:20]), (X[20:40], y[20:40]), (X[40:], y[40:])])

    model, expected = classifier(), classifier()
    expected.set_parameters(model.get_parameters())
    model.train(Stream(), validation_data=Stream(), progress=False)
    by_hand(expected, 20, 3)
    assert_same_pass(model, expected)


def test_micro_batches_leave_that_of_the_last_one_and_the_gradient_of_the_batch() -> None:
    data, targets = np.tile(X, (100, 1)).astype("float32"), np.tile(y, 100)
    model, expected = classifier(), classifier()
    expected.set_parameters(model.get_parameters())
    model.train(data, targets, batch_size=None, shuffle=False, progress=False)
    expected.calculate_loss(data, targets)
    expected.backward(targets)
    np.testing.assert_allclose(
        model.parameters.dweights, expected.parameters.dweights, rtol=1e-4, atol=1e-6
    )
    shapes = {(len(op.output), len(op.dinputs)) for op in model.layers}
    assert len(shapes) == 1


def test_containers_have_it_as_well() -> None:
    inner = Sequential([Dense(2, 6), ReLU()])
    model = Model([Dropout(0.0), inner, Sequential([Dense(6, 3)]), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    model.train(X, y, batch_size=20, validation_data=(X[:7], y[:7]), progress=False)
    assert inner.dinputs.shape == model.layers[0].dinputs.shape == (20, 2)
    assert inner.output.shape == model.layers[2].dinputs.shape == (20, 6)


@pytest.mark.parametrize("accelerated", ACCELERATED)
def test_the_flow_of_gradients_is_drawn_after_a_training_with_validation(accelerated: bool) -> None:
    model = classifier()
    model.finalize(accelerated=accelerated)
    model.train(X, y, validation_data=(X[:7], y[:7]), batch_size=16, progress=False)
    ax = plots.gradient_flow(model)
    # The gradient that arrives at ReLU is the dinputs of the layer after it.
    size = np.sqrt(np.mean(np.square(model.layers[2].dinputs)))
    assert ax.lines[2].get_ydata()[1] == pytest.approx(size)


def test_plots_and_diagnose_leave_it_alone() -> None:
    model, expected = classifier(), classifier()
    expected.set_parameters(model.get_parameters())
    model.train(X, y, batch_size=60, progress=False)
    by_hand(expected, 60, 1)
    plots.decision_boundary(model, X, y, resolution=10)
    plots.gradient_flow(model, X[:20], y[:20])
    model.diagnose(X[:20], y[:20])
    assert_same_pass(model, expected)


def test_a_random_operation_and_running_statistics_are_not_touched_for_it() -> None:
    def trained(*callbacks: Callback) -> Model:
        model = Model([Dense(2, 6), BatchNormalization(6), Dropout(0.4), Dense(6, 3), Softmax()])
        model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
        model.finalize()
        framework.seed(2)
        for _ in range(2):
            model.train(X, y, validation_split=0.2, callbacks=callbacks, progress=False)
        return model

    framework.seed(1)
    alone = trained()
    framework.seed(1)
    watched = trained(Looks())
    for ours, other in zip(watched.stored_arrays(), alone.stored_arrays(), strict=True):
        np.testing.assert_array_equal(ours, other)


def test_an_operation_before_the_first_layer_need_have_no_gradient() -> None:
    model = Model([Step(), Dense(2, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    model.finalize()
    model.train(X, X[:, :1], progress=False)
    assert model.layers[1].dinputs.shape == (28, 2)


def test_a_backward_that_training_does_not_need_does_not_cost_its_result() -> None:
    class Reads(Operation):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            self.output = np.asarray(inputs) * 2
            return self.output

        def backward(self, dvalues: Any) -> Any:
            raise KeyError("not written yet")

    model = Model([Reads(), Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    with pytest.warns(UserWarning, match="could not be computed after training: KeyError"):
        history = model.train(X, y, progress=False)
    assert len(history) == 1


@pytest.mark.filterwarnings("error")
def test_shapes_before_the_first_layer_are_those_of_the_last_batch() -> None:
    flat = Flatten()
    model = Model([Reshape((2, 1)), flat, Dense(2, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(0.1))
    model.finalize()
    # The last batch has 4 samples, the validation 20.
    model.train(X, y, batch_size=7, validation_data=(X[:20], y[:20]), progress=False)
    assert model.layers[0].dinputs.shape == (4, 2) and flat.dinputs.shape == (4, 2, 1)
    np.testing.assert_array_equal(model.layers[0].dinputs, model.layers[2].dinputs)
