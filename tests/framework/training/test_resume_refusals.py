"""Checkpoints that are refused: of another training, damaged, or made to do harm."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import (
    Checkpoint,
    EarlyStopping,
    Model,
    SavedFileError,
    metrics,
)
from framework.saving import file_format
from framework.utils import rng
from optimizers import SGD, Adam
from tests.framework.saving.helpers import STRANGE, places
from tests.framework.training.checkpoints import (
    WEIGHTS,
    StopAt,
    X,
    X_val,
    ask,
    classifier,
    run,
    y,
    y_val,
)


def with_metrics(**functions: Any) -> Model:
    model = classifier()
    model.set(metrics=functions)
    return model


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 20}, "another batch_size: 16 there, 20 here"),
        ({"shuffle": False}, "another shuffle: True there, False here"),
        ({"sample_weight": None}, "another sample_weight$"),
        ({"sample_weight": WEIGHTS[::-1]}, "another sample_weight$"),
        ({"validation_data": None}, "another X of the validation data"),
        ({"validation_data": (X_val, 2 - y_val)}, "another y of the validation data"),
        ({"validation_data": None, "validation_split": 0.5}, "another number of samples: 50 th"),
        ({"model": classifier(width=7)}, r"operation 1 of its model is Dense\(n_inputs=2, n_neuro"),
        ({"model": classifier(Adam(0.3))}, r"another optimizer: Adam\(learning_rate=CosineDecay\("),
        ({"model": classifier(SGD(0.3))}, r"another optimizer: .* there, SGD\(.* here"),
        ({"model": with_metrics()}, "its model has other metrics: f1 there, none here"),
        ({"model": with_metrics(f2=metrics.f1)}, "other metrics: f1 there, f2 here"),
        ({"X": X + 1}, "its training was with another X$"),
        ({"y": y[::-1]}, "its training was with another y$"),
    ],
)
def test_another_training_is_refused_and_nothing_changes(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    run(classifier(), epochs=2, callbacks=[Checkpoint(path)])
    options = {"batch_size": 16, "validation_data": (X_val, y_val), "sample_weight": WEIGHTS}
    options |= {"model": classifier(), "X": X, "y": y, **change}
    model, data, targets = (options.pop(name) for name in ("model", "X", "y"))
    before = [array.copy() for array in model.stored_arrays()]
    state = rng.rng_state()["ours"]
    with pytest.raises(SavedFileError, match=message) as raised:
        model.train(data, targets, epochs=4, resume_from=path, progress=False, **options)
    assert str(raised.value).startswith(f"{path}: ")
    assert rng.rng_state()["ours"] == state
    for one, array in zip(before, model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array)


def test_a_model_of_other_operations_is_refused(tmp_path: Path) -> None:
    run(classifier(), epochs=1, callbacks=[Checkpoint(tmp_path / "run")])
    model = classifier()
    model.layers.pop(3)
    model.finalize()
    with pytest.raises(SavedFileError, match="its model has 7 operations, and this one 6"):
        run(model, resume_from=tmp_path / "run")


def test_a_missing_file_begins_a_training_only_if_one_of_its_checkpoints_writes_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileNotFoundError):
        run(classifier(), resume_from=tmp_path / "run")
    with pytest.raises(FileNotFoundError):
        other = Checkpoint(tmp_path / "other")
        run(classifier(), resume_from=tmp_path / "run", callbacks=[other])
    (tmp_path / "link").symlink_to(tmp_path)
    callbacks = [Checkpoint(tmp_path / "run")]
    model = classifier()
    history = run(model, epochs=2, resume_from=tmp_path / "link" / "run", callbacks=callbacks)
    assert len(history) == 2


def test_a_saved_model_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    classifier().save(tmp_path / "model")
    with pytest.raises(SavedFileError, match="no training to go on with"):
        run(classifier(), resume_from=tmp_path / "model")


def item(*path: str, value: Any) -> Callable[[Any, Any], None]:
    def change(description: Any, arrays: Any) -> None:
        container = description["training"]["dict"]
        for name in path[:-1]:
            container = container[name]["dict"]
        container[path[-1]] = value

    return change


def array(name: str, values: Any) -> Callable[[Any, Any], None]:
    return lambda description, arrays: arrays.update({f"training.{name}": np.asarray(values)})


@pytest.mark.parametrize(
    "change",
    [
        lambda d, a: d.update(training=None),
        lambda d, a: d.update(training={"class": "os.system", "arguments": {}}),
        item("epoch", value=0),
        item("epoch", value=10**12),
        item("batch", value=5),
        item("batch", value=0),
        item("interrupted", value={"dict": {}}),
        item("interrupted", value=None),
        item("interrupted", "sums", value={"dict": {}}),
        item("interrupted", "sums", "amount", value=float("nan")),
        item("interrupted", "sums", "amount", value=0),
        item("interrupted", "sums", "data_loss", value=10**400),
        item("interrupted", "chance", value=5),
        item("settings", value={"dict": {}}),
        item("history", value={"dict": {}}),
        item("history", "stopped", value="text"),
        item("iterations", value=-1),
        item("iterations", value=10**400),
        item("iterations", value=2**63),
        item("current_learning_rate", value="0.1"),
        item("chance", "ours", "state", "state", value=2**200),
        item("chance", "ours", "bit_generator", value="MT19937"),
        item("chance", "numpys", "state", "pos", value=10**6),
        item("chance", "numpys", "state", "pos", value=-1),
        item("memory", "weights", value=5),
        item("callbacks", value={"dict": {"EarlyStopping 0": {"dict": {}}}}),
        item("callbacks", "EarlyStopping 0", "best", value="text"),
        item("callbacks", "EarlyStopping 0", "best_epoch", value=-1),
        item("callbacks", "EarlyStopping 0", "parameters", value=[]),
        item("callbacks", "Checkpoint 0", "best_figure", value=[1]),
        array("history.loss", np.ones(7)),
        array("history.loss", np.ones(0)),
        array("history.seconds", np.ones(0)),
        array("history.learning_rate", np.ones((2, 1))),
        array("history.loss", np.ones(2, dtype=np.float32)),
        array("memory.weights.cache", np.ones(3, dtype=np.float32)),
        item("memory", "weights", "cache", value=5),
        array("chance.numpys.state.key", np.ones(3, dtype=np.uint32)),
    ],
)
def test_a_hostile_checkpoint_is_refused(
    change: Callable[[Any, Any], None], tmp_path: Path
) -> None:
    path = tmp_path / "run"
    callbacks = [StopAt(3, 2, ask), EarlyStopping(patience=5), Checkpoint(path)]
    run(classifier(), callbacks=callbacks)
    description, arrays = file_format.read(path)
    change(description, arrays)
    path.write_bytes(file_format.encode(description, arrays))
    with pytest.raises(SavedFileError, match=str(path)):
        run(classifier(), resume_from=path, callbacks=callbacks[1:])


def test_an_error_about_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run(classifier(), epochs=1, callbacks=[Checkpoint(path)])
    description, arrays = file_format.read(path)
    del description["training"]["dict"]["epoch"]
    path.write_bytes(file_format.encode(description, arrays))
    message = r"run: its content is not valid \(KeyError: 'epoch'\)$"
    with pytest.raises(SavedFileError, match=message):
        run(classifier(), resume_from=path)


def test_scrambled_checkpoints_give_one_kind_of_error_or_another_training(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run(classifier(), callbacks=[StopAt(2, 2, ask), EarlyStopping(), Checkpoint(path)])
    description, arrays = file_format.read(path)
    generator = np.random.default_rng(0)
    outcomes = set()
    for _ in range(150):
        scrambled = copy.deepcopy(description)
        found = places(scrambled["training"])
        container, key = found[generator.integers(len(found))]
        container[key] = copy.deepcopy(STRANGE[generator.integers(len(STRANGE))])
        path.write_bytes(file_format.encode(scrambled, arrays))
        try:
            run(classifier(), epochs=3, resume_from=path, callbacks=[EarlyStopping()])
            outcomes.add("another training")
        except SavedFileError:
            outcomes.add("refused")
    assert outcomes == {"refused", "another training"}


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run(classifier(), epochs=1, callbacks=[Checkpoint(path, keep=0)])
    content = path.read_bytes()
    for length in range(0, len(content), 512):
        path.write_bytes(content[:length])
        with pytest.raises(SavedFileError):
            run(classifier(), resume_from=path)
    for position in range(0, len(content), 397):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 4]) + content[position + 1 :]
        )
        with pytest.raises(SavedFileError):
            run(classifier(), resume_from=path)
