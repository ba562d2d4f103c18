"""Small networks, whose steps are loops along the samples."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is not installed")

import framework
from framework import (
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    DivergenceError,
    Model,
    ReLU,
    Softmax,
    Tanh,
)
from framework.accelerated import trainer
from optimizers import SGD, Adam
from tests.framework.accelerated.networks import (
    CLASSES,
    ONE_HOT,
    WEIGHTS,
    assert_same_attributes,
    assert_same_history,
    both,
    network,
    train,
)

PENALTIES = {"weight_regularizer_l2": 1e-3, "bias_regularizer_l1": 1e-3}


def classifier(*operations: Any, **options: Any) -> Model:
    defaults = {
        "loss": CategoricalCrossentropy(),
        "optimizer": Adam(0.01, decay=1e-3),
        "accuracy": CategoricalAccuracy(),
    }
    return network(*operations, **{**defaults, **options})


NETWORKS: dict[str, Any] = {
    "spiral": lambda: classifier(Dense(4, 64), ReLU(), Dense(64, 3), Softmax()),
    "three layers": lambda: classifier(
        Dense(4, 7), ReLU(), Dense(7, 6), ReLU(), Dense(6, 3), Softmax(temperature=2.0)
    ),
    "sides that are no whole tiles": lambda: classifier(
        Dense(4, 21), ReLU(), Dense(21, 13), ReLU(), Dense(13, 3), Softmax(), optimizer=SGD(0.3)
    ),
    "linear": lambda: classifier(Dense(4, 5), Dense(5, 3), Softmax()),
    "one layer": lambda: classifier(Dense(4, 3, **PENALTIES), Softmax(), optimizer=SGD(0.1)),
    "without biases": lambda: classifier(
        Dense(4, 9, use_bias=False), ReLU(), Dense(9, 3, use_bias=False), Softmax()
    ),
    "clipped": lambda: classifier(
        Dense(4, 8), ReLU(), Dense(8, 3), Softmax(), optimizer=Adam(max_gradient_norm=0.05)
    ),
    "without accuracy": lambda: classifier(
        Dense(4, 8), ReLU(), Dense(8, 3), Softmax(), accuracy=None
    ),
}


def of_name(name: str) -> Any:
    """Return a function that makes the network, with the same parameters each time."""

    def make() -> Model:
        framework.seed(5)
        model: Model = NETWORKS[name]()
        return model

    return make


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no other steps be taken."""

    def other(*arguments: Any) -> None:
        raise AssertionError("the network was not taken for a small one")

    monkeypatch.setattr(trainer, "take_steps", other)


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_steps_along_the_samples_are_those_of_plain_numpy(
    name: str, weights: Any, shuffle: bool
) -> None:
    plain, small = both(of_name(name))
    options = {"sample_weight": weights, "shuffle": shuffle, "batch_size": 64}  # the last has 46
    expected = train(plain, CLASSES, **options)
    assert_same_history(train(small, CLASSES, **options), expected)
    for found, operation in zip(small.layers, plain.layers, strict=True):
        assert_same_attributes(found, operation, 1e-3)


@pytest.mark.usefixtures("small_steps")
def test_after_100_steps_compiled_and_plain_parameters_agree_to_four_digits() -> None:
    plain, small = both(of_name("spiral"))
    for model in (plain, small):
        train(model, CLASSES, epochs=10)  # of 10 batches
        assert model.optimizer.iterations == 100
    np.testing.assert_allclose(
        small.parameters.weights, plain.parameters.weights, rtol=1e-4, atol=1e-4
    )


def test_smoothed_labels_are_those_of_plain_numpy() -> None:
    def make() -> Model:
        framework.seed(5)
        return classifier(
            Dense(4, 8), ReLU(), Dense(8, 3), Softmax(), loss=CategoricalCrossentropy(0.3)
        )

    plain, compiled = both(make)
    assert_same_history(train(compiled, CLASSES), train(plain, CLASSES))
    np.testing.assert_allclose(compiled.parameters.weights, plain.parameters.weights, rtol=1e-3)


@pytest.mark.usefixtures("small_steps")
def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    framework.seed(0)
    model = classifier(Dense(4, 8), ReLU(), Dense(8, 3), Softmax(), optimizer=SGD(1e30))
    model.finalize(accelerated=True)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError):
        train(model, CLASSES, epochs=3)


@pytest.mark.parametrize(
    ("hidden", "y", "batch_size"),
    [
        ([Dense(4, 8), Tanh(), Dense(8, 3)], CLASSES, 43),
        ([Dense(4, 8), ReLU(), Dense(8, 3)], ONE_HOT, 43),
        ([Dense(4, 8), ReLU(), Dense(8, 3)], CLASSES, 2),
        ([Dense(4, 300), ReLU(), Dense(300, 30), ReLU(), Dense(30, 3)], CLASSES, 43),
    ],
    ids=["another activation", "rows of targets", "few samples", "large layers"],
)
def test_other_networks_are_taken_as_all_are(
    hidden: list[Any], y: Any, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Taken(Exception):
        pass

    def take(*arguments: Any) -> None:
        raise Taken

    monkeypatch.setattr(trainer, "take_steps", take)
    model = classifier(*hidden, Softmax())
    model.finalize(accelerated=True)
    with pytest.raises(Taken):
        train(model, y, batch_size=batch_size)


@pytest.mark.usefixtures("small_steps")
def test_what_fills_up_a_row_counts_nowhere() -> None:
    """Features of other sizes, and a last batch whose rows are of another length."""
    X = np.random.default_rng(0).normal(size=(84, 2)).astype("float32")
    X[:, 0] *= 5e36

    def make() -> Model:
        framework.seed(0)
        model = classifier(Dense(2, 8), ReLU(), Dense(8, 3), Softmax(), optimizer=SGD(1e-38))
        model.layers[0].weights[0] *= 1e-36
        model.layers[0].weights[1] *= 1000
        return model

    plain, small = both(make)
    options: Any = {"batch_size": 64, "epochs": 2, "shuffle": False, "progress": False}
    for model in (plain, small):
        model.train(X, CLASSES[:84], **options)
    np.testing.assert_allclose(small.parameters.weights, plain.parameters.weights, rtol=1e-4)


def test_a_last_batch_of_few_samples_is_taken_as_all_are_also_in_a_call_of_its_own() -> None:
    class Watcher(Callback):
        def on_batch_end(self, training: Any) -> None: ...

    found = []
    for callbacks in ([], [Watcher()]):
        framework.seed(5)
        model = classifier(Dense(4, 8), ReLU(), Dense(8, 3), Softmax())
        model.finalize(accelerated=True)
        train(model, CLASSES, batch_size=103, callbacks=callbacks)  # the last has few
        found.append(model.parameters.weights.copy())
    np.testing.assert_array_equal(*found)
