"""Mistakes that are made in operations of one class, each with the array that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from framework.activations import Sigmoid, Softmax, Tanh
from framework.exercises.comparison import Suspect
from framework.exercises.trial import Trial
from framework.layers import BatchNormalization, Dense, LayerNormalization
from optimizers.arrays import Array


def class_outputs(trial: Trial) -> Iterator[Suspect]:
    """Yield wrong outputs of operations of this class."""
    for classes, suspects in OUTPUTS.items():
        if isinstance(trial.reference, classes):
            yield from suspects(trial)


def class_gradients(trial: Trial, name: str) -> Iterator[Suspect]:
    """Yield wrong gradients ``name`` of operations of this class."""
    for classes, suspects in GRADIENTS.items():
        if isinstance(trial.reference, classes):
            yield from suspects(trial, name)


def _sigmoid(trial: Trial, name: str) -> Iterator[Suspect]:
    inputs, output = trial.inputs, trial.run()["output"]
    yield (
        "output * (1 − output) is the derivative, but inputs are put in for output",
        trial.dvalues * inputs * (1 - inputs),
    )
    yield (
        "the derivative is output * (1 − output), with a minus",
        trial.dvalues * output * (1 + output),
    )
    yield (
        "output is in the derivative, output * (1 − output), once too often",
        trial.dvalues * output**2 * (1 - output),
    )
    yield (
        "1 − output² is the derivative of tanh; that of the sigmoid is output * (1 − output)",
        trial.dvalues * (1 - output**2),
    )
    yield "1 − output is missing in the derivative, output * (1 − output)", trial.dvalues * output
    yield "output is missing in the derivative, output * (1 − output)", trial.dvalues * (1 - output)


def _tanh(trial: Trial, name: str) -> Iterator[Suspect]:
    inputs, output = trial.inputs, trial.run()["output"]
    yield (
        "1 − output² is the derivative, but inputs are put in for output",
        trial.dvalues * (1 - inputs**2),
    )
    yield "output is not squared in the derivative, 1 − output²", trial.dvalues * (1 - output)
    yield "output² is to be subtracted from 1", trial.dvalues * output**2


def _softmax(trial: Trial, name: str) -> Iterator[Suspect]:
    output, dvalues = trial.run()["output"], trial.dvalues
    weighted = dvalues * output
    yield (
        "the weighted mean of dvalues goes over the wrong axis: it is that of one sample, axis=-1",
        output * (dvalues - weighted.sum(axis=0, keepdims=True)),
    )
    yield (
        "the mean of dvalues is to be weighted by output",
        output * (dvalues - dvalues.mean(axis=-1, keepdims=True)),
    )
    yield (
        "the sum of dvalues is to be weighted by output",
        output * (dvalues - dvalues.sum(axis=-1, keepdims=True)),
    )
    yield (
        "the weighted mean is subtracted from dvalues, not added",
        output * (dvalues + weighted.sum(axis=-1, keepdims=True)),
    )
    yield (
        "the matrix of a sample is diag(output) − output outputᵀ, times dvalues as a whole",
        output * dvalues - output**2,
    )
    yield "the factor output in front is missing", dvalues - weighted.sum(axis=-1, keepdims=True)


def _dense(trial: Trial, name: str) -> Iterator[Suspect]:
    if trial.dvalues.ndim != 2:
        return
    right = trial.run()
    if name == "dinputs":
        yield "made of dweights in place of weights", trial.dvalues @ right["dweights"].T
        return
    output = right["output"]
    yield "made of output in place of inputs", output.T @ trial.dvalues
    yield "dvaluesᵀ @ inputs in place of inputsᵀ @ dvalues", trial.dvalues.T @ trial.inputs
    for l1, l2, text in _penalties(trial.reference, name):
        found = trial.run(lambda op: _without_penalties(op))
        if name in found:
            yield text, found[name] + l1 + l2


def _penalties(reference: Any, name: str) -> Iterator[tuple[Array, Array, str]]:
    """Yield wrong gradients of the penalties."""
    kind = "weight" if name == "dweights" else "bias"
    values = np.asarray(getattr(reference, name[1:]))
    l1 = getattr(reference, f"{kind}_regularizer_l1", 0.0)
    l2 = getattr(reference, f"{kind}_regularizer_l2", 0.0)
    right_1, right_2 = l1 * np.sign(values), 2 * l2 * values
    yield -right_1, -right_2, "the gradient of the penalty is subtracted, not added"
    yield l1 * np.abs(values), right_2, "the gradient of |w| is its sign, not |w|"
    yield l1 * values, right_2, "the gradient of |w| is the sign of w, not w"
    yield l1 + 0 * values, right_2, "the gradient of |w| is −1 where w is negative"
    yield right_1, l2 * values**2, "the gradient of w² is 2 w, not w²"
    yield right_1, 2 * l2 + 0 * values, "the gradient of w² is 2 w, not 2"


def _without_penalties(operation: Any) -> None:
    for kind in ("weight", "bias"):
        for norm in ("l1", "l2"):
            setattr(operation, f"{kind}_regularizer_{norm}", 0.0)


def _normalized_output(trial: Trial) -> Iterator[Suspect]:
    reference, x, axes = trial.reference, trial.inputs, _axes(trial)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    weights, biases = np.asarray(reference.weights), np.asarray(reference.biases)
    deviation = np.sqrt(variance + reference.epsilon)
    one_less = x.var(axis=axes, keepdims=True, ddof=1)
    other = 1 if axes == (0,) else 0
    for text, normalized in (
        ("the mean is not subtracted", x / deviation),
        ("not divided by the standard deviation", x - mean),
        (
            "divided by the variance in place of its root",
            (x - mean) / (variance + reference.epsilon),
        ),
        (
            "a variance divided by n − 1 (ddof=1): it is the mean of the squares here",
            (x - mean) / np.sqrt(one_less + reference.epsilon),
        ),
        (
            "the mean and the variance go over the wrong axis",
            (x - x.mean(axis=other, keepdims=True))
            / np.sqrt(x.var(axis=other, keepdims=True) + reference.epsilon),
        ),
        ("one mean and one variance for everything", (x - x.mean()) / np.sqrt(x.var())),
    ):
        yield text, normalized * weights + biases
        if "wrong axis" in text or "ddof" in text:
            yield f"{text}, and weights and biases are not used", normalized
    normalized = (x - mean) / deviation
    yield "biases come before weights: multiply first", (normalized + biases) * weights
    yield "weights and biases are not used", normalized


def _normalized_gradients(trial: Trial, name: str) -> Iterator[Suspect]:
    reference, x, axes = trial.reference, trial.inputs, _axes(trial)
    deviation = np.sqrt(x.var(axis=axes, keepdims=True) + reference.epsilon)
    normalized = (x - x.mean(axis=axes, keepdims=True)) / deviation
    if name == "dweights":
        yield (
            "dvalues alone: they are to be multiplied by the normalized inputs, and added up",
            trial.dvalues.sum(axis=0, keepdims=True),
        )
        yield (
            "made of inputs in place of the normalized inputs",
            (trial.dvalues * x).sum(axis=0, keepdims=True),
        )
        yield (
            "made of output in place of the normalized inputs",
            (trial.dvalues * trial.run()["output"]).sum(axis=0, keepdims=True),
        )
    if name != "dinputs":
        return
    g = trial.dvalues * np.asarray(reference.weights)
    through_mean = g.mean(axis=axes, keepdims=True)
    through_deviation = normalized * (g * normalized).mean(axis=axes, keepdims=True)
    for text, found in (
        ("mean and variance depend on the inputs too: two terms are missing", g),
        ("the term through the variance is missing", g - through_mean),
        ("the term through the mean is missing", g - through_deviation),
        (
            "the two terms are sums, and have to be means",
            g
            - g.sum(axis=axes, keepdims=True)
            - normalized * (g * normalized).sum(axis=axes, keepdims=True),
        ),
    ):
        yield text, found / deviation
    right = g - through_mean - through_deviation
    yield "not divided by the standard deviation", right
    yield "divided by the variance in place of its root", right / deviation**2
    own = trial.dvalues - trial.dvalues.mean(axis=axes, keepdims=True)
    own -= normalized * (trial.dvalues * normalized).mean(axis=axes, keepdims=True)
    yield "dvalues are not multiplied by weights", own / deviation


def _axes(trial: Trial) -> tuple[int, ...]:
    """The axes that a normalization goes over."""
    if isinstance(trial.reference, BatchNormalization):
        return tuple(range(trial.inputs.ndim - 1))
    return (trial.inputs.ndim - 1,)


def _softmax_output(trial: Trial) -> Iterator[Suspect]:
    powers = np.exp(trial.inputs - trial.inputs.max(axis=-1, keepdims=True))
    yield "not divided by the sum of the row", powers
    yield "divided by the sum of the batch: each row has to add up to 1", powers / powers.sum()
    yield (
        "divided by the sums over the samples: each row has to add up to 1",
        powers / powers.sum(axis=0),
    )
    yield "exp is missing", trial.inputs / trial.inputs.sum(axis=-1, keepdims=True)


OUTPUTS: dict[tuple[type, ...], Callable[[Trial], Iterator[Suspect]]] = {
    (Softmax,): _softmax_output,
    (BatchNormalization, LayerNormalization): _normalized_output,
}
GRADIENTS: dict[tuple[type, ...], Callable[[Trial, str], Iterator[Suspect]]] = {
    (Sigmoid,): _sigmoid,
    (Tanh,): _tanh,
    (Softmax,): _softmax,
    (Dense,): _dense,
    (BatchNormalization, LayerNormalization): _normalized_gradients,
}
