"""Right operations and losses, some of which are easily taken for wrong."""

from typing import Any

import numpy as np

from framework import Loss
from framework.utils import rng

Array = np.ndarray


class Double:
    """``weights * inputs``, with a weight for each of the four features."""

    def __init__(self) -> None:
        self.weights = np.linspace(0.5, 2.0, 4)[np.newaxis]
        self.dweights = np.zeros_like(self.weights)

    def forward(self, inputs: Array) -> Array | None:
        self.inputs = inputs
        self.output = inputs * self.weights
        return self.output

    def backward(self, dvalues: Array) -> Array | None:
        self.dweights = (self.inputs * dvalues).sum(axis=0, keepdims=True)
        self.dinputs = dvalues * self.weights
        return self.dinputs


class SquaredError(Loss):
    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return np.square(y_pred - y_true).mean(axis=1)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = 2 * (y_pred - y_true) / y_pred.size
        return self.dinputs


class Counts(Double):
    """Keeps count of its calls and all of its outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.outputs = 0, []

    def forward(self, inputs: Array) -> None:
        super().forward(inputs)
        self.calls += 1
        self.outputs.append(self.output)


class Identity:
    """Hands on the very arrays that it is given, as the book's linear activation does."""

    def forward(self, inputs: Array) -> None:
        self.output = inputs

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues


class Reversed:
    """Its arrays are views of those that it was given."""

    def forward(self, inputs: Array) -> Array:
        self.output = inputs[:, ::-1]
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dinputs = dvalues[:, ::-1]
        return self.dinputs


class DropsMask:
    """Keeps its mask no longer than it is needed."""

    def forward(self, inputs: Array) -> None:
        self.mask = np.random.random(inputs.shape) < 0.5
        self.output = inputs * self.mask

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask
        del self.mask


class LibraryDropout:
    def forward(self, inputs: Array, training: bool) -> None:
        self.mask = rng.generator().random(inputs.shape) < (0.5 if training else 1.0)
        self.output = inputs * self.mask

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


class RunningMean:
    """Takes off the batch's mean, and moves a running one that only predictions use."""

    state = ("running_mean",)

    def __init__(self) -> None:
        self.running_mean = np.zeros((1, 4))

    def forward(self, inputs: Array, training: bool = True) -> None:
        self.training = training
        mean = inputs.mean(axis=0, keepdims=True)
        if training:
            self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        self.output = inputs - (mean if training else self.running_mean)

    def backward(self, dvalues: Array) -> None:
        mean = dvalues.mean(axis=0, keepdims=True) if self.training else 0.0
        self.dinputs = dvalues - mean


class OwnNormalization:
    """Batch normalization step by step, with a gradient for each of the steps."""

    parameters = ("scale",)

    def __init__(self) -> None:
        self.scale = np.ones((1, 4))
        # Attributes that are there from the start and are computed anew in each pass.
        self.mean = self.dmean = np.zeros((1, 4))
        self.variance = self.dvariance = np.ones((1, 4))

    def forward(self, inputs: Array) -> None:
        self.mean = inputs.mean(axis=0, keepdims=True)
        self.centred = inputs - self.mean
        self.variance = np.square(self.centred).sum(axis=0, keepdims=True) / (len(inputs) - 1)
        self.deviation = np.sqrt(self.variance + 0.1)
        self.normalized = self.centred / self.deviation
        self.output = self.scale * self.normalized

    def backward(self, dvalues: Array) -> None:
        self.dscale = (dvalues * self.normalized).sum(axis=0, keepdims=True)
        self.dnormalized = dvalues * self.scale
        self.ddeviation = -(self.dnormalized * self.normalized / self.deviation).sum(
            axis=0, keepdims=True
        )
        self.dvariance = self.ddeviation / (2 * self.deviation)
        self.dcentred = self.dnormalized / self.deviation
        self.dcentred += 2 * self.dvariance * self.centred / (len(dvalues) - 1)
        self.dmean = -self.dcentred.sum(axis=0, keepdims=True)
        self.dinputs = self.dcentred + self.dmean / len(dvalues)


