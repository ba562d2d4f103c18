"""Right losses and optimizers in the styles of their authors: see ``right_operations``."""

import math
from typing import Any

import numpy as np

from framework import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SoftmaxCategoricalCrossentropy,
)
from optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop

Array = Any
LOSSES: list[tuple[Any, Any]] = []
OPTIMIZERS: list[tuple[Any, Any]] = []


def right(answers: list[tuple[Any, Any]], like: Any, *arguments: Any) -> Any:
    """Add an instance of a class that is like ``like``."""

    def add(cls: Any) -> Any:
        answers.append((cls(*arguments), like))
        return cls

    return add


# Losses


@right(LOSSES, MeanSquaredError())
class BookSquaredError:
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return np.mean((y_true - y_pred) ** 2, axis=-1)

    def calculate(self, y_pred: Array, y_true: Array) -> Any:
        return np.mean(self.forward(y_pred, y_true))

    def backward(self, dvalues: Array, y_true: Array) -> None:
        samples, outputs = len(dvalues), len(dvalues[0])
        self.dinputs = -2 * (y_true - dvalues) / outputs
        self.dinputs = self.dinputs / samples


@right(LOSSES, MeanAbsoluteError())
class DerivedAbsoluteError(Loss):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return np.abs(y_pred - y_true).sum(axis=1) / y_pred.shape[1]

    def backward(self, y_pred: Array, y_true: Array) -> Array:
        self.dinputs = np.where(y_pred > y_true, 1.0, -1.0) / y_pred.size
        return self.dinputs


@right(LOSSES, CategoricalCrossentropy())
class BookCrossentropy:
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        clipped = np.clip(y_pred, 1e-7, 1 - 1e-7)
        if len(y_true.shape) == 1:
            confidences = clipped[range(len(y_pred)), y_true]
        else:
            confidences = np.sum(clipped * y_true, axis=1)
        return -np.log(confidences)

    def backward(self, dvalues: Array, y_true: Array) -> None:
        if len(y_true.shape) == 1:
            y_true = np.eye(len(dvalues[0]))[y_true]
        self.dinputs = -y_true / np.clip(dvalues, 1e-12, None)
        self.dinputs = self.dinputs / len(dvalues)


@right(LOSSES, BinaryCrossentropy())
class OtherCrossentropy:
    """Clipped elsewhere, with the gradient as one quotient."""

    def forward(self, y_pred: Array, y_true: Array) -> Array:
        p = np.clip(y_pred, 1e-9, 1 - 1e-9)
        return np.mean(-y_true * np.log(p) - (1 - y_true) * np.log1p(-p), axis=1)

    def backward(self, y_pred: Array, y_true: Array) -> Array:
        p = np.clip(y_pred, 1e-9, 1 - 1e-9)
        self.dinputs = (p - y_true) / (p * (1 - p)) / y_true.size
        return self.dinputs


@right(LOSSES, SoftmaxCategoricalCrossentropy())
class BookFused:
    def forward(self, inputs: Array, y_true: Array) -> Any:
        powers = np.exp(inputs - np.max(inputs, axis=1, keepdims=True))
        self.output = powers / np.sum(powers, axis=1, keepdims=True)
        return np.mean(BookCrossentropy().forward(self.output, y_true))

    def backward(self, dvalues: Array, y_true: Array) -> None:
        if len(y_true.shape) == 2:
            y_true = np.argmax(y_true, axis=1)
        self.dinputs = dvalues.copy()
        self.dinputs[range(len(dvalues)), y_true] -= 1
        self.dinputs = self.dinputs / len(dvalues)


# Optimizers


@right(OPTIMIZERS, SGD(0.5))
class ThreeLines:
    def update_params(self, layer: Any) -> None:
        layer.weights += -0.5 * layer.dweights
        layer.biases += -0.5 * layer.dbiases


@right(OPTIMIZERS, SGD(0.1, decay=0.01, momentum=0.9))
class BookSGD:
    def __init__(self) -> None:
        self.learning_rate = self.current_learning_rate = 0.1
        self.iterations = 0

    def pre_update_params(self) -> None:
        self.current_learning_rate = self.learning_rate * (1.0 / (1.0 + 0.01 * self.iterations))

    def update_params(self, layer: Any) -> None:
        if not hasattr(layer, "weight_momentums"):
            layer.weight_momentums = np.zeros_like(layer.weights)
            layer.bias_momentums = np.zeros_like(layer.biases)
        updates = 0.9 * layer.weight_momentums - self.current_learning_rate * layer.dweights
        layer.weight_momentums = updates
        bias_updates = 0.9 * layer.bias_momentums - self.current_learning_rate * layer.dbiases
        layer.bias_momentums = bias_updates
        layer.weights += updates
        layer.biases += bias_updates

    def post_update_params(self) -> None:
        self.iterations += 1


@right(OPTIMIZERS, SGD(0.1, momentum=0.9, nesterov=True))
class NesterovOfGradients:
    """The form of PyTorch: the learning rate outside of the velocity."""

    def __init__(self) -> None:
        self.state: dict[tuple[int, str], Array] = {}

    def update_params(self, layer: Any) -> None:
        for name in ("weights", "biases"):
            gradient = getattr(layer, "d" + name)
            velocity = 0.9 * self.state.get((id(layer), name), 0.0) + gradient
            self.state[id(layer), name] = velocity
            setattr(layer, name, getattr(layer, name) - 0.1 * (gradient + 0.9 * velocity))


@right(OPTIMIZERS, Adagrad(0.2), 0.2)
class DerivedAdagrad(Optimizer):
    def update(self, parameter: Array, gradient: Array, state: Any) -> None:
        cache = state.array("squares", like=parameter)
        cache += gradient * gradient
        parameter -= self.current_learning_rate * gradient / (cache**0.5 + 1e-7)


@right(OPTIMIZERS, RMSprop(0.02))
class RMSpropByLerp:
    def __init__(self) -> None:
        self.squares: dict[int, Array] = {}

    def update_params(self, layer: Any) -> None:
        for name in ("weights", "biases"):
            parameter, gradient = getattr(layer, name), getattr(layer, "d" + name)
            old = self.squares.get(id(parameter), np.zeros_like(parameter))
            self.squares[id(parameter)] = new = old + 0.1 * (gradient**2 - old)
            parameter -= 0.02 * gradient / (np.sqrt(new) + 1e-7)


@right(OPTIMIZERS, Adam(0.01))
class AdamOfThePaper:
    """Both corrections in the step size, as at the end of the paper's section 2, but epsilon."""

    def __init__(self) -> None:
        self.t = 0
        self.state: dict[tuple[int, str], tuple[Array, Array]] = {}

    def pre_update_params(self) -> None:
        self.t += 1

    def update_params(self, layer: Any) -> None:
        for name in ("weights", "biases"):
            parameter, g = getattr(layer, name), getattr(layer, "d" + name)
            m, v = self.state.get((id(layer), name), (0.0, 0.0))
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            self.state[id(layer), name] = m, v
            root = math.sqrt(1 - 0.999**self.t)
            parameter -= 0.01 * root / (1 - 0.9**self.t) * m / (np.sqrt(v) + 1e-7 * root)
