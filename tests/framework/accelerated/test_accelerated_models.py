"""An accelerated model does what a plain one does, and looks the same from outside."""

import copy
import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import framework
from framework import (
    GELU,
    BatchNormalization,
    BinaryAccuracy,
    BinaryCrossentropy,
    Callback,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Checkpoint,
    Dense,
    DivergenceError,
    Dropout,
    History,
    LeakyReLU,
    MeanSquaredError,
    Model,
    ReLU,
    Scale,
    Sigmoid,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
)
from framework.data.batches import ArrayBatches
from framework.training.state import Training
from optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

numba = pytest.importorskip("numba")

chance = np.random.default_rng(0)
X = chance.normal(size=(430, 4)).astype("float32")
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] * X[:, 2] > 0)
WEIGHTS = chance.uniform(0.1, 1, len(X))


class Doubled(ReLU):
    """A class of the user's own, derived from one that has a twin."""

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.output = 2 * np.maximum(inputs, 0)
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = 2 * dvalues * (self.output > 0)
        return self.dinputs


def network(*operations: Any, loss: Any, optimizer: Any, accuracy: Any = None) -> Model:
    model = Model(operations)
    model.set(loss=loss, optimizer=copy.deepcopy(optimizer), accuracy=accuracy)
    return model


def classifier(*after_tanh: Any, **options: Any) -> Model:
    framework.seed(5)
    operations = (
        Dense(4, 16, weight_regularizer_l2=1e-3, bias_regularizer_l1=1e-3),
        ReLU(),
        Dropout(0.1),
        Dense(16, 8),
        Tanh(),  # between the two: a bias that is normalized away has nothing but rounding
        *(after_tanh or (BatchNormalization(8),)),
        Dense(8, 3),
        Softmax(),
    )
    options = {
        "loss": CategoricalCrossentropy(),
        "optimizer": Adam(0.01, decay=1e-3),
        "accuracy": CategoricalAccuracy(),
        **options,
    }
    return network(*operations, **options)


def regressor(*between: Any) -> Model:
    framework.seed(5)
    layers = [Dense(4, 16), *between, Dense(16, 1)]
    return network(*layers, loss=MeanSquaredError(), optimizer=RMSprop(0.003))


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


def samplewise(**options: Any) -> Model:
    """A classifier whose samples have nothing to do with each other, so that threads share them."""
    return classifier(Scale(2), LeakyReLU(), Dropout(0.1), **options)


def of_logits() -> Model:
    framework.seed(5)
    layers = [Dense(4, 5), Sigmoid(), Dense(5, 3)]
    loss = SoftmaxCategoricalCrossentropy()
    return network(*layers, loss=loss, optimizer=SGD(0.1, momentum=0.9))


BITS = np.stack([X[:, 0] > 0, X[:, 1] > X[:, 2]], axis=1).astype("float32")
SUM = X.sum(axis=1)

MODELS = {
    "classes": (classifier, CLASSES),
    "one-hot": (classifier, np.eye(3, dtype="float32")[CLASSES]),
    "logits": (of_logits, CLASSES),
    "binary": (binary, BITS),
    "regression": (lambda: regressor(Tanh()), SUM),
    "no twin between": (lambda: regressor(GELU(), Dropout(0.1)), SUM),
    "a class derived from ours": (lambda: regressor(Doubled()), SUM),
    "no twin of the optimizer": (lambda: classifier(optimizer=Adagrad(0.01)), CLASSES),
    "for several threads": (samplewise, CLASSES),
    "clipped, for several threads": (
        lambda: samplewise(optimizer=RMSprop(0.01, max_gradient_norm=0.1)),
        np.eye(3, dtype="float32")[CLASSES],
    ),
    "gradients clipped": (lambda: classifier(optimizer=Adam(0.01, max_gradient_norm=0.1)), CLASSES),
}


def both(make: Any) -> tuple[Model, Model]:
    plain, accelerated = make(), make()
    plain.finalize()
    accelerated.finalize(accelerated=True)
    return plain, accelerated


