"""Where batches come from: arrays in memory or in a file, and objects that give batches."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from datasets import sine_data, spiral_data
from framework import (
    BatchError,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    MeanSquaredError,
    Model,
    RegressionAccuracy,
    ReLU,
    Softmax,
)
from framework.data.batches import ArrayBatches
from optimizers import Adam

X, y = spiral_data(20, 3, seed=0)


def classifier(features: int = 2) -> Model:
    framework.seed(0)
    model = Model([Dense(features, 8), ReLU(), Dense(8, 3), Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(0.02), accuracy=CategoricalAccuracy())
    model.finalize()
    return model


class Loader:
    """Gives the same batches each time it is gone through, and does not know how many."""

    def __init__(self, *batches: Any) -> None:
        self.given = batches

    def __iter__(self) -> Iterator[Any]:
        yield from self.given


def pieces(*arrays: Any, size: int = 25) -> list[tuple[Any, ...]]:
    return [
        tuple(array[start : start + size] for array in arrays)
        for start in range(0, len(arrays[0]), size)
    ]


# Batches from elsewhere


@pytest.mark.parametrize("kind", [list, lambda given: Loader(*given)], ids=["list", "loader"])
# Each batch has the same mean weight, which of given batches is known from the first.
@pytest.mark.parametrize(
    "weights", [None, np.tile([1.0, 3.0, 2.0, 0.5, 3.5], 12)], ids=["plain", "weighted"]
)
@pytest.mark.filterwarnings("ignore:the labels come sorted by class")
def test_given_batches_train_like_arrays(kind: Any, weights: Any) -> None:
    arrays = (X, y) if weights is None else (X, y, weights)
    from_arrays, from_batches = classifier(), classifier()
    expected = from_arrays.train(
        *(X, y),
        sample_weight=weights,
        epochs=3,
        batch_size=25,
        shuffle=False,
        validation_data=arrays,
        progress=False,
    )
    given = kind(pieces(*arrays))
    validation = Loader(*pieces(*arrays, size=13))
    history = from_batches.train(given, epochs=3, validation_data=validation, progress=False)
    np.testing.assert_allclose(
        from_batches.parameters.weights, from_arrays.parameters.weights, atol=1e-6
    )
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert getattr(history, name) == pytest.approx(getattr(expected, name), rel=1e-5)
    assert from_batches.evaluate(given) == pytest.approx(
        from_arrays.evaluate(X, y, sample_weight=weights)
    )


@pytest.mark.parametrize("scale", [1e307, 1e150, 1e-300])
def test_only_the_ratios_of_weights_matter_however_large_they_are(scale: float) -> None:
    weights = np.random.default_rng(0).uniform(0.5, 1, 60)
    histories, evaluations = [], []
    for factor in (1.0, scale):
        model, given = classifier(), pieces(X, y, factor * weights)
        options = {"validation_data": Loader(*given), "epochs": 2, "progress": False}
        histories.append(model.train(given, **options))
        evaluations.append(model.evaluate(given))
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        values, expected = (getattr(history, name) for history in reversed(histories))
        assert values == pytest.approx(expected, rel=1e-6)
    assert evaluations[1] == pytest.approx(evaluations[0], rel=1e-6)


def test_weights_that_leave_nothing_of_the_first_batch_are_refused() -> None:
    given = pieces(X, y, np.repeat([1.0, 1e307], 30), size=30)
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(BatchError, match=r"batch 2 of X: .* up to 1e\+307, are too large"):
        model.train(given, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, before)


def test_an_accuracy_learns_from_the_first_batch_that_is_given() -> None:
    data, targets = sine_data(40)
    model = Model([Dense(1, 4), ReLU(), Dense(4, 1)])
    model.set(loss=MeanSquaredError(), optimizer=Adam(), accuracy=RegressionAccuracy())
    model.finalize()
    model.train(pieces(data, targets), progress=False)
    assert model.accuracy.current_precision == pytest.approx(np.std(targets[:25]) / 250)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (X, TypeError, "X without targets must be an iterable of batches.*ndarray"),
        (3, TypeError, "X without targets must be an iterable of batches.*int"),
        (iter(pieces(X, y)), TypeError, "X is an iterator, which lasts for one epoch only"),
        ([], BatchError, "X gave no batch"),
        ([X], BatchError, r"batch 1 of X: expected a pair \(X, y\).*ndarray"),
        ([(X, y[:-1])], BatchError, "batch 1 of X: X and y must have the same length"),
        ([(X[:, :1], y)], BatchError, r"batch 1 of X: Dense\(2, 8\) expects"),
    ],
)
def test_objects_that_yield_no_batches_are_refused(
    given: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        classifier().train(given, progress=False)


@pytest.mark.parametrize("option", [{"sample_weight": np.ones(60)}, {"validation_split": 0.5}])
def test_options_of_arrays_are_refused_with_batches(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="need X and y as arrays"):
        classifier().train(pieces(X, y), progress=False, **option)


def test_a_later_batch_that_does_not_fit_leaves_the_last_epochs_parameters() -> None:
    class Worsens(Loader):
        epochs = 0

        def __iter__(self) -> Iterator[Any]:
            self.epochs += 1
            yield X, y
            # The first look at it is not an epoch.
            yield X, y if self.epochs < 4 else np.full(60, 7)

    model, reference = classifier(), classifier()
    reference.train([(X, y), (X, y)], epochs=2, progress=False)
    with pytest.raises(BatchError, match="batch 2 of X: .*7"):
        model.train(Worsens(), epochs=3, progress=False)
    np.testing.assert_array_equal(model.parameters.weights, reference.parameters.weights)
    assert model.optimizer.iterations == 4


# A transform


def test_a_transform_is_applied_to_the_batches_and_to_the_validation_data() -> None:
    levels = np.round((X + 1) * 100).astype(np.uint8)
    scaled = levels / 100 - 1
    settings: dict[str, Any] = {"epochs": 3, "batch_size": 25, "progress": False}
    model, reference = classifier(), classifier()
    framework.seed(1)
    history = model.train(
        levels,
        y,
        transform=lambda batch: batch / 100 - 1,
        validation_split=0.25,
        **settings,
    )
    framework.seed(1)
    expected = reference.train(scaled, y, validation_split=0.25, **settings)
    np.testing.assert_allclose(model.parameters.weights, reference.parameters.weights, atol=1e-6)
    assert history.val_loss == pytest.approx(expected.val_loss, rel=1e-5)


def test_a_transform_may_replace_nan() -> None:
    damaged = X.copy()
    damaged[3] = np.nan
    with pytest.raises(ValueError, match="row 3 has NaN"):
        classifier().train(damaged, y, progress=False)
    history = classifier().train(damaged, y, transform=np.nan_to_num, progress=False)
    assert np.isfinite(history.loss).all()


@pytest.mark.parametrize("change", [lambda X: X[:-1], lambda X: np.concatenate([X, X])])
@pytest.mark.parametrize("given", [(X, y), (pieces(X, y),)], ids=["arrays", "batches"])
def test_a_transform_that_changes_the_number_of_samples_is_refused(change: Any, given: Any) -> None:
    def transform(batch: Any) -> Any:
        return batch if len(batch) == 1 else change(batch)

    with pytest.raises(BatchError, match=r"transform\(X\) must keep the samples"):
        classifier().train(*given, transform=transform, progress=False)


@pytest.mark.parametrize("options", [{"batch_size": None}, {"batch_size": 7}])
def test_a_transform_may_compute_in_place(options: dict[str, Any]) -> None:
    def transform(batch: Any) -> Any:
        batch -= 1
        return batch

    data = X.astype(np.float32)
    classifier().train(data, y, transform=transform, epochs=2, progress=False, **options)
    np.testing.assert_array_equal(data, X.astype(np.float32))


# Data in a file


@pytest.mark.parametrize("mode", ["r", "r+", "w+"])
def test_a_file_is_never_taken_for_memory_whatever_the_array_looks_like(
    tmp_path: Path, mode: Any
) -> None:
    path = tmp_path / "X.npy"
    np.save(path, np.ones((10, 2), "float32"))
    shape = {"shape": (10, 2), "dtype": "float32"} if mode == "w+" else {}
    file = np.lib.format.open_memmap(path, mode=mode, **shape)
    y = np.zeros(10, int)
    for array in (file, np.asarray(file), np.asarray(file)[2:]):
        assert not ArrayBatches(array, y[-len(array) :], None).in_memory
    assert ArrayBatches(np.array(file), y, None).in_memory


@pytest.mark.parametrize("weights", [None, np.arange(60.0) % 4], ids=["plain", "weighted"])
def test_an_array_in_a_file_trains_like_one_in_memory(tmp_path: Path, weights: Any) -> None:
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    models = []
    for data in (X, mapped):
        model = classifier()
        model.train(
            data, y, sample_weight=weights, validation_split=0.2, batch_size=7, progress=False
        )
        models.append(model)
    np.testing.assert_array_equal(models[1].parameters.weights, models[0].parameters.weights)
    np.testing.assert_array_equal(models[1].predict(mapped), models[0].predict(X))


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_changes_of_a_mapped_array_survive_the_training(tmp_path: Path, mode: Any) -> None:
    np.save(tmp_path / "X.npy", np.zeros_like(X))
    mapped = np.load(tmp_path / "X.npy", mmap_mode=mode)
    mapped[...] = X
    classifier().train(mapped, y, progress=False)
    np.testing.assert_array_equal(mapped, X)


# The resident set is what this process takes of the machine's memory, mapped files included.
IN_LITTLE_MEMORY = """
import sys, threading, time
import numpy as np
import framework
from framework import *
from optimizers import Adam

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

