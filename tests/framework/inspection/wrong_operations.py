"""Operations and losses with faults that a single batch does not show.

Inputs are ``(samples, 4)`` and positive, targets of the losses of the same shape. With each class
stands what its report says. The gradients of a first batch of six samples are right in most.
"""

from typing import Any

import numpy as np

from tests.framework.inspection.right_operations import Double, SquaredError

Array = np.ndarray


# Arrays of others


class WritesIntoDvalues(Double):
    def backward(self, dvalues: Array) -> None:
        self.dweights = (self.inputs * dvalues).sum(axis=0, keepdims=True)
        dvalues *= self.weights
        self.dinputs = dvalues.copy()


class ReturnsDvaluesScaled(Double):
    def backward(self, dvalues: Array) -> None:
        self.dweights = (self.inputs * dvalues).sum(axis=0, keepdims=True)
        self.dinputs = np.multiply(dvalues, self.weights, out=dvalues)


class WritesIntoInputs(Double):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs.copy()
        inputs *= self.weights
        self.output = inputs.copy()


class ClipsInputs:
    """A ReLU that changes what the operation before it has stored."""

    def forward(self, inputs: Array) -> None:
        inputs -= 1.0
        self.mask = inputs > 0
        inputs[inputs < 0] = 0
        self.output = inputs

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


class BackwardWritesIntoInputs(Double):
    def backward(self, dvalues: Array) -> None:
        self.inputs *= dvalues
        self.dweights = self.inputs.sum(axis=0, keepdims=True)
        self.dinputs = dvalues * self.weights


class BackwardWritesIntoOutput:
    def forward(self, inputs: Array) -> None:
        self.output = 1 / (1 + np.exp(-inputs))

    def backward(self, dvalues: Array) -> None:
        self.output *= 1 - self.output
        self.dinputs = dvalues * self.output


class OneOutputForAll(Double):
    buffer = None

    def forward(self, inputs: Array) -> None:
        if self.buffer is None or len(self.buffer) != len(inputs):
            self.buffer = np.empty_like(inputs)
        self.inputs = inputs
        self.output = np.multiply(inputs, self.weights, out=self.buffer)


class OneDinputsForAll(Double):
    buffer = None

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        if self.buffer is None or len(self.buffer) != len(dvalues):
            self.buffer = np.empty_like(dvalues)
        self.buffer[...] = self.dinputs
        self.dinputs = self.buffer


class TrainsItself(Double):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.weights -= 0.01 * self.dweights  # the differences see other weights


class ReturnsAnotherOutput(Double):
    def forward(self, inputs: Array) -> Array:
        super().forward(inputs)
        output = self.output
        self.output = inputs
        return output


class ReturnsAnotherGradient(Double):
    def backward(self, dvalues: Array) -> Array:
        super().backward(dvalues)
        return dvalues


# Earlier batches


class AddsToGradient(Double):
    def backward(self, dvalues: Array) -> None:
        self.dweights += (self.inputs * dvalues).sum(axis=0, keepdims=True)
        self.dinputs = dvalues * self.weights


class AddsToDinputs(Double):
    def backward(self, dvalues: Array) -> None:
        before = getattr(self, "dinputs", np.zeros_like(dvalues))
        super().backward(dvalues)
        if before.shape == self.dinputs.shape:
            self.dinputs = before + self.dinputs


class AveragesGradients(Double):
    """With a momentum of its own, which is the optimizer's work."""

    average: Array | None = None

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.average = self.dweights if self.average is None else self.average
        self.average = 0.9 * self.average + 0.1 * self.dweights
        self.dweights = self.average


class MaskOfFirstBatch:
    mask: Array | None = None

    def forward(self, inputs: Array) -> None:
        if self.mask is None:
            self.mask = np.random.random(inputs.shape) < 0.5
        self.output = inputs * self.mask

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


class SidesOfFirstBatch:
    """A ReLU around 1 whose mask is cut to the size of the batch."""

    mask: Array | None = None

    def forward(self, inputs: Array) -> None:
        if self.mask is None:
            self.mask = inputs > 1
        self.output = np.maximum(inputs, 1)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * np.resize(self.mask, dvalues.shape)


class InputsOfFirstBatch(Double):
    first: Array | None = None

    def forward(self, inputs: Array) -> None:
        super().forward(inputs)
        if self.first is None:
            self.first = inputs.copy()

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        first = np.resize(self.first, dvalues.shape)
        self.dweights = (first * dvalues).sum(axis=0, keepdims=True)


class SizeOfFirstBatch(Double):
    samples: int | None = None

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.samples = self.samples or len(dvalues)
        self.dweights = (self.inputs * dvalues).mean(axis=0, keepdims=True) * self.samples


class LastBatchInstead(Double):
    """Its gradient is always that of the batch before, if that had another size."""

    kept: Array | None = None

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        own = len(dvalues), self.dweights
        if self.kept is not None and self.kept[0] != own[0]:
            self.dweights = self.kept[1]
        self.kept = own


