"""Holds a loss against a reference: the losses of the samples, and the gradient of their mean."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from framework.exercises.calls import call
from framework.exercises.comparison import Suspect, compare
from framework.exercises.contract import (
    again_fault,
    as_numbers,
    copied,
    returned_fault,
    same,
    written,
)
from framework.exercises.loss_suspects import (
    LossTrial,
    loss_gradient_suspects,
    loss_suspects,
)
from framework.exercises.report import Check, Marks, Report
from framework.losses import CategoricalCrossentropy, FusedLoss, SoftmaxCategoricalCrossentropy
from framework.operation import describe
from framework.utils import rng
from optimizers.arrays import Array

# Sizes that differ from each other: see ``operations``.
SAMPLES, OTHER_SAMPLES, OUTPUTS = 5, 7, 3
CATEGORICAL = (CategoricalCrossentropy, SoftmaxCategoricalCrossentropy)


def check_loss(mine: Any, like: Any) -> Report:
    """Hold a loss of your own against a reference, and name the likely mistake.

    Compared are the loss of each sample, which ``forward`` returns, their mean where there is a
    method ``calculate``, and ``dinputs``, which ``backward`` stores and may return: for a first
    batch, for the same one again, for another one, for one-hot rows where classes may be given so,
    and for predictions that are certain. A fused loss is given logits, its ``forward`` returns the
    mean, and its ``backward`` is given the ``output`` that it has stored.

    Args:
        mine: the loss to check, any object with ``forward`` and ``backward``. It is copied.
        like: the loss that it should equal, such as ``MeanSquaredError()``.

    Raises:
        TypeError: ``mine`` is a class or has no ``forward``, or ``like`` is no loss.

    >>> from framework import MeanSquaredError
    >>> class Mine:
    ...     def forward(self, y_pred, y_true):
    ...         return np.mean((y_pred - y_true) ** 2, axis=-1)
    ...     def backward(self, y_pred, y_true):
    ...         self.dinputs = 2 * (y_pred - y_true) / y_pred.shape[1]
    >>> check_loss(Mine(), like=MeanSquaredError()).hints[0]
    'all are 5 × as large: not divided by the number of samples, 5?'
    """
    for loss, name in ((like, "like"), (mine, "mine")):
        if isinstance(loss, type) or not hasattr(loss, "forward"):
            raise TypeError(
                f"{name} must be a loss, such as MeanSquaredError(), with forward and backward "
                f"methods, received {loss!r}"
            )
    if not hasattr(like, "example"):
        raise TypeError(f"like must be one of this library's losses, received {like!r}")
    subject = f"{describe(mine)}, like {describe(like)}"
    with rng.preserve_rng():
        return _LossCheck(subject, copied(mine), copy.deepcopy(like)).report()


class _LossCheck:
    def __init__(self, subject: str, mine: Any, reference: Any) -> None:
        self.mine, self.fused = mine, isinstance(reference, FusedLoss)
        generator = np.random.default_rng(3)
        self.first = LossTrial(reference, *reference.example(generator, (SAMPLES, OUTPUTS)))
        self.other = LossTrial(reference, *reference.example(generator, (OTHER_SAMPLES, OUTPUTS)))
        plan = {"losses": 3, "output": 1} if self.fused else {"losses": 3}
        plan |= {"mean": 1} if hasattr(mine, "calculate") and not self.fused else {}
        plan |= {"dinputs": 3, "given arrays": 1, "same batch again": 1, "another batch": 2}
        plan |= {"one-hot rows": 1} if isinstance(reference, CATEGORICAL) else {}
        plan |= {"extremes": 1}
        self.marks = Marks(subject, plan, ("losses", "dinputs"))

    def report(self) -> Report:
        marks, trial = self.marks, self.first
        with marks.stage("losses"):
            self._forward()
            if "mean" in marks.plan:
                with marks.stage("mean"):
                    found = call(self.mine.calculate, trial.y_pred.copy(), trial.y_true.copy())
                    self._compare("mean", found, np.array(trial.losses().mean()), trial, tuple)
            with marks.stage("dinputs"):
                self._backward()
                with marks.stage("same batch again"):
                    marks.judge("same batch again", self._again())
                with marks.stage("another batch"):
                    self._same_for("another batch", self.other)
                if "one-hot rows" in marks.plan:
                    rows = LossTrial(trial.reference, trial.y_pred, trial.rows)
                    with marks.stage("one-hot rows"):
                        self._same_for("one-hot rows", rows)
                with marks.stage("extremes"):
                    self._extremes()
        return marks.report()

    def _forward(self) -> None:
        trial = self.first
        y_pred, y_true = trial.y_pred.copy(), trial.y_true.copy()
        returned = call(self.mine.forward, y_pred, y_true)
        self._compare(
            "losses",
            returned,
            trial.losses(),
            trial,
            lambda: loss_suspects(trial),
            "forward has to return the losses",
        )
        if self.fused:
            missing = "forward has to store self.output, the values of the activation"
            output = getattr(self.mine, "output", None)
            self._compare("output", output, trial.output(), trial, tuple, missing)
        self._unchanged("forward", y_pred, trial.y_pred, y_true)

    def _backward(self) -> None:
        trial = self.first
        y_pred, y_true = self._outputs(trial), trial.y_true.copy()
        given = y_pred.copy()
        returned = call(self.mine.backward, given, y_true)
        stored = getattr(self.mine, "dinputs", None)
        if stored is None and returned is not None:
            hint = "backward has to store what it returns: self.dinputs = …"
            self._fail("dinputs", "self.dinputs is not stored", hint)
        self._compare(
            "dinputs",
            stored,
            trial.gradient(),
            trial,
            lambda: loss_gradient_suspects(trial),
            "backward has to store self.dinputs",
        )
        if fault := returned_fault(returned, stored, "backward", "dinputs"):
            self._fail("dinputs", *fault)
        self._unchanged("backward", given, y_pred, y_true)
        self.marks.judge("given arrays", ())
        self.gradient = copied(stored)

    def _again(self) -> Iterable[tuple[str, str]]:
        trial = self.first
        call(self.mine.forward, trial.y_pred.copy(), trial.y_true.copy())
        call(self.mine.backward, self._outputs(trial), trial.y_true.copy())
        again = getattr(self.mine, "dinputs", None)
        if self.gradient is not None and not same(again, self.gradient):
            yield again_fault("dinputs", again, self.gradient)

    def _same_for(self, name: str, trial: LossTrial) -> None:
        """Note the check ``name``: losses and gradient of another batch are right."""
        returned = call(self.mine.forward, trial.y_pred.copy(), trial.y_true.copy())
        call(self.mine.backward, self._outputs(trial), trial.y_true.copy())
        for what, received, expected, suspects in (
            ("losses", returned, trial.losses(), loss_suspects),
            ("dinputs", getattr(self.mine, "dinputs", None), trial.gradient(), None),
        ):
            known = self.marks.failed(what)

            def found(suspects: Any = suspects, trial: LossTrial = trial) -> Iterable[Suspect]:
                return (suspects or loss_gradient_suspects)(trial)

            check = self._compared(what, received, expected, trial, tuple if known else found)
            if not check.passed:
                hint = "" if known else check.hint or "is something of an earlier batch kept?"
                self._fail(name, f"{what}: {check.message}", hint)
        self.marks.judge(name, ())

    def _extremes(self) -> None:
        """Give predictions that are certain and wrong, or far from the targets."""
        trial = self.first
        y_true = trial.y_true.copy()
        if self.fused:
            y_pred = np.where(trial.rows > 0.5, -1000.0, 1000.0)
        elif trial.y_pred.min() >= 0 and trial.y_pred.max() <= 1:
            y_pred = 1 - trial.rows
        else:
            y_pred = trial.y_pred + 1e4
        returned = call(self.mine.forward, y_pred.copy(), y_true)
        call(self.mine.backward, self._outputs(LossTrial(trial.reference, y_pred, y_true)), y_true)
        for what, array in (
            ("losses", returned),
            ("dinputs", getattr(self.mine, "dinputs", None)),
        ):
            if array is None or not np.isfinite(as_numbers(what, array)).all():
                hint = "keep probabilities a little away from 0 and 1, with np.clip"
                if self.fused:
                    hint = "subtract the largest logit first, and take no log of a probability"
                message = f"{what} are not finite where predictions are certain, and wrong"
                self._fail("extremes", message, hint)
        self.marks.judge("extremes", ())

    def _outputs(self, trial: LossTrial) -> Array:
        """Return what ``backward`` is given."""
        return trial.output().copy()

    def _unchanged(self, method: str, y_pred: Array, expected: Array, y_true: Array) -> None:
        if not np.array_equal(y_pred, expected):
            self._fail("given arrays", *written(method, "y_pred"))
        if not np.array_equal(y_true, self.first.y_true):
            self._fail("given arrays", *written(method, "y_true"))

    def _compared(
        self,
        name: str,
        received: Any,
        expected: Array,
        trial: LossTrial,
        suspects: Callable[[], Iterable[Suspect]],
        missing: str = "",
    ) -> Check:
        samples, outputs = trial.y_pred.shape
        return compare(
            name,
            received,
            expected,
            points=self.marks.plan[name],
            sizes={"samples": samples, "outputs": outputs, "numbers": samples * outputs},
            suspects=suspects,
            beside={"the errors y_pred − y_true": trial.output() - trial.rows},
            missing=missing,
        )

    def _compare(self, *arguments: Any) -> None:
        self.marks.add(self._compared(*arguments))

    def _fail(self, name: str, message: str, hint: str = "") -> None:
        self.marks.add(Check(name, False, self.marks.plan[name], message, hint))