class WeightNormalization:
    """``weights`` are computed from the parameters, and have a gradient on the way."""

    parameters = ("direction", "length")

    def __init__(self) -> None:
        self.direction = np.linspace(0.5, 2.0, 4)[np.newaxis]
        self.length = np.array([1.5])
        self.weights = self.length * self.direction / np.linalg.norm(self.direction)

    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.unit = self.direction / np.linalg.norm(self.direction)
        self.weights = self.length * self.unit
        self.output = inputs * self.weights

    def backward(self, dvalues: Array) -> None:
        self.dweights = (dvalues * self.inputs).sum(axis=0, keepdims=True)
        self.dlength = np.array([(self.dweights * self.unit).sum()])
        across = self.dweights - (self.dweights * self.unit).sum() * self.unit
        self.ddirection = self.length * across / np.linalg.norm(self.direction)
        self.dinputs = dvalues * self.weights


class StartsFromData(Double):
    """Its weights are set from the first batch, once (as in "activation normalization")."""

    def __init__(self) -> None:
        super().__init__()
        self.started = False

    def forward(self, inputs: Array) -> None:
        if not self.started:
            self.weights[...] = 1 / (0.1 + inputs.std(axis=0, keepdims=True))
            self.started = True
        super().forward(inputs)


class MadeInFirstForward:
    """Its weights are drawn when it sees how many inputs there are; so is its mask, each time."""

    def forward(self, inputs: Array) -> None:
        if not hasattr(self, "weights"):
            self.weights = np.random.normal(size=(inputs.shape[1], 3))
        self.inputs = inputs
        self.mask = np.random.random((len(inputs), 3)) < 0.5
        self.output = inputs @ self.weights * self.mask

    def backward(self, dvalues: Array) -> None:
        self.dweights = self.inputs.T @ (dvalues * self.mask)
        self.dinputs = (dvalues * self.mask) @ self.weights.T


class LimitsItsWeights(Double):
    """Brings its weights to length 1 in each forward, as spectral normalization does."""

    parameters = ()

    def forward(self, inputs: Array) -> None:
        self.weights = self.weights / np.linalg.norm(self.weights)
        super().forward(inputs)


class Pruned:
    """The same neurons are silent in every batch, whatever its size."""

    mask: Array | None = None

    def forward(self, inputs: Array) -> None:
        if self.mask is None:
            self.mask = np.random.random((1, 4)) < 0.5
        self.output = inputs * self.mask

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


class TimeStep:
    """Has a ``t`` and a ``dt`` that is no gradient."""

    def __init__(self) -> None:
        self.t, self.dt = 0.5, 0.1

    def forward(self, inputs: Array) -> None:
        self.output = inputs * (1 + self.t * self.dt)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * (1 + self.t * self.dt)


class CachesByShape:
    def __init__(self) -> None:
        self.factors: dict[tuple[int, ...], Array] = {}

    def forward(self, inputs: Array) -> None:
        factor = self.factors.setdefault(inputs.shape, np.full(inputs.shape, 2.0))
        self.output = inputs * factor

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.factors[dvalues.shape]


class Slotted:
    """Has no ``__dict__`` to watch it by."""

    __slots__ = ("dinputs", "output")

    def forward(self, inputs: Array) -> None:
        self.output = 2 * inputs

    def backward(self, dvalues: Array) -> None:
        self.dinputs = 2 * dvalues


RIGHT_OPERATIONS: list[type] = [
    Double,
    Counts,
    Identity,
    Reversed,
    DropsMask,
    LibraryDropout,
    RunningMean,
    OwnNormalization,
    WeightNormalization,
    StartsFromData,
    MadeInFirstForward,
    LimitsItsWeights,
    Pruned,
    TimeStep,
    CachesByShape,
    Slotted,
]


class FixedBatch:
    """Takes six samples and no other number."""

    def forward(self, inputs: Array) -> None:
        self.output = 2 * inputs.reshape(6, 4)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = 2 * dvalues


class Pairs:
    """Compares every two neighbours, so the number of samples is even."""

    def forward(self, inputs: Array) -> None:
        pairs = inputs.reshape(-1, 2, 4)
        self.output = pairs[:, 0] - pairs[:, 1]

    def backward(self, dvalues: Array) -> None:
        self.dinputs = np.stack([dvalues, -dvalues], axis=1).reshape(-1, 4)


class FixedWeights(SquaredError):
    """Weighs six samples, so that it takes no other number."""

    def __init__(self) -> None:
        self.importance = np.linspace(1, 2, 6)

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        return super().forward(y_pred, y_true) * self.importance

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        super().backward(y_pred, y_true)
        self.dinputs = self.dinputs * self.importance[:, np.newaxis]
        return self.dinputs
