"""Files name the classes of this library as users import them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import framework
import framework.nnfs_book
import optimizers
from framework.saving.registry import find_class, public_name
from tests.every import ACCURACIES, LOSSES, OPERATION_CLASSES, OPTIMIZERS

CLASSES = [*OPERATION_CLASSES, *(type(part) for part in [*LOSSES, *ACCURACIES, *OPTIMIZERS])]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_exported_part_of_a_model_has_the_name_by_which_it_is_imported(cls: type) -> None:
    package = optimizers if issubclass(cls, optimizers.Optimizer) else framework
    name = f"{package.__name__}.{cls.__name__}"
    assert getattr(package, cls.__name__) is cls
    assert public_name(cls) == name
    assert find_class(name, is_argument=False) is cls
    assert find_class(name, is_argument=True) is None


@pytest.mark.parametrize(
    "name", ["framework.initializers.normal", "optimizers.schedules.StepDecay"]
)
def test_initializers_and_schedules_can_only_be_arguments(name: str) -> None:
    cls = find_class(name, is_argument=True)
    assert cls is not None
    assert public_name(cls) == name
    assert find_class(name, is_argument=False) is None


def test_a_model_of_the_books_classes_is_loaded_by_a_process_that_only_imports_model(
    tmp_path: Path,
) -> None:
    model = framework.nnfs_book.Model()
    model.add(framework.nnfs_book.Layer_Dense(2, 3))
    model.add(framework.nnfs_book.Activation_Softmax())
    model.set(
        loss=framework.nnfs_book.Loss_CategoricalCrossentropy(),
        optimizer=framework.nnfs_book.Optimizer_Adam(),
        accuracy=framework.nnfs_book.Accuracy_Categorical(),
    )
    model.finalize()
    model.save(tmp_path / "it")
    script = (
        "import numpy as np; from framework import Model; "
        "np.save('y.npy', Model.load('it').predict([[1.0, 2.0]]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path, env=environment)
    expected = model.predict([[1.0, 2.0]])
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), expected, strict=True)
