"""Right operations in the styles in which people write them; none may be called wrong."""

from typing import Any

import numpy as np

from framework import (
    ELU,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LeakyReLU,
    MaxPooling2D,
    Operation,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)

Array = Any
RIGHT: list[tuple[Any, Any]] = []


def right(like: Any, *arguments: Any) -> Any:
    """Add an instance of a class that is like ``like``."""

    def add(cls: Any) -> Any:
        RIGHT.append((cls(*arguments), like))
        return cls

    return add


@right(ReLU())
class BookReLU:
    def forward(self, inputs: Array, training: bool) -> None:
        self.inputs = inputs
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues.copy()
        self.dinputs[self.inputs <= 0] = 0


@right(ReLU())
class ReturningReLU:
    def forward(self, inputs: Array) -> Array:
        self.mask = (inputs > 0).astype(np.float32)
        self.output = inputs * self.mask
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dinputs = dvalues * self.mask
        return self.dinputs


@right(ReLU())
class DerivedReLU(Operation):
    def forward(self, inputs: Array, training: bool = True) -> Array:
        self.output = np.where(inputs >= 0, inputs, 0)
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dinputs = np.where(self.output > 0, dvalues, 0)
        return self.dinputs


@right(ReLU())
class LoopingReLU:
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.array([[max(0.0, value) for value in row] for row in inputs])

    def backward(self, dvalues: Array) -> None:
        self.dinputs = np.zeros(dvalues.shape)
        for i, row in enumerate(self.inputs):
            for j, value in enumerate(row):
                if value > 0:
                    self.dinputs[i, j] = dvalues[i, j]


@right(LeakyReLU(0.2), 0.2)
class Leaky:
    def __init__(self, slope: float) -> None:
        self.slope = slope

    def forward(self, x: Array, *, training: bool = True) -> Array:
        self.factor = np.where(x > 0, 1.0, self.slope)
        self.output = x * self.factor
        return self.output

    def backward(self, dvalues: Array) -> None:
        self.dinputs = self.factor * dvalues


@right(Sigmoid())
class PlainSigmoid:
    def forward(self, inputs: Array) -> None:
        self.output = 1 / (1 + np.exp(-inputs))

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * (1 - self.output) * self.output


@right(Sigmoid())
class SigmoidByTanh:
    def forward(self, inputs: Array) -> Array:
        self.inputs = inputs
        self.output = (np.tanh(inputs / 2) + 1) / 2
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dinputs = dvalues / (np.cosh(np.clip(self.inputs, -300, 300) / 2) ** 2) / 4
        return self.dinputs


