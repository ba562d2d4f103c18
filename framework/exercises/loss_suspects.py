"""Mistakes that are made in losses, each with the array that it leads to."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from framework import losses
from framework.exercises.comparison import Suspect
from framework.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    FusedLoss,
    Huber,
    Loss,
    MeanAbsoluteError,
)
from framework.utils.exports import exported
from optimizers.arrays import Array
from optimizers.configuration import constructor_arguments


class LossTrial:
    """A reference loss on one batch.

    Attributes:
        reference: the loss. Every run takes a copy.
        y_pred, y_true: the predictions, or the logits of a fused loss, and the targets.
        rows: the targets as rows in the shape of the predictions, one-hot for class indices.
    """

    def __init__(self, reference: Any, y_pred: Array, y_true: Array) -> None:
        self.reference, self.y_pred, self.y_true = reference, y_pred, y_true
        self.rows = np.asarray(y_true, dtype=np.float64)
        if self.rows.shape != y_pred.shape:
            self.rows = np.zeros_like(y_pred)
            self.rows[np.arange(len(y_pred)), y_true.astype(int)] = 1

    @property
    def fused(self) -> bool:
        """Whether the loss takes logits, and ``backward`` the activation's output."""
        return isinstance(self.reference, FusedLoss)

    def losses(self, reference: Any = None, y_pred: Any = None, y_true: Any = None) -> Any:
        """Return the loss of each sample, or their mean for a fused loss; None if impossible."""
        loss = copy.deepcopy(self.reference if reference is None else reference)
        y_pred = self.y_pred if y_pred is None else y_pred
        y_true = self.y_true if y_true is None else y_true
        try:
            with np.errstate(all="ignore"):
                return np.asarray(loss.forward(y_pred, y_true), dtype=np.float64)
        except (TypeError, ValueError):
            return None

    def gradient(self, reference: Any = None, y_pred: Any = None, y_true: Any = None) -> Any:
        """Return ``dinputs``, None where it cannot be computed."""
        loss = copy.deepcopy(self.reference if reference is None else reference)
        y_pred = self.y_pred if y_pred is None else y_pred
        y_true = self.y_true if y_true is None else y_true
        try:
            with np.errstate(all="ignore"):
                if isinstance(loss, FusedLoss):
                    loss.forward(y_pred, y_true)
                    y_pred = loss.output
                loss.backward(y_pred, y_true)
        except (TypeError, ValueError):
            return None
        return np.asarray(loss.dinputs, dtype=np.float64)

    def output(self) -> Array:
        """Return the probabilities of a fused loss, or the predictions themselves."""
        if not self.fused:
            return self.y_pred
        loss = copy.deepcopy(self.reference)
        loss.forward(self.y_pred, self.y_true)
        return np.asarray(loss.output, dtype=np.float64)


def loss_suspects(trial: LossTrial) -> Iterator[Suspect]:
    """Yield wrong results of ``forward``."""
    y_pred, rows = trial.y_pred, trial.rows
    right = trial.losses()
    if not trial.fused:
        yield (
            "the mean over the samples: forward has to return one loss for each sample",
            right.mean(),
        )
        yield (
            "the sum over the samples: forward has to return one loss for each sample",
            right.sum(),
        )
        yield "one loss for each output: each sample needs their mean", _per_output(trial)
        yield (
            "the mean goes over the wrong axis: axis=0 goes over the samples, axis=-1 over the "
            "outputs of one sample",
            _per_output(trial).mean(axis=0),
        )
    else:
        each = copy.deepcopy(trial.reference).losses(y_pred, trial.y_true)
        yield "the losses of the samples: a fused loss returns their mean", each
        yield "the sum over the samples: a fused loss returns their mean", each.sum()
    yield from _of_arguments(trial, trial.losses)
    with np.errstate(all="ignore"):
        yield (
            "the errors themselves: each is to be squared or made positive",
            ((rows - y_pred).mean(axis=-1)),
        )
        yield (
            "the errors themselves: each is to be squared or made positive",
            ((y_pred - rows).mean(axis=-1)),
        )
        yield (
            "the square of the mean: square first, then take the mean",
            ((y_pred - rows).mean(axis=-1) ** 2),
        )
        logs = np.log(trial.output())
        if isinstance(trial.reference, BinaryCrossentropy):
            yield "the term with 1 − y_true is missing", -(rows * logs).mean(axis=-1)
            yield (
                "the term with y_true is missing",
                (-((1 - rows) * np.log(1 - y_pred)).mean(axis=-1)),
            )
        if isinstance(trial.reference, CategoricalCrossentropy):
            if trial.y_true.ndim == 1:
                one = "y_pred[range(len(y_pred)), y_true] takes one number of each row"
                yield f"y_pred[y_true] takes whole rows: {one}", -logs[trial.y_true]
                yield f"y_pred[:, y_true] takes whole columns: {one}", -logs[:, trial.y_true]
            yield "the logs of all classes: only that of the true class counts", -logs.mean(axis=-1)
            yield "the logs of all classes: only that of the true class counts", -logs.sum(axis=-1)
            chosen = (rows * y_pred).sum(axis=-1)
            yield "the probability of the true class: its log is missing", chosen
            yield "the probability of the true class: its log is missing", -chosen
            yield "one minus the probability of the true class, in place of its log", 1 - chosen


