"""Holds a loss against a reference: the losses of the samples, and the gradient of their mean."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from framework.exercises.calls import call
from framework.exercises.comparison import OTHER_SAMPLES, SAMPLES, Suspect, compare
from framework.exercises.contract import (
    again_fault,
    as_numbers,
    copied,
    float32_fault,
    require_backward,
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

OUTPUTS = 3
# Probabilities may be kept away from 0 and 1 by this much.
LARGEST_CLIP = 1e-4
# A difference of two of these logits is a probability of about as much.
LARGEST_LOGIT = -np.log(LARGEST_CLIP) / 2
CATEGORICAL = (CategoricalCrossentropy, SoftmaxCategoricalCrossentropy)


def check_loss(mine: Any, like: Any) -> Report:
    """Hold a loss of your own against a reference, and name the likely mistake.

    Compared are the loss of each sample, which ``forward`` returns, their mean where there is a
    method ``calculate`` (a part of the losses), and ``dinputs``, which ``backward`` stores and may
    return: for a first batch, for the same one again, for another one, for one-hot rows where
    classes may be given so, for predictions that are certain, and for float32. Probabilities may
    be clipped by 1e-4 or less. A fused loss is given logits, its ``forward`` returns the mean, and
    its ``backward`` is given the ``output`` that it has stored.

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
    require_backward(mine)
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
        plan |= {"dinputs": 3, "given arrays": 1, "same batch again": 1, "another batch": 2}
        plan |= {"one-hot rows": 1} if isinstance(reference, CATEGORICAL) else {}
        plan |= {"extremes": 1, "dtype": 1}
        self.marks = Marks(subject, plan, ("losses", "dinputs"))

    def report(self) -> Report:
        marks, trial = self.marks, self.first
        with marks.stage("losses"):
            self._forward()
            if hasattr(self.mine, "calculate") and not self.fused:
                with marks.stage("losses"):
                    self._calculate()
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
                with marks.stage("dtype"):
                    self._in_float32()
                marks.judge("given arrays", ())
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
        self._judge_dtype("losses", returned)
        self._unchanged("forward", y_pred, trial.y_pred, y_true, trial.y_true)

    def _calculate(self) -> None:
        """Compare the mean, which counts as a part of the losses."""
        trial = self.first
        found = call(self.mine.calculate, trial.y_pred.copy(), trial.y_true.copy())
        mean = self._compared("losses", found, np.array(trial.losses().mean()), trial, tuple)
        if not mean.passed:
            self._fail("losses", f"calculate: {mean.message}", mean.hint)

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
        self._judge_dtype("dinputs", stored)
        self._unchanged("backward", given, y_pred, y_true, trial.y_true)
        self.gradient = copied(stored)

    def _again(self) -> Iterable[tuple[str, str]]:
        trial = self.first
        _, again = self._run(trial)
        if self.gradient is not None and not same(again, self.gradient):
            yield again_fault("dinputs", again, self.gradient)

    def _same_for(self, name: str, trial: LossTrial) -> None:
        """Note the check ``name``: losses and gradient of another batch are right."""
        returned, stored = self._run(trial)
        for what, received, expected, suspects in (
            ("losses", returned, trial.losses(), loss_suspects),
            ("dinputs", stored, trial.gradient(), None),
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
        first = self.first
        probabilities = first.y_pred.min() >= 0 and first.y_pred.max() <= 1 and not self.fused
        if self.fused:
            y_pred = np.where(first.rows > 0.5, -1000.0, 1000.0)
        else:
            y_pred = 1 - first.rows if probabilities else first.y_pred + 1e4
        trial = LossTrial(first.reference, y_pred, first.y_true)
        for what, array in zip(("losses", "dinputs"), self._run(trial), strict=True):
            if array is None or not np.isfinite(as_numbers(what, array)).all():
                hint = "keep probabilities a little away from 0 and 1, with np.clip"
                if self.fused:
                    hint = "subtract the largest logit first, and take no log of a probability"
                message = f"{what} are not finite where predictions are certain, and wrong"
                self._fail("extremes", message, hint)
            elif not self.marks.failed(what):
                self._in_range(what, as_numbers(what, array), trial, probabilities)
        self.marks.judge("extremes", ())

    def _in_range(self, what: str, found: Array, trial: LossTrial, probabilities: bool) -> None:
        """Compare results for certain predictions; those of any usual clip are right."""
        run = trial.losses if what == "losses" else trial.gradient
        expected = least = run()
        if probabilities:
            least = run(y_pred=np.clip(trial.y_pred, LARGEST_CLIP, 1 - LARGEST_CLIP))
        elif self.fused and what == "losses":
            least = run(y_pred=np.clip(trial.y_pred, -LARGEST_LOGIT, LARGEST_LOGIT))
        # A smaller clip gives more than the reference.
        clipped = least is not expected and found.shape == least.shape
        if same(found, expected) or (clipped and _as_large(found, least)):
            return
        hint = f"is more clipped than a little, at most {LARGEST_CLIP:g}?" if clipped else ""
        self._fail("extremes", f"{what} are wrong where predictions are certain, and wrong", hint)

    def _in_float32(self) -> None:
        first = self.first
        y_pred = first.y_pred.astype(np.float32)
        for what, array in zip(
            ("losses", "dinputs"),
            self._run(LossTrial(first.reference, y_pred, first.y_true)),
            strict=True,
        ):
            dtype = np.asarray(array).dtype
            if dtype not in (np.float32, np.float64):
                message = f"{what} of float32 are of dtype {dtype}, expected float32 or float64"
                self._fail("dtype", message)
        self.marks.judge("dtype", ())

    def _judge_dtype(self, name: str, value: Any) -> None:
        for fault in float32_fault(name, value):
            self._fail("dtype", *fault)

    def _run(self, trial: LossTrial) -> tuple[Any, Any]:
        """Run ``mine`` forward and back; return what ``forward`` returns, and ``dinputs``."""
        y_pred, y_true = trial.y_pred.copy(), trial.y_true.copy()
        returned = call(self.mine.forward, y_pred, y_true)
        self._unchanged("forward", y_pred, trial.y_pred, y_true, trial.y_true)
        outputs = self._outputs(trial)
        y_pred, y_true = outputs.copy(), trial.y_true.copy()
        call(self.mine.backward, y_pred, y_true)
        self._unchanged("backward", y_pred, outputs, y_true, trial.y_true)
        return returned, getattr(self.mine, "dinputs", None)

    def _outputs(self, trial: LossTrial) -> Array:
        """Return what ``backward`` is given."""
        return trial.output().copy()

    def _unchanged(
        self, method: str, y_pred: Array, old_pred: Array, y_true: Array, old_true: Array
    ) -> None:
        for name, given, old in (("y_pred", y_pred, old_pred), ("y_true", y_true, old_true)):
            if not np.array_equal(given, old):
                self._fail("given arrays", *written(method, name))

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


def _as_large(found: Array, least: Array) -> bool:
    """Whether all of ``found`` are at least ``least``, up to rounding, with the same signs."""
    right = (np.sign(found) == np.sign(least)) & (np.abs(found) >= 0.999 * np.abs(least))
    return bool(right.all())