class OwnGenerator:
    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)

    def forward(self, inputs: Array) -> None:
        self.mask = self.generator.random(inputs.shape)
        self.output = inputs * self.mask

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


class Unseeded(OwnGenerator):
    def forward(self, inputs: Array) -> None:
        self.generator = np.random.default_rng()
        super().forward(inputs)


class CountsPasses(Double):
    passes = 0

    def forward(self, inputs: Array) -> None:
        self.passes += 1
        super().forward(inputs)
        self.output = self.output + 1 / self.passes


# Parameters that nothing trains


class UnlistedAlpha:
    def __init__(self) -> None:
        self.alpha = np.full((1, 4), 0.3)

    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = self.alpha * inputs**2

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * 2 * self.alpha * self.inputs
        self.dalpha = (dvalues * self.inputs**2).sum(axis=0, keepdims=True)


class UnlistedWrongAlpha(UnlistedAlpha):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dalpha = 3 * self.dalpha


class UnlistedNumber(UnlistedAlpha):
    def __init__(self) -> None:
        self.alpha: Any = 0.3

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dalpha = float(self.dalpha.sum())


class UnlistedBiases(Double):
    parameters = ("weights",)

    def __init__(self) -> None:
        super().__init__()
        self.biases = np.zeros((1, 4))
        self.dbiases = np.zeros((1, 4))

    def forward(self, inputs: Array) -> None:
        super().forward(inputs)
        self.output = self.output + self.biases

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dbiases[...] = dvalues.sum(axis=0, keepdims=True)


WRONG_OPERATIONS: dict[type, str] = {
    WritesIntoDvalues: "backward writes into dvalues",
    ReturnsDvaluesScaled: "backward writes into dvalues",
    WritesIntoInputs: "forward writes into inputs",
    ClipsInputs: "forward writes into inputs",
    BackwardWritesIntoInputs: "backward writes into the inputs of the last forward",
    BackwardWritesIntoOutput: "backward writes into the output of the last forward",
    OneOutputForAll: "forward writes into the output of the last forward",
    OneDinputsForAll: "backward writes into the dinputs of the last backward",
    TrainsItself: "backward changes weights",
    ReturnsAnotherOutput: "forward returns something else than it stores in output",
    ReturnsAnotherGradient: "backward returns something else than it stores in dinputs",
    AddsToGradient: "another dweights, 2 times the first",
    AddsToDinputs: "another dinputs, 2 times the first",
    AveragesGradients: "dweights",
    MaskOfFirstBatch: "something of the first batch is kept",
    SidesOfFirstBatch: "gives a wrong dinputs",
    InputsOfFirstBatch: "gives a wrong dweights",
    SizeOfFirstBatch: "gives a wrong dweights",
    LastBatchInstead: "after a batch of another size, the backward of the first one",
    OwnGenerator: "two forward passes of the same inputs differ",
    Unseeded: "two forward passes of the same inputs differ",
    CountsPasses: "two forward passes of the same inputs differ",
    UnlistedAlpha: "alpha has a gradient, dalpha, but is not among its parameters",
    UnlistedWrongAlpha: "parameters = ('alpha',)",
    UnlistedNumber: "parameters = ('alpha',)",
    UnlistedBiases: "parameters = ('weights', 'biases')",
}


# Losses


class FixedSize(SquaredError):
    """Divides by the six samples of a first batch of six."""

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = 2 * (y_pred - y_true) / y_pred.shape[1] / 6
        return self.dinputs


class SizeOfFirst(SquaredError):
    size: int | None = None

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        self.size = self.size or y_pred.size
        return super().forward(y_pred, y_true)

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.dinputs = 2 * (y_pred - y_true) / self.size
        return self.dinputs


class TargetsOfFirst(SquaredError):
    targets: Any = None

    def backward(self, y_pred: Any, y_true: Any) -> Any:
        self.targets = y_true if self.targets is None else self.targets
        return super().backward(y_pred, np.resize(self.targets, y_pred.shape))


class WritesIntoPredictions(SquaredError):
    def backward(self, y_pred: Any, y_true: Any) -> Any:
        y_pred -= y_true
        self.dinputs = 2 * y_pred / y_pred.size
        return self.dinputs


class WritesIntoTargets(SquaredError):
    def forward(self, y_pred: Any, y_true: Any) -> Any:
        y_true -= y_pred
        return np.square(y_true).mean(axis=1)


class AddsToLossGradient(SquaredError):
    def backward(self, y_pred: Any, y_true: Any) -> Any:
        before = getattr(self, "dinputs", 0.0)
        super().backward(y_pred, y_true)
        if np.shape(before) == self.dinputs.shape:
            self.dinputs = self.dinputs + before
        return self.dinputs


WRONG_LOSSES: dict[type, str] = {
    FixedSize: "divided by 6, the size of the first batch?",
    SizeOfFirst: "divided by 6, the size of the first batch?",
    TargetsOfFirst: "gives a wrong dinputs",
    WritesIntoPredictions: "backward writes into y_pred",
    WritesIntoTargets: "forward writes into y_true",
    AddsToLossGradient: "another dinputs, 2 times the first",
}
