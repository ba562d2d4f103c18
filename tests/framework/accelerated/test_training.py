"""An accelerated model is trained as a plain one is, and looks the same from outside."""

import copy
import signal
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import framework
from framework import (
    GELU,
    BatchNormalization,
    BinaryAccuracy,
    BinaryCrossentropy,
    Callback,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    LeakyReLU,
    Model,
    ReLU,
    Scale,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
    Training,
)
from framework.data.batches import ArrayBatches
from optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from tests.framework.accelerated.networks import (
    BITS,
    CLASSES,
    ONE_HOT,
    SUM,
    WEIGHTS,
    X,
    assert_same_attributes,
    assert_same_history,
    both,
    classifier,
    independent,
    network,
    regressor,
    train,
)


def binary() -> Model:
    framework.seed(5)
    return network(
        Dropout(0.1),
        Dense(4, 6),
        LeakyReLU(),
        Dense(6, 2, weight_regularizer_l1=1e-3),
        Sigmoid(),
        loss=BinaryCrossentropy(),
        optimizer=AdamW(0.01),
        accuracy=BinaryAccuracy(),
    )


def of_logits() -> Model:
    framework.seed(5)
    layers = [Dense(4, 5), Sigmoid(), Dense(5, 3)]
    loss = SoftmaxCategoricalCrossentropy()
    return network(*layers, loss=loss, optimizer=SGD(0.1, momentum=0.9))


MODELS = {
    "classes": (classifier, CLASSES),
    "one-hot": (classifier, ONE_HOT),
    "logits": (of_logits, CLASSES),
    "binary": (binary, BITS),
    "regression": (lambda: regressor(Tanh()), SUM),
    "dropout after GELU": (lambda: regressor(GELU(), Dropout(0.1)), SUM),
    "Adagrad": (lambda: classifier(optimizer=Adagrad(0.01)), CLASSES),
    "for several threads": (independent, CLASSES),
    "clipped, for several threads": (
        lambda: independent(optimizer=RMSprop(0.01, max_gradient_norm=0.1)),
        ONE_HOT,
    ),
    "gradients clipped": (lambda: classifier(optimizer=Adam(0.01, max_gradient_norm=0.1)), CLASSES),
}


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
@pytest.mark.parametrize("name", MODELS)
def test_a_hundred_steps_lead_to_the_same_network(name: str, weights: Any) -> None:
    make, y = MODELS[name]
    plain, accelerated = both(make)
    options = {"sample_weight": weights, "validation_split": 0.0}
    expected, found = train(plain, y, **options), train(accelerated, y, **options)
    np.testing.assert_allclose(
        accelerated.parameters.weights, plain.parameters.weights, rtol=0, atol=1e-4
    )
    assert_same_history(found, expected)
    np.testing.assert_allclose(accelerated.predict(X), plain.predict(X), rtol=0, atol=1e-3)


@pytest.mark.usefixtures("threads")
def test_double_precision_agrees_to_many_more_digits() -> None:
    def make() -> Model:
        framework.seed(5)
        layers = [Dense(4, 8, dtype="float64"), Tanh(), Dense(8, 3, dtype="float64"), Softmax()]
        return network(*layers, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))

    plain, accelerated = both(make)
    train(plain, CLASSES)
    train(accelerated, CLASSES)
    np.testing.assert_allclose(
        accelerated.parameters.weights, plain.parameters.weights, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": False, "batch_size": 100},
        {"batch_size": None},
        {"batch_size": 1000},
        {"validation_split": 0.2, "batch_size": 50},
        {"validation_data": (X[:50], CLASSES[:50])},
        {"batch_size": 429, "shuffle": False},
    ],
    ids=repr,
)
@pytest.mark.parametrize("make", [classifier, independent])
@pytest.mark.usefixtures("threads")
def test_the_samples_of_every_batch_are_the_same(make: Any, options: dict[str, Any]) -> None:
    plain, accelerated = both(make)
    expected, found = train(plain, CLASSES, **options), train(accelerated, CLASSES, **options)
    assert_same_history(found, expected)


def test_data_in_any_order_of_memory_and_read_only_are_taken() -> None:
    plain, accelerated = both(classifier)
    expected = train(plain, CLASSES)
    framework.seed(7)
    strange = np.asfortranarray(X)
    labels = np.repeat(CLASSES, 2)[::2]
    strange.flags.writeable = labels.flags.writeable = False
    found = accelerated.train(strange, labels, batch_size=43, progress=False, epochs=10)
    assert_same_history(found, expected)


BATCHES = [(X[i : i + 50], CLASSES[i : i + 50], WEIGHTS[i : i + 50]) for i in range(0, 430, 50)]


