"""The parts of a model's state that are not parameters: the optimizer's and the accuracy's.

A model file has the accuracy's state. A checkpoint, and a model of ``nnfs_book``, also has the
optimizer's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from framework.checks import check_count, check_number
from framework.containers.supervised import Supervised
from framework.operation import describe
from framework.saving.format_1 import OPTIMIZER_ARRAYS
from optimizers.optimizer import Optimizer, State

# No training counts further, and compiled code and floats hold every number up to here.
LARGEST_COUNT = 2**53


def optimizer_state(model: Supervised) -> dict[str, Any]:
    """Return the state of the model's ``Optimizer``: step count, learning rate and arrays.

    The arrays, such as momentums, stand under the name of their parameter.
    """
    optimizer = model.optimizer
    return {
        "iterations": optimizer.iterations,
        "current_learning_rate": optimizer.current_learning_rate,
        OPTIMIZER_ARRAYS: optimizer.state(model.parameters),
    }


def check_optimizer_state(model: Supervised, state: Any) -> None:
    """Check that ``state`` can be given to ``set_optimizer_state``.

    Raises errors of many types if not: use it inside ``saved_file_errors``.
    """
    if not isinstance(model.optimizer, Optimizer):
        raise ValueError("it has the state of an optimizer, but no optimizer")
    if check_count("iterations", state["iterations"], minimum=0) > LARGEST_COUNT:
        raise ValueError(f"iterations must be at most {LARGEST_COUNT:,}")
    check_number("current_learning_rate", state["current_learning_rate"])
    vector = model.parameters
    # The arrays belong to all parameters in one vector, or, after nnfs.init(), to each parameter.
    shapes = {"weights": vector.weights.shape}
    for position, (_, name, parameter) in enumerate(vector.split(vector.weights)):
        shapes[f"{name} {position}"] = parameter.shape
    for name, arrays in state[OPTIMIZER_ARRAYS].items():
        for array in arrays.values():
            fits = isinstance(array, np.ndarray)
            if fits and name in shapes and array.shape != (1,):  # one element may be a number
                dtype_fits = array.dtype == vector.dtype or name != "weights"
                fits = array.shape == shapes[name] and array.dtype.kind == "f" and dtype_fits
            if not fits:
                raise ValueError("the state of its optimizer does not fit its model")


def set_optimizer_state(model: Supervised, state: Mapping[str, Any]) -> None:
    """Give the model's optimizer a state that ``check_optimizer_state`` has passed."""
    optimizer = model.optimizer
    memory = optimizer.state(model.parameters)
    memory.clear()
    memory.update({name: State(arrays) for name, arrays in state[OPTIMIZER_ARRAYS].items()})
    optimizer.iterations = state["iterations"]
    optimizer.current_learning_rate = state["current_learning_rate"]


def accuracy_state(accuracy: Any) -> dict[str, float | None]:
    """Return the numbers that ``accuracy`` has found in the targets: see ``Accuracy.state``."""
    return {name: getattr(accuracy, name) for name in getattr(accuracy, "state", ())}


def set_accuracy_state(accuracy: Any, state: Any) -> None:
    """Give ``accuracy`` the numbers of ``accuracy_state``. Raises ValueError if they differ."""
    names = getattr(accuracy, "state", ())
    if not isinstance(state, dict) or state.keys() != set(names):
        raise ValueError(f"{describe(accuracy)} needs the numbers {list(names)}, not {state!r}")
    for name, number in state.items():
        setattr(accuracy, name, None if number is None else check_number(name, number))
