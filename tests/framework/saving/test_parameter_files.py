"""Files of parameters alone, and files that cannot be written."""

import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework import (
    BatchNormalization,
    Dense,
    Model,
    SavedFileError,
)
from tests.framework.saving.helpers import (
    classifier,
    finalized,
)


def test_parameters_go_from_one_model_to_an_equal_one(tmp_path: Path) -> None:
    model, other = classifier(), classifier()
    model.train(np.eye(2), [0, 1], progress=False)
    model.save_parameters(tmp_path / "parameters")
    other.load_parameters(tmp_path / "parameters")
    for one, array in zip(model.stored_arrays(), other.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array, strict=True)
    model.save(tmp_path / "model")
    third = classifier()
    third.load_parameters(tmp_path / "model")
    np.testing.assert_array_equal(third.predict(np.eye(2)), model.predict(np.eye(2)))
    with pytest.raises(SavedFileError, match="parameters only: make the model, then load_param"):
        Model.load(tmp_path / "parameters")


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ([Dense(2, 4), Dense(4, 3)], "it has layers.1.running_mean.*which the model has not"),
        ([Dense(2, 4), BatchNormalization(4), BatchNormalization(4)], "it has no layers.2.biases"),
        ([Dense(3, 4), BatchNormalization(4)], r"shape \(2, 4\) in it, and float32 of shape \(3"),
        (
            [Dense(2, 4, dtype="float64"), BatchNormalization(4, dtype="float64")],
            "is float32 of shape .* in it, and float64",
        ),
    ],
)
def test_parameters_of_another_model_are_refused_and_nothing_changes(
    operations: list[Any], message: str, tmp_path: Path
) -> None:
    finalized(Dense(2, 4), BatchNormalization(4)).save_parameters(tmp_path / "it")
    model = finalized(*operations)
    before = [array.copy() for array in model.stored_arrays()]
    with pytest.raises(SavedFileError, match=message) as raised:
        model.load_parameters(tmp_path / "it")
    assert str(raised.value).startswith(f"{tmp_path}/it: ")
    for one, array in zip(before, model.stored_arrays(), strict=True):
        np.testing.assert_array_equal(one, array)


def test_a_model_that_is_not_finalized_has_nothing_to_save_or_load(tmp_path: Path) -> None:
    classifier().save(tmp_path / "it")
    for action in (Model.save, Model.save_parameters, Model.load_parameters):
        with pytest.raises(RuntimeError, match="call finalize"):
            action(Model([Dense(2, 3)]), tmp_path / "it")


# Writing


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "model"
    classifier().save(path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        for save in (Model.save, Model.save_parameters):
            with pytest.raises(OSError, match="File too large"):
                save(finalized(Dense(100, 100)), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model"]
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        classifier().save(tmp_path / "nowhere" / "model")
