"""Activations as learners get them wrong, and a part of the hint that each should be given.

An empty part stands for a mistake that is caught but not named.
"""

from typing import Any

import numpy as np

from framework import LeakyReLU, ReLU, Sigmoid, Softmax, Softplus, Tanh

Array = Any
WRONG: list[tuple[Any, Any, str]] = []


def wrong(like: Any, hint: str, *arguments: Any) -> Any:
    """Add a class that should be like ``like``."""

    def add(cls: Any) -> Any:
        WRONG.append((cls(*arguments), like, hint))
        return cls

    return add


# ReLU


class MyReLU:
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * (self.inputs > 0)


@wrong(ReLU(), "dvalues themselves")
class ReLUPassesAll(MyReLU):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues.copy()


@wrong(ReLU(), "writes into the dvalues")
class ReLUInPlace(MyReLU):
    def backward(self, dvalues: Array) -> None:
        dvalues[self.inputs <= 0] = 0
        self.dinputs = dvalues.copy()


@wrong(ReLU(), "writes into the inputs")
class ReLUWritesInputs(MyReLU):
    def forward(self, inputs: Array) -> None:
        self.mask = inputs > 0
        inputs[~self.mask] = 0
        self.output = inputs.copy()

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


@wrong(ReLU(), "not multiplied by dvalues")
class ReLUWithoutChain(MyReLU):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = np.where(self.inputs > 0, 1.0, 0.0)


@wrong(ReLU(), "opposite sign")
class ReLUWrongSide(MyReLU):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = -np.maximum(0, inputs)


@wrong(ReLU(), "what an earlier batch left")
class ReLUMaskOfFirstBatch(MyReLU):
    mask = None

    def forward(self, inputs: Array) -> None:
        if self.mask is None or len(self.mask) != len(inputs):
            self.mask = inputs > 0
        self.output = np.maximum(0, inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.mask


@wrong(ReLU(), "has to store what it returns")
class ReLUOnlyReturns(MyReLU):
    def forward(self, inputs: Array) -> Any:
        self.inputs = inputs
        return np.maximum(0, inputs)


@wrong(ReLU(), "backward has to store self.dinputs")
class ReLUForgetsToStore(MyReLU):
    def backward(self, dvalues: Array) -> None:
        dinputs = dvalues * (self.inputs > 0)
        del dinputs


@wrong(ReLU(), "forward has to keep it")
class ReLUForgetsInputs(MyReLU):
    def forward(self, inputs: Array) -> None:
        self.output = np.maximum(0, inputs)


@wrong(ReLU(), "what LeakyReLU computes")
class ReLULeaks(MyReLU):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.where(inputs > 0, inputs, 0.01 * inputs)


@wrong(ReLU(), "derivative is added")
class ReLUAddsDerivative(MyReLU):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues + (self.inputs > 0)


@wrong(LeakyReLU(0.2), "its default")
class LeakyIgnoresAlpha(MyReLU):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.where(inputs > 0, inputs, 0.01 * inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * np.where(self.inputs > 0, 1, 0.01)


@wrong(LeakyReLU(0.2), "is the term with it missing")
class LeakyBackwardOfReLU(MyReLU):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.where(inputs > 0, inputs, 0.2 * inputs)


# Sigmoid and others of their kind


class MySigmoid:
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = 1 / (1 + np.exp(-inputs))

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.output * (1 - self.output)


@wrong(Sigmoid(), "inputs are put in for output")
class SigmoidAtInputs(MySigmoid):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.inputs * (1 - self.inputs)


@wrong(Sigmoid(), "derivative is taken at the output")
class SigmoidTwice(MySigmoid):
    def backward(self, dvalues: Array) -> None:
        s = 1 / (1 + np.exp(-self.output))
        self.dinputs = dvalues * s * (1 - s)


@wrong(Sigmoid(), "minus too many, or missing")
class SigmoidOfMinus(MySigmoid):
    def forward(self, inputs: Array) -> None:
        self.output = 1 / (1 + np.exp(inputs))


@wrong(Sigmoid(), "opposite sign")
class SigmoidSign(MySigmoid):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = -dvalues * self.output * (1 - self.output)


@wrong(Sigmoid(), "1 − output is missing")
class SigmoidHalfDerivative(MySigmoid):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.output


@wrong(Sigmoid(), "another dinputs, 2 ×|not `+=`")
class SigmoidAddsUp(MySigmoid):
    def forward(self, inputs: Array) -> None:
        super().forward(inputs)
        if getattr(self, "dinputs", np.zeros(0)).shape != inputs.shape:
            self.dinputs = np.zeros_like(inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = self.dinputs + dvalues * self.output * (1 - self.output)


@wrong(Tanh(), "not squared")
class TanhNotSquared(MySigmoid):
    def forward(self, inputs: Array) -> None:
        self.output = np.tanh(inputs)

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * (1 - self.output)


@wrong(Tanh(), "what Sigmoid computes")
class TanhIsSigmoid(MySigmoid):
    pass


@wrong(Softplus(), "exp of a large number")
class SoftplusOverflows(MySigmoid):
    def forward(self, inputs: Array) -> None:
        self.inputs = inputs
        self.output = np.log(1 + np.exp(inputs))

    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues / (1 + np.exp(-self.inputs))


# Softmax


class MySoftmax:
    def forward(self, inputs: Array) -> None:
        powers = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = powers / powers.sum(axis=1, keepdims=True)

    def backward(self, dvalues: Array) -> None:
        mean = (dvalues * self.output).sum(axis=1, keepdims=True)
        self.dinputs = self.output * (dvalues - mean)


@wrong(Softmax(), "cross terms are left out")
class SoftmaxDiagonal(MySoftmax):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = dvalues * self.output * (1 - self.output)


@wrong(Softmax(), "over the wrong axis")
class SoftmaxWrongAxis(MySoftmax):
    def forward(self, inputs: Array) -> None:
        powers = np.exp(inputs - inputs.max(axis=0))
        self.output = powers / powers.sum(axis=0)


@wrong(Softmax(), "over the whole batch")
class SoftmaxOfBatch(MySoftmax):
    def forward(self, inputs: Array) -> None:
        powers = np.exp(inputs - inputs.max())
        self.output = powers / powers.sum()


@wrong(Softmax(), "not divided by the sum of the row")
class SoftmaxWithoutSum(MySoftmax):
    def forward(self, inputs: Array) -> None:
        self.output = np.exp(inputs - inputs.max(axis=1, keepdims=True))


@wrong(Softmax(), "exp of a large number")
class SoftmaxOverflows(MySoftmax):
    def forward(self, inputs: Array) -> None:
        powers = np.exp(inputs)
        self.output = powers / powers.sum(axis=1, keepdims=True)


@wrong(Softmax(temperature=2.0), "as if temperature were 1")
class SoftmaxWithoutTemperature(MySoftmax):
    pass


@wrong(Softmax(), "goes over the wrong axis")
class SoftmaxGradientAxis(MySoftmax):
    def backward(self, dvalues: Array) -> None:
        self.dinputs = self.output * (dvalues - (dvalues * self.output).sum(axis=0))
