"""Running programs of the book in processes of their own, and small models of its classes."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from nnfs.datasets import sine_data, spiral_data

from framework import nnfs_book as book

PROGRAMS = Path(__file__).parent / "programs"
TOP = Path(__file__).parents[3]


def run(*command: str) -> str:
    """Return what Python prints when it is given ``command``; its warnings are errors."""
    result = subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.returncode, result.stderr
    return result.stdout


def run_program(name: str, *arguments: object) -> str:
    return run(str(PROGRAMS / f"{name}.py"), *map(str, arguments))


def figures(line: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"(\w+): ([-\d.e]+)", line)}


def line_of(output: str, epoch: int | str) -> str:
    """The line of an epoch, or the last one that begins with a word."""
    start = f"epoch: {epoch}," if isinstance(epoch, int) else epoch
    return next(line for line in reversed(output.splitlines()) if line.startswith(start))


def spiral(points: int = 40, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    X, y = spiral_data(points, classes)
    order = np.random.permutation(len(X))
    return X[order], y[order]


def classifier(neurons: int = 16) -> book.Model:
    model = book.Model()
    model.add(book.Layer_Dense(2, neurons, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4))
    model.add(book.Activation_ReLU())
    model.add(book.Layer_Dropout(0.1))
    model.add(book.Layer_Dense(neurons, 3))
    model.add(book.Activation_Softmax())
    model.set(
        loss=book.Loss_CategoricalCrossentropy(),
        optimizer=book.Optimizer_Adam(learning_rate=0.05, decay=5e-5),
        accuracy=book.Accuracy_Categorical(),
    )
    model.finalize()
    return model


def binary() -> book.Model:
    model = book.Model()
    model.add(book.Layer_Dense(2, 8))
    model.add(book.Activation_ReLU())
    model.add(book.Layer_Dense(8, 1))
    model.add(book.Activation_Sigmoid())
    model.set(
        loss=book.Loss_BinaryCrossentropy(),
        optimizer=book.Optimizer_Adam(decay=5e-7),
        accuracy=book.Accuracy_Categorical(binary=True),
    )
    model.finalize()
    return model


def regression() -> book.Model:
    model = book.Model()
    model.add(book.Layer_Dense(1, 8))
    model.add(book.Activation_ReLU())
    model.add(book.Layer_Dense(8, 1))
    model.add(book.Activation_Linear())
    model.set(
        loss=book.Loss_MeanSquaredError(),
        optimizer=book.Optimizer_Adam(learning_rate=0.005, decay=1e-3),
        accuracy=book.Accuracy_Regression(),
    )
    model.finalize()
    return model


def data_for(model: book.Model) -> tuple[Any, Any]:
    if isinstance(model.loss, book.Loss_MeanSquaredError):
        return sine_data(50)
    if isinstance(model.loss, book.Loss_BinaryCrossentropy):
        X, y = spiral(classes=2)
        return X, y.reshape(-1, 1)
    return spiral()