def loss_gradient_suspects(trial: LossTrial) -> Iterator[Suspect]:
    """Yield wrong ``dinputs``."""
    rows, samples = trial.rows, len(trial.y_pred)
    y_pred = trial.output()
    error = y_pred - rows
    if isinstance(trial.reference, (CategoricalCrossentropy, BinaryCrossentropy)):
        fused = "that is the gradient with respect to the logits, where the activation is fused"
        for divisor in (1, samples, y_pred.size):
            yield fused, error / divisor
    yield from _of_arguments(trial, trial.gradient)
    with np.errstate(all="ignore"):
        if isinstance(trial.reference, CategoricalCrossentropy):
            for divisor in (1, samples):
                yield (
                    "−1 / y_pred is to be multiplied by y_true: only the true class counts",
                    (-1 / y_pred / divisor),
                )
                yield (
                    "the derivative of −log p is −1 / p, not −log p",
                    -np.log(y_pred) * rows / divisor,
                )
                yield "multiplied by y_pred in place of divided", -rows * y_pred / divisor
        if isinstance(trial.reference, BinaryCrossentropy):
            for divisor in (1, samples, y_pred.size):
                yield "the term with 1 − y_true is missing", -rows / y_pred / divisor
                yield (
                    "the two terms have the same sign: the second one has the opposite one",
                    (-(rows / y_pred + (1 - rows) / (1 - y_pred)) / divisor),
                )
        if isinstance(trial.reference, (MeanAbsoluteError, Huber)):
            for divisor in (1, samples, y_pred.size):
                yield "the error itself: the derivative of |error| is its sign", error / divisor
                yield "|error| in place of its sign", np.abs(error) / divisor
        for divisor in (1, samples, y_pred.size):
            yield (
                "the error is squared: the derivative of its square is 2 × the error",
                (2 * error**2 / divisor),
            )
            yield (
                "the error is squared: the derivative of its square is 2 × the error",
                (error**2 / divisor),
            )
            yield "the size of the error is taken: its sign is lost", 2 * np.abs(error) / divisor
    yield "y_pred alone: y_true is not subtracted", y_pred / samples
    yield "y_pred alone: y_true is not subtracted", y_pred
    yield "divided by the number of samples before y_true is subtracted", y_pred / samples - rows
    yield "y_true is divided by the number of samples, y_pred is not", y_pred - rows / samples
    yield "y_true alone", rows
    right = trial.gradient()
    yield "the gradient of the first sample alone", right[:1]
    yield "a mean over the samples: each keeps a gradient of its own", right.mean(axis=0)
    yield "summed over the outputs: each output keeps a gradient of its own", right.sum(axis=1)
    if trial.fused:
        found = _activated_twice(trial)
        if found is not None:
            yield "the activation is applied twice: backward is given its output", found


def _of_arguments(trial: LossTrial, run: Callable[..., Any]) -> Iterator[Suspect]:
    """Yield what other arguments give, and other losses."""
    if trial.rows.shape == trial.y_pred.shape:
        swapped = run(y_pred=trial.rows, y_true=trial.y_pred)
        if swapped is not None:
            yield "y_pred and y_true are exchanged", swapped
    if len(trial.y_pred) > 1:
        rolled = run(y_true=np.roll(trial.y_true, 1, axis=0))
        if rolled is not None:
            yield "the targets of other samples", rolled
    for argument in constructor_arguments(type(trial.reference)):
        value = getattr(trial.reference, argument, None)
        if isinstance(value, float):
            for text, other in (
                (f"as if {argument} were 1: is the argument used?", 1.0),
                (f"as if {argument} were twice {value:g}", 2 * value),
                (f"as if {argument} were half of {value:g}", value / 2),
                (f"as if {argument} were squared", value**2),
            ):
                arguments = trial.reference.configuration() | {argument: other}
                try:
                    changed = type(trial.reference)(**arguments)
                except ValueError:  # out of the range of the argument
                    continue
                if (found := run(reference=changed)) is not None:
                    yield text, found
    for cls in exported(losses, Loss, FusedLoss).values():
        if cls is not type(trial.reference) and issubclass(cls, FusedLoss) == trial.fused:
            found = run(reference=cls())
            if found is not None:
                yield f"what {cls.__name__} computes, not {type(trial.reference).__name__}", found


def _per_output(trial: LossTrial) -> Array:
    """Return the loss of each single output, as if it were the only one of its sample."""
    y_pred, rows = trial.y_pred, trial.rows
    if isinstance(trial.reference, CategoricalCrossentropy):
        with np.errstate(all="ignore"):
            return np.asarray(-rows * np.log(y_pred))
    found = trial.losses(y_pred=y_pred.reshape(-1, 1), y_true=rows.reshape(-1, 1))
    return np.asarray(found).reshape(y_pred.shape)


def _activated_twice(trial: LossTrial) -> Array | None:
    loss = copy.deepcopy(trial.reference)
    twice = loss.activation.forward(trial.output())
    found: Array | None = trial.gradient(y_pred=trial.output())
    return found if twice.shape == trial.y_pred.shape else None