def watch():
    while True:
        seen.append(resident())
        time.sleep(0.002)

X = np.load(sys.argv[1], mmap_mode="r")
y = np.arange(len(X)) % 3
model = Model([Scale(1 / 255), Dense(X.shape[1], 16), ReLU(), Dense(16, 3), Softmax()])
model.set(loss=CategoricalCrossentropy(), optimizer=Adam(), accuracy=CategoricalAccuracy())
model.finalize()
seen = [resident()]
threading.Thread(target=watch, daemon=True).start()
before = seen[0]
if sys.argv[2] == "None":
    model.train(X, y, batch_size=None, progress=False)
else:
    model.train(X, y, batch_size=int(sys.argv[2]), validation_split=0.1, progress=False)
model.evaluate(X, y)
model.predict(X)
print(round(max(seen) - before))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc for its memory")
@pytest.mark.parametrize("batch_size", [256, None])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, batch_size: Any, dtype: Any) -> None:
    rows = 300_000_000 // 1024 // np.dtype(dtype).itemsize
    file = np.lib.format.open_memmap(tmp_path / "X.npy", mode="w+", dtype=dtype, shape=(rows, 1024))
    file[::100] = 1  # the other pages stay holes, which read as 0
    del file
    program = [sys.executable, "-c", IN_LITTLE_MEMORY, str(tmp_path / "X.npy"), str(batch_size)]
    result = subprocess.run(program, check=True, capture_output=True, text=True)
    assert int(result.stdout) < 150


# Rows


def test_samples_of_weight_0_are_left_out() -> None:
    weights = np.where(np.arange(60) < 10, 0, 1.0)
    parts = [
        part
        for batch in ArrayBatches(X, y, weights, batch_size=20).epoch()
        for part in batch.micro_batches()
    ]
    assert [len(part.X) for part in parts] == [20, 20, 10]
    np.testing.assert_array_equal(np.concatenate([part.X for part in parts]), X[10:])


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_put_together_hold_the_rows_that_each_would(shuffle: bool) -> None:
    samples = ArrayBatches(np.zeros((10, 1)), np.zeros(10), None, None, 3, shuffle)
    framework.seed(1)
    apart = [batch.rows.tolist() for batch in samples.epoch()]
    framework.seed(1)
    together = [batch.rows.tolist() for batch in samples.epoch(together=2, skip=1)]
    assert together == [apart[1] + apart[2], apart[3]]