def train(model: Model, y: Any, **options: Any) -> History:
    framework.seed(7)
    return model.train(X, y, **{"batch_size": 43, "progress": False, "epochs": 10, **options})


def assert_same_history(found: History, expected: History) -> None:
    for name in set(History.names()) - {"seconds"}:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), 1e-4, 1e-4)
    assert all(type(value) is float for name in History.names() for value in getattr(found, name))


@pytest.fixture(params=[1, 2, 3], ids="{} threads".format)
def threads(request: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many threads share the steps, where operations allow it, however little is to be done."""
    from framework.accelerated import trainer

    monkeypatch.setattr(trainer, "available", lambda: request.param)
    monkeypatch.setattr(trainer, "SAMPLES_OF_THREAD", 1)
    monkeypatch.setattr(trainer, "WORK_OF_THREAD", 1)
    return int(request.param)


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
@pytest.mark.parametrize("make", [classifier, samplewise])
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
    ids=["batches", "transformed", "weights of zero", "in slices"],
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
@pytest.mark.parametrize("make", [classifier, samplewise])
def test_after_a_training_every_object_has_what_plain_training_leaves(make: Any) -> None:
    plain, accelerated = both(make)
    layers = list(accelerated.layers)
    train(plain, CLASSES, epochs=1)
    train(accelerated, CLASSES, epochs=1)
    for mine, kept, expected in zip(accelerated.layers, layers, plain.layers, strict=True):
        assert mine is kept
        assert type(mine) is type(expected)
        assert vars(mine).keys() == vars(expected).keys()
        for name, value in vars(expected).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_allclose(vars(mine)[name], value, 1e-3, 1e-3, err_msg=name)
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


class Watcher(Callback):
    """Writes down what it is shown after each batch, and may stop or interfere."""

    def __init__(self, stop_at: int = 0) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.stop_at = stop_at

    def on_batch_end(self, training: Training) -> None:
        output = float(training.model.layers[1].output.sum())
        self.seen.append((training.batch, training.batch_loss, training.batch_accuracy, output))
        if len(self.seen) == self.stop_at:
            training.stop("enough")


def test_callbacks_see_every_batch_as_it_was() -> None:
    plain, accelerated = both(classifier)
    watchers = Watcher(), Watcher()
    for model, watcher in zip((plain, accelerated), watchers, strict=True):
        train(model, CLASSES, epochs=2, callbacks=[watcher])
    assert len(watchers[0].seen) == 20
    np.testing.assert_allclose(watchers[1].seen, watchers[0].seen, 1e-4, 1e-4)


def test_a_callback_that_was_given_a_function_is_called_after_every_batch() -> None:
    _, model = both(classifier)
    callback, batches = Callback(), []
    vars(callback)["on_batch_end"] = lambda training: batches.append(training.batch)
    train(model, CLASSES, epochs=1, callbacks=[callback])
    assert batches == list(range(1, 11))


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": SGD(0.1)},
        {"optimizer": Adagrad(0.1)},  # which has no twin
        {"loss": MeanSquaredError()},  # likewise
        {"accuracy": BinaryAccuracy()},
    ],
    ids=repr,
)
def test_what_a_callback_sets_counts_from_the_next_batch_on(change: dict[str, Any]) -> None:
    class Change(Callback):
        def on_batch_end(self, training: Training) -> None:
            if training.epoch == 1 and training.batch == 4:
                training.model.set(**copy.deepcopy(change))

    y = np.eye(3, dtype="float32")[CLASSES]
    plain, accelerated = both(classifier)
    expected = train(plain, y, epochs=2, callbacks=[Change()])
    assert_same_history(train(accelerated, y, epochs=2, callbacks=[Change()]), expected)


def test_a_callback_stops_after_its_batch() -> None:
    _, model = both(classifier)
    history = train(model, CLASSES, callbacks=[Watcher(stop_at=13)])
    assert history.stopped == "enough"
    assert len(history) == 1
    assert model.optimizer.iterations == 13


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("make", [classifier, samplewise])
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


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("make", [classifier, samplewise])
def test_the_history_does_not_depend_on_how_many_steps_a_call_takes(make: Any) -> None:
    def history(*callbacks: Callback) -> History:
        _, model = both(make)
        return train(model, CLASSES, sample_weight=WEIGHTS, epochs=3, callbacks=callbacks)

    together, one_by_one = history(), history(Watcher())
    for name in set(History.names()) - {"seconds"}:
        assert getattr(together, name) == getattr(one_by_one, name)


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
    messages = []
    for model in both(lambda: classifier(after_tanh, optimizer=SGD(1e30))):
        train_once = model.parameters.weights.copy()
        with pytest.raises(DivergenceError) as caught:
            train(model, CLASSES)
        messages.append(str(caught.value))
        assert model.optimizer.iterations == 0
        np.testing.assert_array_equal(model.parameters.weights, train_once)
    assert messages[0] == messages[1]


def test_a_setting_that_is_changed_takes_effect() -> None:
    plain, accelerated = both(classifier)
    for model in (plain, accelerated):
        train(model, CLASSES, epochs=1)
        model.layers[2].rate = 0.6
        model.layers[0].weight_regularizer_l2 = 0.1
        model.optimizer.learning_rate = 0.02
        model.layers[0].weights = 0.5 * model.layers[0].weights
    assert_same_history(train(accelerated, CLASSES), train(plain, CLASSES))


def test_another_optimizer_can_be_set() -> None:
    plain, accelerated = both(classifier)
    for model in (plain, accelerated):
        train(model, CLASSES, epochs=1)
        model.set(optimizer=Adagrad(0.1))
        train(model, CLASSES, epochs=1)
        model.set(optimizer=SGD(0.1))
    assert_same_history(train(accelerated, CLASSES), train(plain, CLASSES))


def test_finalize_without_the_argument_is_plain_again() -> None:
    _, model = both(classifier)
    assert model.accelerated
    model.finalize()
    assert not model.accelerated
    assert model.trainer is None


def test_an_object_with_a_method_of_its_own_runs_as_it_is() -> None:
    _, model = both(lambda: regressor(ReLU()))
    relu = model.layers[1]
    called = []

    def forward(inputs: Any, training: bool = True) -> Any:
        called.append(len(inputs))
        return ReLU.forward(relu, inputs, training)

    relu.forward = forward
    model.finalize(accelerated=True)
    model.predict(X)
    assert called == [len(X)]


def test_a_method_that_an_object_is_given_later_counts_after_the_next_finalize() -> None:
    _, model = both(classifier)
    train(model, CLASSES, epochs=1)
    called = []

    def noted(owner: Any, name: str) -> Any:
        original = getattr(owner, name)

        def method(*args: Any, **options: Any) -> Any:
            called.append(name)
            return original(*args, **options)

        setattr(owner, name, method)

    noted(model.layers[1], "forward")
    noted(model.layers[4], "backward")
    noted(model.optimizer, "update_params")
    noted(model, "calculate_accuracy")
    train(model, CLASSES, epochs=1)
    model.finalize(accelerated=True)
    called.clear()
    train(model, CLASSES, epochs=1)
    steps = ["forward", "calculate_accuracy", "backward", "update_params"]
    assert [name for name in steps if called.count(name) >= 10] == steps


def test_a_step_of_the_models_own_is_called_instead_of_its_twin() -> None:
    for name in ("calculate_accuracy", "calculate_loss"):
        model = classifier()
        setattr(model, name, lambda *args, **options: 0.25)
        model.finalize(accelerated=True)
        assert model.trainer is None


def test_a_model_class_with_steps_of_its_own_has_them_called() -> None:
    class Counting(Model):
        losses = 0

        def calculate_loss(self, *args: Any, **kwargs: Any) -> float:
            self.losses += 1
            return super().calculate_loss(*args, **kwargs)

    model = Counting([Dense(4, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
    model.finalize(accelerated=True)
    train(model, CLASSES, epochs=1)
    assert model.losses == 10


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


@pytest.mark.parametrize("batch_size", [None, 100])
def test_a_prediction_keeps_no_more_in_memory_than_it_is(batch_size: int | None) -> None:
    _, model = both(lambda: regressor(ReLU()))
    found = model.predict(X, batch_size=batch_size)
    assert found.base is None
    for row in X[:3]:
        np.testing.assert_allclose(model.predict(row[np.newaxis]), model.forward(row[np.newaxis]))


def test_a_huge_batch_of_a_loader_goes_through_in_slices_though_the_first_was_small() -> None:
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


def test_images_are_given_to_the_operations_themselves() -> None:
    def make() -> Model:
        framework.seed(5)
        layers = [BatchNormalization(2), ReLU(), framework.Flatten(), Dense(12, 3), Softmax()]
        return network(*layers, loss=CategoricalCrossentropy(), optimizer=Adam(0.01))

    images = np.random.default_rng(1).normal(size=(60, 3, 2, 2)).astype("float32")
    histories = []
    for model in both(make):
        framework.seed(7)
        histories.append(model.train(images, CLASSES[:60], epochs=3, progress=False))
    assert_same_history(histories[1], histories[0])


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_goes_on_from_where_the_original_was(twin: Any) -> None:
    _, model = both(classifier)
    train(model, CLASSES, epochs=1)
    other = twin(model)
    assert other.accelerated
    before = model.parameters.weights.copy()
    expected = train(other, CLASSES, epochs=2)
    np.testing.assert_array_equal(model.parameters.weights, before)
    assert_same_history(train(model, CLASSES, epochs=2), expected)


WITHOUT_NUMBA = "import sys; sys.modules['numba'] = None\n"


def in_another_process(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_without_numba_there_is_an_error_that_names_the_extra() -> None:
    printed = in_another_process(
        WITHOUT_NUMBA
        + """
from framework import Dense, Model
model = Model([Dense(2, 3)])
try:
    model.finalize(accelerated=True)
except ImportError as error:
    print(error, model.finalized)
model.finalize()
"""
    )
    assert "numba" in printed
    assert "pip install 'dinputs[fast]'" in printed
    assert printed.strip().endswith("False")


def test_a_pickle_of_an_accelerated_model_runs_without_numba(tmp_path: Any) -> None:
    _, model = both(classifier)
    train(model, CLASSES, epochs=1)
    file = tmp_path / "model.pickle"
    file.write_bytes(pickle.dumps(model))
    code = "import pickle; model = pickle.load(open(sys.argv[1], 'rb'))\n"
    code += "print(model.accelerated, repr(float(model.predict([[1, 2, 3, 4]])[0, 0])))"
    accelerated, output = in_another_process(WITHOUT_NUMBA + code, str(file)).split()
    assert accelerated == "False"
    np.testing.assert_allclose(float(output), model.predict([[1, 2, 3, 4]])[0, 0], 1e-5)


def test_the_process_that_compiles_computes_what_those_after_it_compute(tmp_path: Any) -> None:
    program = """
import numpy as np, framework
from framework import *
from optimizers import Adam
framework.seed(0)
X = np.random.default_rng(0).normal(size=(512, 50)).astype("float32")
model = Model([Dense(50, 64), ReLU(), Dense(64, 10), Softmax()])
model.set(loss=CategoricalCrossentropy(), optimizer=Adam())
model.finalize(accelerated=True)
model.train(X, np.arange(512) % 10, epochs=1, batch_size=128, progress=False)
print(model.parameters.weights.tobytes().hex())
"""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    printed = [
        subprocess.run(
            [sys.executable, "-c", program], env=environment, check=True, capture_output=True
        ).stdout
        for _ in range(2)
    ]
    assert printed[0] == printed[1]
    assert len(printed[0]) > 1000
    assert list(tmp_path.rglob("*.nbi"))