@pytest.mark.parametrize(
    "source",
    [
        {"X": BATCHES},
        {"X": (10 * X).astype(np.int8), "y": CLASSES, "transform": lambda rows: rows / 10},
        {"X": X.astype(float), "y": CLASSES, "sample_weight": np.round(WEIGHTS)},
        {"X": np.tile(X, (20, 1)), "y": np.tile(CLASSES, 20), "batch_size": None},
    ],
    ids=["batches", "transformed", "weights of zero", "in micro-batches"],
)
def test_data_come_from_wherever_plain_training_takes_them(source: dict[str, Any]) -> None:
    def make() -> Model:
        framework.seed(5)
        layers = [Dense(4, 8), ReLU(), Dense(8, 3), Softmax()]
        return network(*layers, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))

    histories = []
    for model in both(make):
        framework.seed(7)
        histories.append(model.train(**source, epochs=3, progress=False))
    assert_same_history(histories[1], histories[0])


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("make", [classifier, independent])
def test_after_a_training_every_object_has_what_plain_training_leaves(make: Any) -> None:
    plain, accelerated = both(make)
    layers = list(accelerated.layers)
    train(plain, CLASSES, epochs=1)
    train(accelerated, CLASSES, epochs=1)
    for mine, kept, expected in zip(accelerated.layers, layers, plain.layers, strict=True):
        assert mine is kept
        assert type(mine) is type(expected)
        assert_same_attributes(mine, expected, 1e-3)
    np.testing.assert_allclose(accelerated.output, plain.output, 1e-3, 1e-3)
    assert accelerated.calculate_accuracy(CLASSES[:43]) >= 0  # of the last batch's output
    for found, gradient in zip(accelerated.gradients(), plain.gradients(), strict=True):
        assert (found is None) == (gradient is None)
        if gradient is not None:
            np.testing.assert_allclose(found, gradient, 1e-3, 1e-4)


def test_an_output_that_was_kept_never_changes() -> None:
    _, model = both(classifier)
    train(model, CLASSES, epochs=1)
    arrays = [model.layers[1].output, model.layers[1].dinputs, model.predict(X)]
    before = copy.deepcopy(arrays)
    train(model, CLASSES, epochs=2)
    model.predict(X[::-1])
    for array, kept in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_a_loop_of_ones_own_over_the_steps_gives_the_same() -> None:
    plain, accelerated = both(classifier)
    for model in (plain, accelerated):
        framework.seed(3)
        for _ in range(20):
            model.calculate_loss(X, CLASSES)
            model.backward(CLASSES)
            model.optimizer.pre_update_params()
            model.optimizer.update_params(model.parameters)
            model.optimizer.post_update_params()
    np.testing.assert_allclose(
        accelerated.parameters.weights, plain.parameters.weights, rtol=0, atol=1e-4
    )
    assert accelerated.layers[0].dinputs.shape == X.shape


def test_a_setting_that_is_changed_takes_effect() -> None:
    plain, accelerated = both(classifier)
    for model in (plain, accelerated):
        train(model, CLASSES, epochs=1)
        model.layers[2].rate = 0.6
        model.layers[0].weight_regularizer_l2 = 0.1
        model.optimizer.learning_rate = 0.02
        model.layers[0].weights = 0.5 * model.layers[0].weights
    assert_same_history(train(accelerated, CLASSES), train(plain, CLASSES))


@pytest.mark.parametrize("rate", [0.01, 1, np.float32(0.01), lambda step: 0.1 / (step + 7)])
def test_the_learning_rates_are_those_of_plain_steps(rate: Any) -> None:
    plain, accelerated = both(lambda: classifier(optimizer=SGD(0.01, decay=1.7e-3)))
    rates = []
    for model in (plain, accelerated):
        model.optimizer.learning_rate = rate
        rates.append(train(model, CLASSES, epochs=3).learning_rate)
    assert rates[0] == rates[1]
    assert plain.optimizer.iterations == accelerated.optimizer.iterations == 30


def test_batches_of_another_size_follow_in_another_training() -> None:
    plain, accelerated = both(classifier)
    for batch_size in (43, 17, 430):
        options = {"batch_size": batch_size, "epochs": 2}
        found, expected = (train(model, CLASSES, **options) for model in (accelerated, plain))
        assert_same_history(found, expected)
        for one, other in zip(accelerated.layers, plain.layers, strict=True):
            assert_same_attributes(one, other, 1e-4)


def test_another_optimizer_can_be_set() -> None:
    plain, accelerated = both(classifier)
    for model in (plain, accelerated):
        train(model, CLASSES, epochs=1)
        model.set(optimizer=Adagrad(0.1))
        train(model, CLASSES, epochs=1)
        model.set(optimizer=SGD(0.1))
    assert_same_history(train(accelerated, CLASSES), train(plain, CLASSES))


