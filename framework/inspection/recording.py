"""Records what each operation of a network is given and gives while the network runs."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from framework.containers.container import Container
from framework.containers.flattening import flattened
from framework.containers.supervised import Supervised
from optimizers.arrays import Array


@dataclass
class Recording:
    """The arrays of one operation in one pass, None where it did not come by.

    Attributes:
        position: in the model, from 1; "3.1" is the first operation inside the third.
    """

    position: str
    operation: Any
    inputs: Array | None = None
    output: Array | None = None
    dvalues: Array | None = None
    dinputs: Array | None = None


def recordings_of(model: Supervised) -> list[Recording]:
    """Return an empty recording for each operation that runs before the loss, in order.

    Operations inside a container with a way of its own follow it; a plain ``Sequential`` is
    replaced by its operations.
    """
    return [
        Recording(position, operation)
        for position, operation in _with_children("", model.before_loss)
    ]


@contextmanager
def recorded(recordings: list[Recording]) -> Iterator[None]:
    """Fill the recordings while their operations run.

    An operation whose methods cannot be replaced is known by its neighbours afterwards.
    """
    for recording in recordings:
        if hasattr(recording.operation, "__dict__"):
            _attach(recording)
    try:
        yield
    finally:
        for recording in recordings:
            _complete(recording)
        _fill_from_neighbours([one for one in recordings if "." not in one.position])


def _with_children(prefix: str, operations: Any) -> Iterator[tuple[str, Any]]:
    for number, operation in enumerate(flattened(operations), 1):
        position = f"{prefix}{number}"
        yield position, operation
        if isinstance(operation, Container):
            yield from _with_children(f"{position}.", operation.children().values())


def _attach(recording: Recording) -> None:
    operation = recording.operation
    for method, given in (("forward", "inputs"), ("backward", "dvalues")):
        name = f"{method}_inside" if hasattr(operation, f"{method}_inside") else method
        vars(operation)[name] = _noting(getattr(operation, name), recording, given)


def _noting(original: Callable[..., Any], recording: Recording, given: str) -> Callable[..., Any]:
    result = "output" if given == "inputs" else "dinputs"

    @functools.wraps(original)
    def noting(*arguments: Any, **options: Any) -> Any:
        returned = original(*arguments, **options)
        setattr(recording, given, np.asarray([*arguments, *options.values()][0]))
        if returned is not None:
            setattr(recording, result, np.asarray(returned))
        return returned

    return noting


def _complete(recording: Recording) -> None:
    """Detach the operation, and read what it stored but did not return."""
    operation = recording.operation
    for name in ("forward", "backward", "forward_inside", "backward_inside"):
        getattr(operation, "__dict__", {}).pop(name, None)
    for name in ("output", "dinputs"):
        if getattr(recording, name) is None:
            setattr(recording, name, getattr(operation, name, None))


def _fill_from_neighbours(recordings: list[Recording]) -> None:
    for before, after in itertools.pairwise(recordings):
        after.inputs = before.output if after.inputs is None else after.inputs
        before.dvalues = after.dinputs if before.dvalues is None else before.dvalues
