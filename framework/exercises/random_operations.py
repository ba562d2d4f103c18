"""Holds an operation that draws random numbers against a reference, such as ``Dropout``.

Its output is ``inputs * mask``, with random factors in the mask. Two of them never agree number by
number, but in which factors there are, in how many of each, and in that ``backward`` takes the
same ones.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from framework.exercises.arithmetic import alike, equal_elements
from framework.exercises.calls import call, forward
from framework.exercises.contract import (
    array_fault,
    as_numbers,
    float32_fault,
    returned_fault,
    same,
    written,
)
from framework.exercises.report import Marks, Report
from framework.exercises.trial import Trial
from framework.utils import rng
from optimizers.arrays import Array

# So many numbers that the share of zeros is near the rate, whatever is drawn.
SHAPE = (60, 50)
# The share of a factor may be off by this many standard deviations.
DEVIATIONS = 5
PLAN = {
    "output": 3,
    "dinputs": 3,
    "given arrays": 1,
    "same batch again": 1,
    "another batch": 2,
    "training=False": 1,
    "dtype": 1,
}


def is_random(reference: Any, inputs: Array) -> bool:
    """Whether a forward pass of ``reference`` draws random numbers."""
    generator = np.random.default_rng(0)
    before = generator.bit_generator.state
    with rng.use_generator(generator):
        copy.deepcopy(reference).forward(inputs.copy(), True)
    return generator.bit_generator.state != before


def random_report(subject: str, mine: Any, reference: Any, inputs: Array | None) -> Report:
    """Return the report of an operation that draws random numbers.

    Args:
        inputs: a batch to repeat until it has numbers enough; None for one that is drawn.
    """
    return _RandomCheck(subject, mine, reference, inputs).report()


def _many(inputs: Array) -> Array:
    """Return the samples of a batch, repeated, with numbers that can be divided by."""
    size = int(np.prod(SHAPE))
    samples = max(4, -(-size // inputs[0].size))
    rows = inputs[np.arange(max(samples, len(inputs))) % len(inputs)]
    return np.where(np.abs(rows) < 1e-3, 1.0, rows)


class _RandomCheck:
    def __init__(self, subject: str, mine: Any, reference: Any, inputs: Array | None) -> None:
        self.mine, self.marks = mine, Marks(subject, PLAN, ("output", "dinputs"))
        self.rate = float(getattr(reference, "rate", 0.0))
        generator = np.random.default_rng(2)
        if inputs is None:
            # Far from 0, so that factors can be computed back.
            inputs = generator.uniform(1, 2, SHAPE) * generator.choice([-1.0, 1.0], SHAPE)
        self.inputs = _many(inputs)
        self.dvalues = generator.normal(size=self.inputs.shape)
        with rng.use_generator(np.random.default_rng(0)):
            output = np.asarray(copy.deepcopy(reference).forward(self.inputs.copy(), True))
        factors, counts = np.unique(np.round(output / self.inputs, 9), return_counts=True)
        self.shares = dict(zip(factors.tolist(), (counts / output.size).tolist(), strict=True))
        self.trial = Trial(reference, self.inputs, self.dvalues, False)

    def report(self) -> Report:
        marks = self.marks
        with marks.stage("output"):
            given = self.inputs.copy()
            returned = forward(self.mine, given, True)
            stored = getattr(self.mine, "output", None)
            marks.judge("output", self._output_faults(returned, stored))
            if not np.array_equal(given, self.inputs):
                marks.judge("given arrays", [written("forward", "inputs")])
            with marks.stage("dinputs"):
                self._backward(as_numbers("output", stored) / self.inputs)
                marks.judge("given arrays", ())
                with marks.stage("another batch"):
                    marks.judge("another batch", self._another_batch())
                with marks.stage("training=False"):
                    marks.judge("training=False", self._without_training())
                with marks.stage("dtype"):
                    marks.judge("dtype", self._in_float32())
        return marks.report()

    def _output_faults(self, returned: Any, stored: Any) -> Iterator[tuple[str, str]]:
        if stored is None:
            yield "self.output is not stored", "forward has to store self.output"
            return
        if fault := array_fault(stored):
            yield fault
            return
        output = as_numbers("output", stored)
        if output.shape != self.inputs.shape:
            yield f"expected shape {self.inputs.shape}, received {output.shape}", ""
            return
        mask = output / self.inputs
        expected = ", ".join(f"{factor:.4g}" for factor in self.shares)
        for factor in np.unique(np.round(mask, 5)).tolist():
            if not any(abs(factor - right) < 1e-4 for right in self.shares):
                yield (
                    f"inputs are multiplied by {factor:.4g}, expected only {expected}",
                    self._on_factor(mask, factor),
                )
                return
        for factor, share in self.shares.items():
            found = float(np.mean(np.abs(mask - factor) < 1e-4))
            # Both are drawn, so their difference varies more than one of them.
            deviation = np.sqrt(2 * share * (1 - share) / mask.size)
            if abs(found - share) > DEVIATIONS * deviation or not found:
                yield self._on_share(factor, share, found)
                return
        dropped = (np.abs(mask) < 1e-6).reshape(len(mask), -1)
        alone = (dropped == dropped[0]).all() or (dropped == dropped[:, :1]).all()
        if alone and len(self.shares) > 1:
            yield (
                "one mask for all samples, or for all values of a sample",
                "draw the mask in the shape of the inputs, inputs.shape",
            )
        if fault := returned_fault(returned, stored, "forward", "output"):
            yield fault

    def _on_factor(self, mask: Array, factor: float) -> str:
        rate, kept = self.rate, 1 - self.rate
        if not (np.abs(mask) < 1e-6).any():
            return "nothing is set to 0: is the mask made of booleans, and multiplied in?"
        for other, text in (
            (1.0, f"the inputs that are kept have to be divided by 1 − rate, {kept:.4g}"),
            (kept, f"divide by 1 − rate, {kept:.4g}, do not multiply"),
            (1 / rate if rate else 0.0, f"divide by 1 − rate, {kept:.4g}, not by rate"),
            (rate, f"divide by 1 − rate, {kept:.4g}, do not multiply by rate"),
        ):
            if abs(factor - other) < 1e-4:
                return text
        return "the mask should hold only zeros and one other factor"

    def _on_share(self, factor: float, share: float, found: float) -> tuple[str, str]:
        message = f"{found:.0%} of the inputs are multiplied by {factor:.4g}, expected {share:.0%}"
        if found not in (0.0, 1.0) and abs(found - (1 - share)) < 0.05:
            return message, "as many are dropped as should be kept: rate is the share of zeros"
        if found in (0.0, 1.0):
            return message, "is the mask drawn, and multiplied in?"
        return message, "with what probability is each input dropped?"

    def _backward(self, mask: Array) -> None:
        given = self.dvalues.copy()
        returned = call(self.mine.backward, given)
        stored = getattr(self.mine, "dinputs", None)
        self.marks.judge("dinputs", self._gradient_faults(mask, returned, stored))
        if not np.array_equal(given, self.dvalues):
            self.marks.judge("given arrays", [written("backward", "dvalues")])
        with self.marks.stage("same batch again"):
            call(self.mine.backward, self.dvalues.copy())
            again = getattr(self.mine, "dinputs", None)
            fault = (
                "a second backward gives other dinputs",
                "backward has to use the mask of the last forward, and to change nothing",
            )
            changed = stored is not None and not same(again, stored)
            self.marks.judge("same batch again", [fault] if changed else ())

    def _gradient_faults(
        self, mask: Array, returned: Any, stored: Any
    ) -> Iterator[tuple[str, str]]:
        if stored is None:
            yield "self.dinputs is not stored", "backward has to store self.dinputs"
            return
        if fault := array_fault(stored):
            yield fault
            return
        found, dvalues = as_numbers("dinputs", stored), self.dvalues
        expected = dvalues * mask
        if found.shape != expected.shape:
            yield f"expected shape {expected.shape}, received {found.shape}", ""
            return
        if not alike(found, expected):
            wrong = np.count_nonzero(~equal_elements(found, expected))
            message = f"{wrong} of {found.size} numbers are not dvalues times the factor of forward"
            yield message, _on_gradient(found, dvalues, mask, self.inputs)
        if fault := returned_fault(returned, stored, "backward", "dinputs"):
            yield fault

    def _another_batch(self) -> Iterator[tuple[str, str]]:
        first = np.array(self.mine.output)
        forward(self.mine, self.inputs.copy(), True)
        if self.shares.keys() != {1.0} and np.array_equal(first, self.mine.output):
            yield (
                "two batches get the same mask",
                "draw a new mask in every forward, and set no seed there",
            )
            return
        half = slice(0, len(self.inputs) // 2)
        inputs, dvalues = self.inputs[half][::-1].copy(), self.dvalues[half].copy()
        forward(self.mine, inputs.copy(), True)
        mask = as_numbers("output", self.mine.output) / inputs
        call(self.mine.backward, dvalues.copy())
        if not alike(as_numbers("dinputs", self.mine.dinputs), dvalues * mask):
            yield (
                "backward does not multiply by the mask of the last forward",
                "the mask of another batch is used: store it anew in every forward",
            )

    def _without_training(self) -> Iterator[tuple[str, str]]:
        right = self.trial.run()
        forward(self.mine, self.inputs.copy(), False)
        call(self.mine.backward, self.dvalues.copy())
        for name in ("output", "dinputs"):
            found = as_numbers(name, getattr(self.mine, name, None))
            if found.shape != right[name].shape or not alike(found, right[name]):
                yield (
                    f"{name} is not what passes unchanged with training=False",
                    "forward(inputs, training) has to look at training, and backward at the same",
                )

    def _in_float32(self) -> Iterator[tuple[str, str]]:
        for name in ("output", "dinputs"):
            yield from float32_fault(name, getattr(self.mine, name, None))
        forward(self.mine, self.inputs.astype(np.float32), True)
        call(self.mine.backward, self.dvalues.astype(np.float32))
        for name in ("output", "dinputs"):
            dtype = np.asarray(getattr(self.mine, name, None)).dtype
            if dtype not in (np.float32, np.float64):
                yield f"{name} is of dtype {dtype}, expected float32 or float64", ""


def _on_gradient(found: Array, dvalues: Array, mask: Array, inputs: Array) -> str:
    if alike(found, dvalues):
        return "dvalues themselves: multiply by the mask of forward"
    if alike(found, dvalues * (mask != 0)):
        return "the factor 1 / (1 − rate) is missing in backward: use the same mask"
    if alike(found, mask):
        return "the mask itself: it is not multiplied by dvalues"
    if alike(found, dvalues * mask * inputs) or alike(found, inputs * mask):
        return "the derivative is the mask, without the inputs"
    if alike(found, dvalues * mask**2):
        return "multiplied by the mask twice"
    if alike(found, -dvalues * mask):
        return "all with the opposite sign: is a minus missing, or one too many?"
    if not np.array_equal(found == 0, mask == 0):
        return "other numbers are 0 than in output: backward has to use the mask of forward"
    return ""