def test_bytes_that_the_model_scales_are_trained_on_in_compiled_steps() -> None:
    def make() -> Model:
        framework.seed(5)
        layers = [Scale(1 / 127.5, -1), Dense(4, 8), ReLU(), Dense(8, 3), Softmax()]
        return network(*layers, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))

    images = np.random.default_rng(1).integers(0, 256, (430, 4), dtype="uint8")
    histories = []
    for model in both(make):
        framework.seed(7)
        histories.append(model.train(images, CLASSES, batch_size=43, epochs=5, progress=False))
    assert model.trainer is not None
    assert_same_history(histories[1], histories[0])


def test_images_are_trained_on_in_compiled_steps() -> None:
    def make() -> Model:
        framework.seed(5)
        layers = [BatchNormalization(2), ReLU(), framework.Flatten(), Dense(12, 3), Softmax()]
        return network(*layers, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))

    images = np.random.default_rng(1).normal(size=(60, 3, 2, 2)).astype("float32")
    histories = []
    for model in both(make):
        framework.seed(7)
        histories.append(model.train(images, CLASSES[:60], epochs=3, progress=False))
    assert model.trainer is not None
    assert_same_history(histories[1], histories[0])


@pytest.mark.parametrize("batch_size", [None, 100])
def test_a_prediction_keeps_no_more_in_memory_than_it_is(batch_size: int | None) -> None:
    _, model = both(lambda: regressor(ReLU()))
    found = model.predict(X, batch_size=batch_size)
    assert found.base is None
    for row in X[:3]:
        np.testing.assert_allclose(model.predict(row[np.newaxis]), model.forward(row[np.newaxis]))


def test_a_huge_batch_of_a_loader_is_divided_though_the_first_was_small() -> None:
    many = np.tile(X, (30, 1)), np.tile(CLASSES, 30)
    loader = [(X[:50], CLASSES[:50]), many]
    sizes = []

    class Widths(Callback):
        def on_batch_end(self, training: Training) -> None:
            sizes.append(len(training.model.layers[0].output))

    layers = [Dense(4, 8), ReLU(), Dense(8, 3), Softmax()]
    model = network(*layers, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))
    model.finalize(accelerated=True)
    model.train(loader, epochs=2, progress=False, callbacks=[Widths()])
    assert sizes[0] == sizes[2] == 50
    assert max(sizes) < 5000


def test_a_call_is_short_however_small_the_network_is() -> None:
    def steps(batch_size: int, *operations: Any) -> int:
        model = Model(operations)
        model.set(loss=SoftmaxCategoricalCrossentropy(), optimizer=Adam())
        model.finalize(accelerated=True)
        rows = np.zeros((10**6, 2), "float32")
        y = np.zeros(len(rows), int)
        return int(model.trainer.steps_at_once(ArrayBatches(rows, y, None, batch_size=batch_size)))

    assert 1000 < steps(1, Dense(2, 2)) < 10_000
    dropped = steps(100, Dropout(0.1), Dense(2, 100), Dropout(0.1), Dense(100, 2))
    assert 1 <= dropped * 100 * 102 * 4 < 10 * 2**20


def test_inputs_that_do_not_fit_are_refused_in_the_same_words() -> None:
    for model in both(classifier):
        with pytest.raises(ValueError, match=r"Dense\(4, 16.* expects inputs of shape"):
            model.layers[0].forward(X[:, :3])
        with pytest.raises(ValueError, match=r"Dense\(4, 16.* expects inputs of shape"):
            model.forward(X[:, :3])


@pytest.mark.parametrize("callbacks", [[], [Callback()]], ids=["", "callback"])
def test_after_an_interrupt_the_gradient_of_the_data_is_from_before_the_last_update(
    callbacks: list[Callback],
) -> None:
    def rate(step: int) -> float:
        if step == 5:  # in the second epoch of four steps
            signal.raise_signal(signal.SIGINT)
        return 0.5

    framework.seed(0)
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(128, 3)), generator.integers(0, 4, 128)
    model = Model([Dense(3, 20), ReLU(), Dense(20, 4), Softmax()], dtype="float64")
    model.set(loss=CategoricalCrossentropy(), optimizer=SGD(rate))
    model.finalize(accelerated=True)
    with pytest.warns(UserWarning, match="interrupted in epoch 2"):
        history = model.train(X, y, batch_size=32, epochs=6, callbacks=callbacks, progress=False)
    assert history.stopped == "interrupted"
    first, relu = model.layers[:2]
    before = first.weights + 0.5 * first.dweights
    np.testing.assert_allclose(first.dinputs, relu.dinputs @ before.T, rtol=0, atol=1e-14)