@right(Tanh())
class PlainTanh:
    def forward(self, inputs: Array, training: bool = False) -> None:
        self.output = np.tanh(inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues - dvalues * self.output**2


@right(ELU(0.7))
class PlainELU:
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.where(inputs > 0, inputs, 0.7 * (np.exp(np.minimum(inputs, 0)) - 1))

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * np.where(self.inputs > 0, 1, self.output + 0.7)


@right(Softmax())
class BookSoftmax:
    def forward(self, inputs: Array, training: bool) -> None:
        powers = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = powers / np.sum(powers, axis=1, keepdims=True)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = np.empty_like(dvalues)
        for i, (output, single) in enumerate(zip(self.output, dvalues, strict=True)):
            output = output.reshape(-1, 1)
            jacobian = np.diagflat(output) - np.dot(output, output.T)
            self.dinputs[i] = np.dot(jacobian, single)


@right(Softmax())
class SoftmaxByEinsum:
    def forward(self, inputs: Array) -> Array:
        self.output = np.exp(inputs - np.logaddexp.reduce(inputs, axis=-1, keepdims=True))
        return self.output

    def backward(self, dvalues: Array) -> Array:
        mean = np.einsum("ij,ij->i", dvalues, self.output)
        self.dinputs = self.output * (dvalues - mean[:, None])
        return self.dinputs


@right(Dense(4, 3), 4, 3)
class BookDense:
    def __init__(self, n_inputs: int, n_neurons: int) -> None:
        self.weights = 0.01 * np.random.randn(n_inputs, n_neurons)
        self.biases = np.zeros((1, n_neurons))

    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.dot(inputs, self.weights) + self.biases

    def backward(self, dvalues: Array) -> None:
        self.dweights = np.dot(self.inputs.T, dvalues)
        self.dbiases = np.sum(dvalues, axis=0, keepdims=True)
        self.dinputs = np.dot(dvalues, self.weights.T)


@right(Dense(4, 3))
class Dense32:
    """In float32, with flat biases, and gradients written in place."""

    def __init__(self) -> None:
        self.weights = np.random.rand(4, 3).astype(np.float32)
        self.biases = np.zeros(3, dtype=np.float32)
        self.dweights, self.dbiases = np.zeros_like(self.weights), np.zeros_like(self.biases)

    def forward(self, inputs: Array, training: bool = True) -> Array:
        self.inputs = inputs.astype(np.float32)
        self.output = self.inputs @ self.weights + self.biases
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dweights[...] = self.inputs.T @ dvalues
        self.dbiases[...] = dvalues.sum(axis=0)
        self.dinputs = (dvalues @ self.weights.T).astype(np.float32)
        return self.dinputs


@right(Dense(4, 3, weight_regularizer_l1=0.1, weight_regularizer_l2=0.2))
class DenseWithPenalties(BookDense):
    def __init__(self) -> None:
        super().__init__(4, 3)

    def backward(self, dvalues: Array) -> None:
        super().backward(dvalues)
        signs = np.ones_like(self.weights)
        signs[self.weights < 0] = -1
        self.dweights += 0.1 * signs
        self.dweights += 2 * 0.2 * self.weights


@right(Dense(4, 3, use_bias=False))
class DenseWithoutBiases:
    def __init__(self) -> None:
        self.weights = np.zeros((4, 3))

    def forward(self, inputs: Array) -> Array:
        self.x = inputs
        self.output = np.einsum("si,ij->sj", inputs, self.weights)
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dweights = sum(np.outer(x, d) for x, d in zip(self.x, dvalues, strict=True))
        self.dinputs = dvalues.dot(self.weights.T)
        return self.dinputs


@right(Dropout(0.3), 0.3)
class BookDropout:
    def __init__(self, rate: float) -> None:
        self.rate = 1 - rate

    def forward(self, inputs: Array, training: bool) -> None:
        if not training:
            self.output = inputs.copy()
            self.binary_mask = np.ones_like(inputs)
            return
        self.binary_mask = np.random.binomial(1, self.rate, size=inputs.shape) / self.rate
        self.output = inputs * self.binary_mask

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.binary_mask


@right(Dropout(0.5))
class DropoutOfOwnGenerator:
    def __init__(self) -> None:
        self.generator = np.random.default_rng()

    def forward(self, inputs: Array, training: bool = True) -> Array:
        self.kept = self.generator.random(inputs.shape) > 0.5 if training else None
        self.output = inputs if self.kept is None else np.where(self.kept, 2 * inputs, 0)
        return self.output

    def backward(self, dvalues: Array) -> Array:
        self.dinputs = dvalues if self.kept is None else np.where(self.kept, 2 * dvalues, 0)
        return self.dinputs


@right(BatchNormalization(4))
class StepwiseBatchNorm:
    """Its gradient step by step, as in a well-known picture of its graph."""

    def __init__(self) -> None:
        self.weights, self.biases = np.ones(4), np.zeros(4)
        self.moving_mean, self.moving_variance = np.zeros(4), np.ones(4)

    def forward(self, inputs: Array, training: bool = True) -> Array:
        self.training = training
        if training:
            mean, variance = np.mean(inputs, axis=0), np.var(inputs, axis=0)
            self.moving_mean += 0.1 * (mean - self.moving_mean)
            self.moving_variance += 0.1 * (variance - self.moving_variance)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        self.centred, self.root = inputs - mean, np.sqrt(variance + 1e-5)
        self.normalized = self.centred / self.root
        self.output = self.normalized * self.weights + self.biases
        return self.output

    def backward(self, dvalues: Array) -> Array:
        n = len(dvalues)
        self.dbiases = dvalues.sum(axis=0)
        self.dweights = (dvalues * self.normalized).sum(axis=0)
        dnormalized = dvalues * self.weights
        if not self.training:
            self.dinputs = dnormalized / self.root
            return self.dinputs
        dvariance = (dnormalized * self.centred * -0.5 * self.root**-3).sum(axis=0)
        dmean = (-dnormalized / self.root).sum(axis=0) - 2 * dvariance * self.centred.mean(axis=0)
        self.dinputs = dnormalized / self.root + dvariance * 2 * self.centred / n + dmean / n
        return self.dinputs


@right(Flatten())
class FlattenByReshape:
    def forward(self, inputs: Array) -> None:
        self.shape = inputs.shape
        self.output = inputs.reshape(inputs.shape[0], -1)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues.reshape(self.shape)


@right(Conv2D(2, 3, 2))
class LoopingConv2D:
    def __init__(self) -> None:
        self.weights, self.biases = np.zeros((2, 2, 2, 3)), np.zeros((1, 3))

    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        n, height, width, _ = inputs.shape
        self.output = np.zeros((n, height - 1, width - 1, 3))
        for i in range(height - 1):
            for j in range(width - 1):
                window = inputs[:, i : i + 2, j : j + 2, :, None]
                self.output[:, i, j] = (window * self.weights).sum(axis=(1, 2, 3))
        self.output += self.biases[0]

    def backward(self, dvalues: Array) -> None:
        self.dinputs, self.dweights = np.zeros_like(self.inputs), np.zeros_like(self.weights)
        for i in range(dvalues.shape[1]):
            for j in range(dvalues.shape[2]):
                d = dvalues[:, i, j]
                window = self.inputs[:, i : i + 2, j : j + 2]
                self.dweights += np.einsum("nhwc,nf->hwcf", window, d)
                self.dinputs[:, i : i + 2, j : j + 2] += np.einsum("hwcf,nf->nhwc", self.weights, d)
        self.dbiases = dvalues.sum(axis=(0, 1, 2)).reshape(1, -1)


@right(MaxPooling2D())
class LoopingMaxPooling:
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        n, height, width, channels = inputs.shape
        self.output = np.zeros((n, height // 2, width // 2, channels))
        for i in range(height // 2):
            for j in range(width // 2):
                self.output[:, i, j] = inputs[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max((1, 2))

    def backward(self, dvalues: Array) -> None:
        self.dinputs = np.zeros_like(self.inputs)
        for n, i, j, c in np.ndindex(dvalues.shape):
            window = self.inputs[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
            a, b = np.unravel_index(window.argmax(), window.shape)
            self.dinputs[n, 2 * i + a, 2 * j + b, c] = dvalues[n, i, j, c]
