"""Is a backward pass right? Compare its gradients with the effect of a tiny step.

The derivative of a scalar ``L`` by one number ``x`` is nearly

    (L(x + step) - L(x - step)) / (2 step)

with an error that shrinks with ``step²``. Doing this for every input and every parameter is far
too slow for training, but it needs nothing except ``forward``, so it is an independent witness
against ``backward``.

Where a function has a kink between ``x - step`` and ``x + step``, such as that of ReLU at 0, the
difference is no derivative, and there is nothing to compare with. The operations say so
themselves: their ``kink_sides`` differ between ``x - step``, ``x`` and ``x + step``.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_floats, check_count, check_finite, check_positive
from framework.containers.supervised import Supervised
from framework.inspection.gradient_contract import NOT_REPEATABLE, ContractCheck
from framework.inspection.gradient_differences import Differences
from framework.inspection.gradient_hints import hint
from framework.inspection.gradient_report import SHOWN, ArrayReport, Element, GradientReport
from framework.inspection.gradient_subjects import (
    LossSubject,
    ModelSubject,
    OperationSubject,
    Subject,
    model_targets,
)
from framework.losses.loss import Loss
from framework.operation import Operation, describe
from framework.utils import rng
from optimizers.arrays import Array

# The smallest step, as a share of the number that is varied, whose rounding does not matter.
SMALLEST_STEP = 1e-8


def check_gradients(
    subject: Any,
    inputs: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    step: float = 1e-5,
    tolerance: float = 1e-6,
    training: bool = True,
    entries: int | None = 4000,
) -> GradientReport:
    """Compare the gradients of ``backward`` with central differences of ``forward``.

    Everything is done in float64 on deep copies: your object keeps its dtype, its values and the
    arrays that it stores. Random operations draw the same numbers in every pass, if they draw from
    ``np.random`` or from the library's own generator.

    An operation is checked as ``L = Σ dvalues * forward(inputs)`` with random ``dvalues``, a loss
    and a model by their mean loss; penalties on parameters are added. The error of an element is

        |backward - numerical| / max(|backward|, |numerical|, the error that rounding can cause)

    where the last keeps noise around 0 from counting. Where the function bends so much that
    differences by a smaller step are others, those are taken. Rounding can also be enlarged inside
    ``forward``, as by ``log(1 - p)`` of a probability near 1: an element that does not agree is
    tried again with the error that is measured there, and counted as "checked less exactly".

    An element is at a kink, and not checked, if ``kink_sides`` of an operation or of the loss, or
    the sign of a parameter with an L1 penalty, differs between ``x - step``, ``x`` and ``x +
    step``. They are counted in the report. An operation of your own that has no ``kink_sides`` (see
    ``Operation.kink_sides``) is watched instead: an element that does not agree counts as at a kink
    if the slope of one of the outputs of such an operation jumps there. That is a guess.

    Further faults that a training would suffer from are found by running a second batch, made of
    the same samples but of another size, and then the first one again:

    - ``forward`` or ``backward`` writes into an array that it was given, or into one that it
      returned earlier, or changes parameters;
    - two forward passes of the same inputs differ, so that there is nothing to measure;
    - gradients are added to those of the last batch, or depend on an earlier batch otherwise;
    - gradients of the second batch are wrong;
    - an array ``alpha`` that the output depends on has a gradient ``dalpha``, but is not among the
      operation's ``parameters``, so that nothing trains it.

    Where an operation cannot take a batch of another size, even if that is its first one, this is
    no fault. The report then says that one size alone was checked.

    Args:
        subject: an operation, a loss, a fused loss, or a finalized model with a loss; or any
            object with the same methods.
        inputs: the argument of ``forward``: data, predictions or logits, ``(samples, ...)``.
        targets: for a loss or a model; operations take none.
        step: the difference, greater than 0, in the units of the number that is varied. It is
            increased for numbers so large that rounding would swallow it.
        tolerance: the largest error that passes.
        training: which mode operations are checked in.
        entries: how many elements of each gradient to check. Of a larger one, so many are drawn at
            random, the same in each call, but first those that are not finite; the report says
            how many were left out. None checks all.

    Raises:
        TypeError, ValueError: arguments that do not fit; ValueError also for an operation that
            does not store its ``output``. Errors of ``forward`` and ``backward`` are passed on.

    >>> from framework import Tanh
    >>> check_gradients(Tanh(), [[0.5, -1.0]]).passed
    True
    """
    step = check_positive("step", step)
    tolerance = check_positive("tolerance", tolerance)
    entries = None if entries is None else check_count("entries", entries)
    inputs = np.array(as_floats(inputs), dtype=np.float64)
    if not inputs.ndim:
        raise ValueError("inputs must be (samples, ...), received a single number")
    if not inputs.size:
        raise ValueError(f"inputs are empty: their shape is {inputs.shape}")
    check_finite(inputs, "inputs")
    is_operation = not isinstance(subject, Supervised) and _is_operation(subject)
    if is_operation != (targets is None):
        rule = "takes no targets" if is_operation else "needs targets"
        raise ValueError(f"check_gradients of a {type(subject).__name__} {rule}")
    if isinstance(subject, Supervised):
        with rng.preserve_rng():
            targets = model_targets(subject, inputs, targets)

    def new_probe() -> Subject:
        if isinstance(subject, Supervised):
            return ModelSubject(subject, targets, training)
        if is_operation:
            return OperationSubject(subject, training)
        return LossSubject(subject, targets)

    with _repeatable_rng() as restart:
        differences = Differences(new_probe(), inputs, tolerance, restart)
        arrays = tuple(_compare(differences, step, entries))
        agree = all(array.max_relative_error <= tolerance for array in arrays)
        contract = ContractCheck(new_probe, inputs, step, tolerance, restart)
        contract.run(compare_second_batch=agree)
    faults = contract.faults
    if contract.repeatable and not differences.repeatable:
        faults.append(f"{describe(subject)}: {NOT_REPEATABLE}")
    if not differences.repeatable:  # its wrong elements are random
        arrays = tuple(dataclasses.replace(array, hint="") for array in arrays)
    notes = list(contract.notes)
    if differences.narrow is not None:
        part, dtype = differences.narrow
        notes.insert(
            0,
            f"forward computes in {dtype} where float64 goes in, in {describe(part)}: too coarse "
            "to be checked",
        )
    return GradientReport(describe(subject), arrays, tolerance, tuple(faults), tuple(notes))


def assert_gradients(
    subject: Any,
    inputs: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    step: float = 1e-5,
    tolerance: float = 1e-6,
    training: bool = True,
    entries: int | None = 4000,
) -> None:
    """Raise AssertionError, with the report, unless ``check_gradients`` passes.

    The arguments and the other errors are those of ``check_gradients``.

    >>> from framework import Tanh
    >>> assert_gradients(Tanh(), [[0.5, -1.0]])
    """
    report = check_gradients(
        subject,
        inputs,
        targets,
        step=step,
        tolerance=tolerance,
        training=training,
        entries=entries,
    )
    if not report.passed:
        raise AssertionError(str(report))


def _compare(differences: Differences, step: float, entries: int | None) -> Iterator[ArrayReport]:
    probe, inputs, tolerance = differences.probe, differences.inputs, differences.tolerance
    probe.backward(inputs)
    found = [
        (name, inputs if array is None else array, copy.deepcopy(gradient))
        for name, array, gradient in probe.gradients()
    ]
    dvalues = getattr(probe, "dvalues", None)
    for name, array, gradient in found:
        if gradient is None or np.shape(gradient) != array.shape:
            note = "is missing: backward has to store it"
            if gradient is not None:
                note = f"has shape {np.shape(gradient)}"
                if np.shape(gradient)[::-1] == array.shape:
                    note += f", the transpose of {array.shape}"
            yield ArrayReport(name, array.shape, note=note)
            continue
        analytic = np.asarray(gradient, dtype=np.float64)
        numerical = np.full(array.shape, math.nan)
        elements, rounded, at_kink = [], 0, 0
        chosen = _chosen(analytic, entries)
        for index in chosen:
            expected = float(analytic[index])
            reach = max(step, SMALLEST_STEP * abs(float(array[index])))
            result = differences.compare(array, index, reach, expected)
            if result is not None:
                rounded += result.rounded
                numerical[index] = result.numerical
                elements.append(Element(index, result.error, expected, result.numerical))
            elif math.isfinite(expected):
                at_kink += 1
            else:
                elements.append(Element(index, math.inf, expected, math.nan))
        # Among errors that print alike, the largest difference comes first.
        elements.sort(key=lambda e: (-float(f"{e.error:.2g}"), -abs(e.analytic - e.numerical)))
        wrong = [element for element in elements if not element.error <= tolerance]
        mask = np.zeros(array.shape, dtype=bool)
        for element in wrong:
            mask[element.index] = True
        yield ArrayReport(
            name,
            array.shape,
            tuple(wrong[:SHOWN] or elements[:1]),
            len(wrong),
            at_kink,
            rounded,
            array.size - len(chosen),
            hint=hint(
                analytic, numerical, mask, _sizes(inputs), dvalues if array is inputs else None
            ),
        )


def _chosen(gradient: Array, entries: int | None) -> list[tuple[int, ...]]:
    """Return the indices of the elements of ``gradient`` to check, in order."""
    if entries is None or gradient.size <= entries:
        return list(np.ndindex(gradient.shape))
    drawn = np.random.default_rng(0).permutation(gradient.size)
    finite = np.isfinite(gradient.ravel()[drawn])
    places = np.sort(drawn[np.argsort(finite, kind="stable")][:entries])
    return list(
        zip(*(axis.tolist() for axis in np.unravel_index(places, gradient.shape)), strict=True)
    )


def _sizes(inputs: Array) -> dict[str, int]:
    """Return the numbers that a gradient may have been divided by."""
    return {"the {} samples": len(inputs), "all {} numbers": inputs.size}


def _is_operation(subject: Any) -> bool:
    """Whether the backward of ``subject`` takes ``dvalues`` alone; that of a loss takes two."""
    for method in ("forward", "backward"):
        if isinstance(subject, type) or not callable(getattr(subject, method, None)):
            raise TypeError(
                "check_gradients needs an operation, a loss or a model, with forward and "
                f"backward methods, received {subject!r}"
            )
    if isinstance(subject, (Operation, Loss)):
        return isinstance(subject, Operation)
    arguments = inspect.signature(subject.backward).parameters.values()
    return sum(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in arguments) < 2


@contextmanager
def _repeatable_rng() -> Iterator[Callable[[], None]]:
    """Yield a function that restarts all random numbers; put them back as they were at the end."""
    generator = rng.generator().bit_generator
    start = np.random.default_rng(0).bit_generator.state

    def restart() -> None:
        generator.state = start
        np.random.seed(0)

    with rng.preserve_rng():
        yield restart
