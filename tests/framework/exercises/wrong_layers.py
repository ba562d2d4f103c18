"""Layers as learners get them wrong: see ``wrong_activations``."""

from typing import Any

import numpy as np

from framework import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    LayerNormalization,
    MaxPooling2D,
)

Array = Any
WRONG: list[tuple[Any, Any, str]] = []


def wrong(like: Any, hint: str, *arguments: Any) -> Any:
    """Add a class that should be like ``like``."""

    def add(cls: Any) -> Any:
        WRONG.append((cls(*arguments), like, hint))
        return cls

    return add


# Dense


class MyDense:
    def __init__(self, n_inputs: int = 4, n_neurons: int = 3) -> None:
        self.weights = np.random.normal(size=(n_inputs, n_neurons))
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues: Array) -> None:
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


@wrong(Dense(4, 3), "as if biases were 0")
class DenseWithoutBiases(MyDense):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = inputs @ self.weights


@wrong(Dense(4, 4), "matrix is to be transposed|weights are transposed", 4, 4)
class DenseNotTransposed(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dinputs = dvalues @ self.weights


@wrong(Dense(4, 3), "one of the two arrays to be transposed")
class DenseShapesDoNotFit(MyDense):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues @ self.weights


@wrong(Dense(4, 3), "rows and columns are exchanged|transposed|dvaluesᵀ @ inputs")
class DenseWeightsTransposed(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dweights = dvalues.T @ self.inputs


@wrong(Dense(4, 3), "dvalues added up over axis 1|wrong axis")
class DenseBiasesWrongAxis(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dbiases = dvalues.sum(axis=1, keepdims=True)


@wrong(Dense(4, 3), "keepdims=True")
class DenseBiasesFlat(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dbiases = dvalues.sum(axis=0)


@wrong(Dense(4, 3), "0.2 × as large: divided by the number of samples, 5")
class DenseMeanOfSamples(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dweights = self.inputs.T @ dvalues / len(dvalues)


@wrong(Dense(4, 3), "not `+=`")
class DenseAddsUp(MyDense):
    def __init__(self) -> None:
        super().__init__()
        self.dweights = np.zeros_like(self.weights)

    def backward(self, dvalues: Array) -> None:
        self.dweights += self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


@wrong(Dense(4, 3), "dvalues of one sample alone|samples alone")
class DenseBiasesOfOneSample(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dbiases = dvalues[:1].copy()


@wrong(Dense(4, 3), "__init__ has to make self.biases")
class DenseHasNoBiases(MyDense):
    def __init__(self) -> None:
        self.weights = np.zeros((4, 3))


@wrong(Dense(4, 3), "rows and columns are exchanged")
class DenseWeightsOfOtherShape(MyDense):
    def __init__(self) -> None:
        super().__init__()
        self.weights = self.weights.T


@wrong(Dense(4, 3), "new array each time")
class DenseOneOutput(MyDense):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        if not hasattr(self, "buffer") or len(self.buffer) < len(inputs):
            self.buffer = np.empty((100, 3))
        self.output = self.buffer[: len(inputs)]
        self.output[...] = inputs @ self.weights + self.biases


@wrong(Dense(4, 3, weight_regularizer_l2=0.1), "half of 0.1: is a factor of 2 missing")
class DensePenaltyWithoutTwo(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dweights += 0.1 * self.weights


@wrong(Dense(4, 3, weight_regularizer_l1=0.1), "its sign, not |w|")
class DensePenaltyOfSize(MyDense):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dweights += 0.1 * np.abs(self.weights)


# Dropout


class MyDropout:
    def __init__(self, rate: float = 0.3) -> None:
        self.rate = rate

    def forward(self, inputs: Array, training: bool = True) -> None:
        keep = 1 - self.rate
        self.mask = np.random.binomial(1, keep, inputs.shape) / keep
        if not training:
            self.mask = np.ones_like(inputs)
        self.output = inputs * self.mask

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


@wrong(Dropout(0.3), "have to be divided by 1 − rate")
class DropoutNotScaled(MyDropout):
    def forward(self, inputs: Array, training: bool = True) -> None:
        self.mask = np.random.binomial(1, 1 - self.rate, inputs.shape)
        self.output = inputs * self.mask


@wrong(Dropout(0.3), "not by rate|as many are dropped as should be kept")
class DropoutKeepsRate(MyDropout):
    def __init__(self) -> None:
        super().__init__(0.7)


@wrong(Dropout(0.3), "as many are dropped as should be kept")
class DropoutOtherWayRound(MyDropout):
    def forward(self, inputs: Array, training: bool = True) -> None:
        self.mask = (np.random.random(inputs.shape) < self.rate) / (1 - self.rate)
        self.output = inputs * self.mask


@wrong(Dropout(0.3), "look at training")
class DropoutAlways(MyDropout):
    def forward(self, inputs: Array, training: bool = True) -> None:
        super().forward(inputs, True)


@wrong(Dropout(0.3), "dvalues themselves")
class DropoutForwardOnly(MyDropout):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues.copy()


@wrong(Dropout(0.3), "use the mask of forward")
class DropoutDrawsAgain(MyDropout):
    def backward(self, dvalues: Array) -> None:
        self.mask = np.random.binomial(1, 0.7, dvalues.shape) / 0.7
        self.dinputs = dvalues * self.mask


@wrong(Dropout(0.3), "draw a new mask in every forward")
class DropoutSeeds(MyDropout):
    def forward(self, inputs: Array, training: bool = True) -> None:
        np.random.seed(0)
        super().forward(inputs, training)


# Batch and layer normalization


class MyBatchNorm:
    def __init__(self) -> None:
        self.weights, self.biases = np.ones((1, 4)), np.zeros((1, 4))
        self.running_mean, self.running_variance = np.zeros((1, 4)), np.ones((1, 4))

    def statistics(self, inputs: Array) -> tuple[Array, Array]:
        return inputs.mean(axis=0, keepdims=True), inputs.var(axis=0, keepdims=True)

    def forward(self, inputs: Array, training: bool = True) -> None:
        mean, variance = self.running_mean, self.running_variance
        if training:
            mean, variance = self.statistics(inputs)
            self.running_mean = 0.9 * self.running_mean + 0.1 * mean
            self.running_variance = 0.9 * self.running_variance + 0.1 * variance
        self.training, self.deviation = training, np.sqrt(variance + 1e-5)
        self.normalized = (inputs - mean) / self.deviation
        self.output = self.weights * self.normalized + self.biases

    def backward(self, dvalues: Array) -> None:
        self.dweights = (dvalues * self.normalized).sum(axis=0, keepdims=True)
        self.dbiases = dvalues.sum(axis=0, keepdims=True)
        g = dvalues * self.weights
        if self.training:
            along = self.normalized * (g * self.normalized).mean(axis=0)
            g = g - g.mean(axis=0) - along
        self.dinputs = g / self.deviation


@wrong(BatchNormalization(4), "two terms are missing")
class BatchNormWithoutTerms(MyBatchNorm):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        self.dinputs = dvalues * self.weights / self.deviation


@wrong(BatchNormalization(4), "through the variance is missing")
class BatchNormWithoutVariance(MyBatchNorm):
    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        g = dvalues * self.weights
        self.dinputs = (g - g.mean(axis=0)) / self.deviation


@wrong(BatchNormalization(4), "wrong axis")
class BatchNormOverFeatures(MyBatchNorm):
    def statistics(self, inputs: Array) -> tuple[Array, Array]:
        return inputs.mean(axis=1, keepdims=True), inputs.var(axis=1, keepdims=True)

    def forward(self, inputs: Array, training: bool = True) -> None:
        mean, variance = self.statistics(inputs)
        self.training, self.deviation = training, np.sqrt(variance + 1e-5)
        self.normalized = (inputs - mean) / self.deviation
        self.output = self.weights * self.normalized + self.biases


@wrong(BatchNormalization(4), "ddof=1")
class BatchNormUnbiased(MyBatchNorm):
    def statistics(self, inputs: Array) -> tuple[Array, Array]:
        return inputs.mean(axis=0, keepdims=True), inputs.var(axis=0, keepdims=True, ddof=1)


@wrong(BatchNormalization(4), "momentum were 1 − 0.9")
class BatchNormMomentum(MyBatchNorm):
    def forward(self, inputs: Array, training: bool = True) -> None:
        mean, variance = self.running_mean, self.running_variance
        super().forward(inputs, training)
        if training:
            now = self.statistics(inputs)
            self.running_mean = 0.1 * mean + 0.9 * now[0]
            self.running_variance = 0.1 * variance + 0.9 * now[1]


@wrong(BatchNormalization(4), "training=True should give")
class BatchNormIgnoresMode(MyBatchNorm):
    def forward(self, inputs: Array, training: bool = True) -> None:
        super().forward(inputs, True)


@wrong(LayerNormalization(4), "variance in place of its root")
class LayerNormByVariance(MyBatchNorm):
    def forward(self, inputs: Array, training: bool = True) -> None:
        mean = inputs.mean(axis=1, keepdims=True)
        self.deviation = inputs.var(axis=1, keepdims=True) + 1e-5
        self.normalized = (inputs - mean) / self.deviation
        self.output = self.weights * self.normalized + self.biases
        self.training = True


# Images


@wrong(MaxPooling2D(), "what AveragePooling2D computes")
class PoolsByMean:
    def forward(self, inputs: Array) -> None:
        n, h, w, c = inputs.shape
        self.shape = inputs.shape
        windows = inputs[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c)
        self.output = windows.mean(axis=(2, 4))

    def backward(self, dvalues: Array) -> None:
        self.dinputs = np.zeros(self.shape)
        _, h, w, _ = dvalues.shape
        share = dvalues.repeat(2, axis=1).repeat(2, axis=2) / 4
        self.dinputs[:, : 2 * h, : 2 * w] = share


@wrong(Conv2D(1, 1, 3), "flipped along both axes")
class ConvolvesFlipped:
    def __init__(self) -> None:
        self.weights, self.biases = np.zeros((3, 3, 1, 1)), np.zeros((1, 1))

    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        kernel = self.weights[::-1, ::-1]
        height, width = inputs.shape[1] - 2, inputs.shape[2] - 2
        self.output = np.zeros((len(inputs), height, width, 1)) + self.biases
        for i in range(3):
            for j in range(3):
                self.output += inputs[:, i : i + height, j : j + width] * kernel[i, j]

    def backward(self, dvalues: Array) -> None:
        self.dinputs = np.zeros_like(self.inputs)
        self.dweights, self.dbiases = np.zeros_like(self.weights), np.zeros_like(self.biases)
