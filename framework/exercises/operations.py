"""Holds an operation against a reference: values, gradients, and what a batch leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_floats
from framework.exercises.calls import call, forward
from framework.exercises.contract import (
    again_fault,
    as_numbers,
    copied,
    require_backward,
    returned_fault,
    same,
    written,
)
from framework.exercises.operation_modes import (
    in_float32,
    large_inputs,
    running_statistics,
    without_training,
)
from framework.exercises.operation_subject import Subject, example, fits, suspects_of
from framework.exercises.operation_suspects import (
    gradient_suspects,
    output_suspects,
    stale_suspects,
)
from framework.exercises.random_operations import is_random, random_report
from framework.exercises.report import Report
from framework.exercises.trial import in_float64
from framework.losses import FusedLoss, Loss
from framework.operation import describe
from framework.utils import rng
from optimizers.arrays import Array


def check_operation(mine: Any, like: Any, inputs: ArrayLike | None = None) -> Report:
    """Hold an operation of your own against a reference, and name the likely mistake.

    Both are given the same parameters and the same batches. Compared are ``output``, ``dinputs``
    and the gradient of each parameter, in a first batch, in the same one again, in another one of
    the same size and in one of another size, in both modes, and in float32. Results are arrays of
    float64, or of float32 where inputs or parameters are. Arrays that were given have to stay as
    they were. ``forward`` and ``backward`` may return what they store, or nothing;
    ``forward`` may take ``training``, or not.

    An operation that draws random numbers, such as ``Dropout``, is compared in what it does to the
    inputs: which factors, how many of each, and the same ones in ``backward``.

    Args:
        mine: the operation to check, any object with ``forward`` and ``backward``. It is copied.
        like: the operation that it should equal, such as ``ReLU()``.
        inputs: a batch, ``(samples, ...)``. Without it one is drawn that suits ``like``.

    Raises:
        TypeError: ``mine`` is a class or has no such methods, or ``like`` is no operation.
        ValueError: ``inputs`` are no batch of finite numbers, or ``like`` cannot take them.

    >>> from framework import ReLU
    >>> class Mine:
    ...     def forward(self, inputs):
    ...         self.output = np.maximum(0, inputs)
    ...     def backward(self, dvalues):
    ...         self.dinputs = dvalues
    >>> check_operation(Mine(), like=ReLU()).hints[0]
    'dvalues themselves: they are not multiplied by a derivative'
    """
    for operation, name in ((like, "like"), (mine, "mine")):
        if isinstance(operation, type) or not hasattr(operation, "forward"):
            raise TypeError(
                f"{name} must be an operation, such as ReLU(), with forward and backward methods, "
                f"received {operation!r}"
            )
    require_backward(mine)
    if isinstance(like, (Loss, FusedLoss)):
        raise TypeError(f"like must be an operation, received the loss {like!r}: use check_loss")
    reference = in_float64(like)
    batch = example(reference) if inputs is None else _batch(inputs)
    subject = f"{describe(mine)}, like {describe(like)}"
    with rng.preserve_rng():
        rng.seed(0)
        np.random.seed(0)
        if is_random(reference, batch):
            given = None if inputs is None else batch
            return random_report(subject, copied(mine), reference, given)
        return _OperationCheck(subject, copied(mine), reference, batch).report()


def _batch(inputs: ArrayLike) -> Array:
    """Return ``inputs`` in float64. Raises ValueError if they are no batch of finite numbers."""
    found = as_floats(inputs).astype(np.float64)
    if found.ndim < 2 or not found.size:
        raise ValueError(f"inputs must be a batch, (samples, ...), received shape {found.shape}")
    if not np.isfinite(found).all():
        raise ValueError("inputs must be finite, received NaN or infinity")
    return found


class _OperationCheck(Subject):
    """The check of an operation that draws no random numbers."""

    def report(self) -> Report:
        if self._give_parameters():
            with self.marks.stage("output"):
                self._first_forward()
                with self.marks.stage("dinputs"):
                    self._first_backward()
                    self._afterwards()
        return self.marks.report()

    def _give_parameters(self) -> bool:
        """Copy the reference's parameters to ``mine``; return whether that is possible."""
        faults = []
        for name in self.parameters:
            value = np.asarray(getattr(self.twin, name))
            own = getattr(self.mine, name, None)
            if own is None or own is ...:
                hint = f"__init__ has to make self.{name}, of shape {value.shape}"
                faults.append((f"self.{name} is not there", hint))
            elif not fits(np.shape(own), value.shape):
                message = f"{name} must have shape {value.shape}, received {np.shape(own)}"
                turned = np.shape(own)[::-1] == value.shape
                faults.append((message, "rows and columns are exchanged" if turned else ""))
            elif isinstance(own, np.ndarray) and own.flags.writeable and own.dtype.kind == "f":
                own[...] = value.reshape(own.shape)
            else:
                setattr(self.mine, name, value.reshape(np.shape(own)).copy())
        if self.parameters:
            self.marks.judge("parameters", faults)
        return not faults

    # The first batch

    def _first_forward(self) -> None:
        inputs = self.batches[0].inputs
        given = inputs.copy()
        returned = forward(self.mine, given, True)
        self.learn(inputs)
        trial = self.trial(0)
        stored = getattr(self.mine, "output", None)
        if stored is None and returned is not None:
            hint = "forward has to store what it returns: self.output = …"
            self.fail("output", "self.output is not stored", hint)
        self.compare("output", stored, trial, lambda: output_suspects(trial))
        if fault := returned_fault(returned, stored, "forward", "output"):
            self.fail("output", *fault)
        if not np.array_equal(given, inputs):
            self.fail("given arrays", *written("forward", "inputs"))
        self.judge_dtype(["output"])
        self.kept, self.copy_of_kept = stored, copied(stored)

    def _first_backward(self) -> None:
        batch, trial = self.batches[0], self.trial(0)
        given = batch.dvalues.copy()
        returned = call(self.mine.backward, given)
        stored = getattr(self.mine, "dinputs", None)
        if stored is None and returned is not None:
            hint = "backward has to store what it returns: self.dinputs = …"
            self.fail("dinputs", "self.dinputs is not stored", hint)
        found = {name: getattr(self.mine, name, None) for name in self.gradients}
        for name, gradient in found.items():
            self.compare(name, gradient, trial, suspects_of(gradient_suspects, trial, name))
        if fault := returned_fault(returned, stored, "backward", "dinputs"):
            self.fail("dinputs", *fault)
        if not np.array_equal(given, batch.dvalues):
            self.fail("given arrays", *written("backward", "dvalues"))
        for name in self.parameters:
            own = as_numbers(name, getattr(self.mine, name))
            if not same(own, np.reshape(getattr(self.start, name), own.shape)):
                hint = "backward computes gradients alone: the optimizer is what changes parameters"
                self.fail("given arrays", f"backward changes {name}", hint)
        self.judge_dtype(found)
        self.first = copied(found)

    # What comes after it

    def _afterwards(self) -> None:
        with self.marks.stage("same batch again"):
            self.marks.judge("same batch again", self._again())
        if self.marks.failed("output", *self.gradients):
            self.fail("another batch", "not judged, as the first batch is wrong")
        else:
            with self.marks.stage("another batch"):
                self._other_batches()
        if isinstance(self.kept, np.ndarray) and not same(self.kept, self.copy_of_kept):
            self.fail(
                "given arrays",
                "forward writes into the output that it gave for an earlier batch",
                "make a new array each time, without out= and without writing to self.output",
            )
        self.marks.judge("given arrays", ())
        running_statistics(self)
        with self.marks.stage("training=False"):
            without_training(self)
        if "large inputs" in self.marks.plan:
            with self.marks.stage("large inputs"):
                large_inputs(self)
        with self.marks.stage("dtype"):
            in_float32(self)

    def _again(self) -> Iterator[tuple[str, str]]:
        """Yield the gradients that are others when the same batch comes again."""
        self.run(0)
        for name, first in self.first.items():
            again = getattr(self.mine, name, None)
            if first is None or again is None or same(again, first):
                continue
            yield again_fault(name, again, first)

    def _other_batches(self) -> None:
        for number in (1, 2):
            trial = self.trial(number)
            self.run(number)
            for name in ("output", *self.gradients):
                earlier = self.batches[0].inputs
                stale = suspects_of(stale_suspects, trial, name, earlier)
                found = self.compared(name, getattr(self.mine, name, None), trial, stale)
                if not found.passed:
                    message = f"{name} of {len(trial.inputs)} other samples: {found.message}"
                    hint = found.hint or "is something of the first batch kept, such as its size?"
                    self.fail("another batch", message, hint)
        self.marks.judge("another batch", ())
