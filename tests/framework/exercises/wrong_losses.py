"""Losses as learners get them wrong: see ``wrong_activations``."""

from typing import Any

import numpy as np

from framework import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    SoftmaxCategoricalCrossentropy,
)

Array = Any
WRONG: list[tuple[Any, Any, str]] = []


def wrong(like: Any, hint: str) -> Any:
    """Add a class that should be like ``like``."""

    def add(cls: Any) -> Any:
        WRONG.append((cls(), like, hint))
        return cls

    return add


# Mean squared and mean absolute error


class MySquaredError:
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return np.mean((y_true - y_pred) ** 2, axis=-1)

    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = 2 * (y_pred - y_true) / y_pred.size


@wrong(MeanSquaredError(), "opposite sign")
class SquaredErrorSign(MySquaredError):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = 2 * (y_true - y_pred) / y_pred.size


@wrong(MeanSquaredError(), "5 × as large: not divided by the number of samples, 5")
class SquaredErrorNotDivided(MySquaredError):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = 2 * (y_pred - y_true) / y_pred.shape[1]


@wrong(MeanSquaredError(), "not divided by the number of outputs, 3")
class SquaredErrorNotDividedByOutputs(MySquaredError):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = 2 * (y_pred - y_true) / len(y_pred)


@wrong(MeanSquaredError(), "a factor of 2 missing")
class SquaredErrorWithoutTwo(MySquaredError):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = (y_pred - y_true) / y_pred.size


@wrong(MeanSquaredError(), "one loss for each sample")
class SquaredErrorOfAll(MySquaredError):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return np.mean((y_true - y_pred) ** 2)


@wrong(MeanSquaredError(), "wrong axis")
class SquaredErrorWrongAxis(MySquaredError):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return np.mean((y_true - y_pred) ** 2, axis=0)


@wrong(MeanSquaredError(), "what MeanAbsoluteError computes")
class SquaredErrorIsAbsolute(MySquaredError):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return np.mean(np.abs(y_true - y_pred), axis=-1)


@wrong(MeanSquaredError(), "writes into the y_pred")
class SquaredErrorInPlace(MySquaredError):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        y_pred -= y_true
        self.dinputs = 2 * y_pred / y_pred.size


@wrong(MeanAbsoluteError(), "its sign")
class AbsoluteErrorWithoutSign(MySquaredError):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return np.mean(np.abs(y_true - y_pred), axis=-1)

    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = (y_pred - y_true) / y_pred.size


@wrong(Huber(delta=0.5), "delta were 1|delta")
class HuberIgnoresDelta(MySquaredError):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        error = np.abs(y_pred - y_true)
        return np.where(error <= 1, error**2 / 2, error - 0.5).mean(axis=-1)

    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = np.clip(y_pred - y_true, -1, 1) / y_pred.size


# Cross-entropies


class MyCrossentropy:
    def rows(self, y_pred: Array, y_true: Array) -> Array:
        return y_true if y_true.ndim == 2 else np.eye(y_pred.shape[1])[y_true]

    def forward(self, y_pred: Array, y_true: Array) -> Array:
        clipped = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return -np.log((clipped * self.rows(y_pred, y_true)).sum(axis=1))

    def backward(self, y_pred: Array, y_true: Array) -> None:
        clipped = np.clip(y_pred, 1e-7, 1 - 1e-7)
        self.dinputs = -self.rows(y_pred, y_true) / clipped / len(y_pred)


@wrong(CategoricalCrossentropy(), "opposite sign")
class CrossentropySign(MyCrossentropy):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return -super().forward(y_pred, y_true)


@wrong(CategoricalCrossentropy(), "log2")
class CrossentropyInBits(MyCrossentropy):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return super().forward(y_pred, y_true) / np.log(2)


@wrong(CategoricalCrossentropy(), "divided by the number of samples")
class CrossentropyNotDivided(MyCrossentropy):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        super().backward(y_pred, y_true)
        self.dinputs = self.dinputs * len(y_pred)


@wrong(CategoricalCrossentropy(), "where the activation is fused")
class CrossentropyOfLogits(MyCrossentropy):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = (y_pred - self.rows(y_pred, y_true)) / len(y_pred)


@wrong(CategoricalCrossentropy(), "only the true class counts")
class CrossentropyOfAllClasses(MyCrossentropy):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = -1 / y_pred / len(y_pred)


@wrong(CategoricalCrossentropy(), "np.clip")
class CrossentropyNotClipped(MyCrossentropy):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return -np.log((y_pred * self.rows(y_pred, y_true)).sum(axis=1))


@wrong(CategoricalCrossentropy(), "wrong axis|shape")
class CrossentropyOneHotOnly(MyCrossentropy):
    def rows(self, y_pred: Array, y_true: Array) -> Array:
        return y_true


@wrong(BinaryCrossentropy(), "the term with 1 − y_true is missing")
class BinaryHalf(MyCrossentropy):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        return -(y_true * np.log(y_pred)).mean(axis=-1)


@wrong(BinaryCrossentropy(), "y_pred and y_true are exchanged")
class BinaryExchanged(MyCrossentropy):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        p = np.clip(y_true, 1e-7, 1 - 1e-7)
        return -(y_pred * np.log(p) + (1 - y_pred) * np.log(1 - p)).mean(axis=-1)


@wrong(BinaryCrossentropy(), "the two terms have the same sign")
class BinarySameSign(MyCrossentropy):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        p = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)).mean(axis=-1)

    def backward(self, y_pred: Array, y_true: Array) -> None:
        p = np.clip(y_pred, 1e-7, 1 - 1e-7)
        self.dinputs = -(y_true / p + (1 - y_true) / (1 - p)) / y_pred.size


class MyFused(MyCrossentropy):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        shifted = y_pred - y_pred.max(axis=1, keepdims=True)
        sums = np.exp(shifted).sum(axis=1, keepdims=True)
        self.output = np.exp(shifted) / sums
        scores = (shifted * self.rows(y_pred, y_true)).sum(axis=1)
        return np.mean(np.log(sums[:, 0]) - scores)

    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = (y_pred - self.rows(y_pred, y_true)) / len(y_pred)


@wrong(SoftmaxCategoricalCrossentropy(), "5 × as large: not divided by the number of samples")
class FusedNotDivided(MyFused):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = y_pred - self.rows(y_pred, y_true)


@wrong(SoftmaxCategoricalCrossentropy(), "y_true is not subtracted")
class FusedOutputAlone(MyFused):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = y_pred / len(y_pred)


@wrong(SoftmaxCategoricalCrossentropy(), "before y_true is subtracted")
class FusedDividesFirst(MyFused):
    def backward(self, y_pred: Array, y_true: Array) -> None:
        self.dinputs = y_pred / len(y_pred) - self.rows(y_pred, y_true)


@wrong(SoftmaxCategoricalCrossentropy(), "returns their mean")
class FusedLossesOfSamples(MyFused):
    def forward(self, y_pred: Array, y_true: Array) -> Array:
        super().forward(y_pred, y_true)
        return -np.log((self.output * self.rows(y_pred, y_true)).sum(axis=1))
