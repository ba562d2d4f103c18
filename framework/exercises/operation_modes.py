"""Checks of an operation in its other mode, with large inputs, and in float32."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from framework.exercises.calls import call, forward
from framework.exercises.comparison import SAMPLES, Suspect, compare
from framework.exercises.contract import as_numbers
from framework.exercises.operation_subject import Subject, fits, suspects_of
from framework.exercises.operation_suspects import changes, gradient_suspects, output_suspects
from framework.exercises.report import Check
from framework.exercises.trial import Trial
from optimizers.arrays import Array

LARGE = np.array([1000.0, -1000.0, 0.0, 500.0])


def running_statistics(check: Subject) -> None:
    """Compare the running statistics after the training batches so far."""
    for name in check.state:
        expected = np.array(getattr(check.twin, name), dtype=np.float64)
        received = getattr(check.mine, name)
        if isinstance(received, np.ndarray) and fits(received.shape, expected.shape):
            received = received.reshape(expected.shape)

        def suspects(name: str = name) -> Iterator[Suspect]:
            yield "never updated in forward", np.asarray(getattr(check.start, name))
            yield "only the last batch: how is the old value mixed in?", _last(check, name)
            for text, change in changes(check.start):
                yield text, np.asarray(getattr(check.replayed(change), name))

        points = check.marks.plan[name]
        sizes = {"samples": SAMPLES}
        check.marks.add(
            compare(name, received, expected, points=points, sizes=sizes, suspects=suspects)
        )


def _last(check: Subject, name: str) -> Array:
    found = copy.deepcopy(check.start)
    found.momentum = 0.0
    found.forward(check.seen[-1].copy(), True)
    return np.asarray(getattr(found, name))


def without_training(check: Subject) -> None:
    """Compare output and gradient with ``training=False``."""
    batch = check.batches[0]
    trial = Trial(check.twin, batch.inputs, batch.dvalues, False)
    forward(check.mine, batch.inputs.copy(), False)
    output = getattr(check.mine, "output", None)
    call(check.mine.backward, batch.dvalues.copy())

    def suspects() -> Iterator[Suspect]:
        yield from output_suspects(trial)
        for text, change in changes(check.start):
            found = Trial(check.replayed(change), batch.inputs, batch.dvalues, False)
            if (array := found.forward(batch.inputs)) is not None:
                yield text, array

    found = check.compared("output", output, trial, suspects)
    check.marks.judge("training=False", _faults(found, check.marks.failed("output")))
    dinputs = getattr(check.mine, "dinputs", None)
    gradient = suspects_of(gradient_suspects, trial, "dinputs")
    found = check.compared("dinputs", dinputs, trial, gradient)
    if not found.passed and not found.hint:
        hint = "backward has to go by the mode of the last forward too"
        found = replace(found, hint=hint)
    check.marks.judge("training=False", _faults(found, check.marks.failed("dinputs")))


def large_inputs(check: Subject) -> None:
    """Compare the output for inputs whose exponential is infinite."""
    inputs = np.tile(LARGE, (2, 1))
    inputs[1] = inputs[1, ::-1]
    trial = Trial(check.twin, inputs, np.ones_like(inputs), True)
    expected = trial.forward(inputs)
    if expected is None:
        check.marks.judge("large inputs", ())
        return
    forward(check.mine, inputs.copy(), True)
    output = as_numbers("output", getattr(check.mine, "output", None))
    if not np.isfinite(output).all() and not check.marks.failed("output"):
        message = f"{inputs[0]} gives {output[0]}, expected {expected[0]}"
        hint = "exp of a large number is infinite: give exp no large positive numbers"
        check.fail("large inputs", message, hint)
    found = check.compared("output", output, trial, tuple)
    check.marks.judge("large inputs", _faults(found, check.marks.failed("output")))


def in_float32(check: Subject) -> None:
    """Compare output and gradients of a batch in float32."""
    batch = check.batches[0]
    forward(check.mine, batch.inputs.astype(np.float32), True)
    call(check.mine.backward, batch.dvalues.astype(np.float32))
    trial = check.trial(0)
    for name in ("output", *check.gradients):
        found = check.compared(name, getattr(check.mine, name, None), trial, tuple)
        check.marks.judge("dtype", _faults(found, check.marks.failed(name)))


def _faults(found: Check, known: bool) -> list[tuple[str, str]]:
    """Return the fault of ``found``, without a hint where it is ``known`` from elsewhere."""
    if found.passed:
        return []
    return [(f"{found.name}: {found.message}", "" if known else found.hint)]
