"""The book's programs on ``framework.nnfs_book``, against the book's own arithmetic.

    python -m benchmarks.nnfs_book [--quick]

The book's side is the loop of its programs, with the NumPy expressions that they contain: nothing
is checked, nothing is shared, every result is a new array. Ours are the same programs as a
reader runs them, by hand or with ``Model``. Both start from the same random numbers, so they must
begin with the same loss, which is looked at before anything is timed.

Each program is timed in plain NumPy, and after ``nnfs.init()``: the book then computes its
products in float64 and rounds them, and so do we, to print the same digits. The two sides take
turns, and the fastest turn of each counts, since whatever else the machine does only adds to it.
"""

import argparse
import contextlib
import io
import itertools
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import nnfs
import nnfs.datasets
import numpy as np

from framework.nnfs_book import (
    Accuracy_Categorical,
    Activation_Linear,
    Activation_ReLU,
    Activation_Sigmoid,
    Activation_Softmax,
    Activation_Softmax_Loss_CategoricalCrossentropy,
    Layer_Dense,
    Layer_Dropout,
    Loss_BinaryCrossentropy,
    Loss_CategoricalCrossentropy,
    Loss_MeanSquaredError,
    Model,
    Optimizer_Adam,
)

Array = np.ndarray[Any, Any]
Run = Callable[[], float]  # makes all the steps of a program and returns their mean loss


@dataclass(frozen=True)
class Program:
    """A program of the book: its data, its network, and how many steps to time at once."""

    name: str
    data: Callable[[], tuple[Array, Array]]
    sizes: tuple[int, ...]
    head: str
    adam: dict[str, float]
    l2: float = 0.0
    dropout: float = 0.0
    weight_scale: float = 0.01
    with_model: bool = False
    batch_size: int | None = None
    steps: int = 20

    def batches(self, X: Array) -> list[slice]:
        size = self.batch_size or len(X)
        return [slice(start, start + size) for start in range(0, len(X), size)]


def spiral(points: int, classes: int = 3) -> tuple[Array, Array]:
    X, y = nnfs.datasets.spiral_data(points, classes)
    return X, y.reshape(-1, 1) if classes == 2 else y


def images() -> tuple[Array, Array]:
    """60 batches with the size and range of Fashion-MNIST; what they show makes no difference."""
    X = np.random.uniform(-1, 1, (7680, 784)).astype(np.float32)
    return X, np.random.randint(0, 10, 7680)


PROGRAMS = (
    Program(
        "by hand: spiral 300, 2-64-3",
        lambda: spiral(100),
        (2, 64, 3),
        "softmax",
        {"learning_rate": 0.05, "decay": 5e-7},
    ),
    Program(
        "by hand: the same, L2",
        lambda: spiral(100),
        (2, 64, 3),
        "softmax",
        {"learning_rate": 0.02, "decay": 5e-7},
        l2=5e-4,
    ),
    Program(
        "by hand: spiral 3,000, L2, dropout",
        lambda: spiral(1000),
        (2, 64, 3),
        "softmax",
        {"learning_rate": 0.05, "decay": 5e-5},
        l2=5e-4,
        dropout=0.1,
    ),
    Program(
        "by hand: binary 200, 2-64-1, L2",
        lambda: spiral(100, 2),
        (2, 64, 1),
        "sigmoid",
        {"decay": 5e-7},
        l2=5e-4,
    ),
    Program(
        "by hand: sine 1,000, 1-64-64-1",
        nnfs.datasets.sine_data,
        (1, 64, 64, 1),
        "linear",
        {"learning_rate": 0.005, "decay": 1e-3},
        weight_scale=0.1,
    ),
    Program(
        "Model: spiral 3,000, 2-512-3, dropout",
        lambda: spiral(1000),
        (2, 512, 3),
        "softmax",
        {"learning_rate": 0.05, "decay": 5e-5},
        l2=5e-4,
        dropout=0.1,
        with_model=True,
        steps=5,
    ),
    Program(
        "Model: Fashion 784-128-128-10, batch 128",
        images,
        (784, 128, 128, 10),
        "softmax",
        {"decay": 1e-3},
        with_model=True,
        batch_size=128,
        steps=60,
    ),
)


def main() -> None:
    """Time every program and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repetitions", type=int, default=25, metavar="N", help="(25)")
    parser.add_argument("--quick", action="store_true", help="a short pass, to see that it runs")
    options = parser.parse_args()
    repetitions = 1 if options.quick else options.repetitions
    print(f"{'':42}{'plain NumPy':>24}{'after nnfs.init()':>26}")
    print(f"{'µs per step':40}" + f"{'book':>9}{'ours':>9}{'':>8}" * 2)
    for program in PROGRAMS:
        figures = []
        for initialized in (False, True):
            with numpy_of_the_book(initialized):
                book, ours = measure(program, repetitions)
            figures.append(f"{book:9,.0f}{ours:9,.0f}{book / ours:7.1f}×")
        print(f"{program.name:40}{''.join(figures)}", flush=True)


def measure(program: Program, repetitions: int) -> tuple[float, float]:
    """Return the microseconds per step of the book's side and of ours."""
    np.random.seed(0)
    data = program.data()
    state = np.random.get_state()
    book = books(program, *data)
    books_loss = book()
    np.random.set_state(state)
    our = ours(program, *data)
    if abs(our() - books_loss) > 1e-3:
        raise SystemExit(f"{program.name}: the two sides do not compute the same")
    fastest = {book: math.inf, our: math.inf}
    for _ in range(repetitions):
        for run in fastest:
            started = time.perf_counter()
            run()
            seconds = (time.perf_counter() - started) / program.steps
            fastest[run] = min(fastest[run], seconds * 1e6)
    return fastest[book], fastest[our]


@contextlib.contextmanager
def numpy_of_the_book(initialized: bool) -> Iterator[None]:
    """Call ``nnfs.init()``, if asked to, and put NumPy's own functions back in the end."""
    own = np.dot, np.zeros, np.eye, np.random.randn
    if initialized:
        nnfs.init()
    try:
        yield
    finally:
        np.dot, np.zeros, np.eye, np.random.randn = own


# Ours


def ours(program: Program, X: Array, y: Array) -> Run:
    Layer_Dense.weight_scale = program.weight_scale
    layers: list[Any] = []
    for place, (n_inputs, n_neurons) in enumerate(itertools.pairwise(program.sizes)):
        l2 = program.l2 if place == 0 else 0
        if place:
            layers.append(Activation_ReLU())
            layers += [Layer_Dropout(program.dropout)] if program.dropout else []
        layers.append(
            Layer_Dense(n_inputs, n_neurons, weight_regularizer_l2=l2, bias_regularizer_l2=l2)
        )
    Layer_Dense.weight_scale = 0.01
    optimizer = Optimizer_Adam(**program.adam)
    if program.with_model:
        return with_model(program, layers, optimizer, X, y)
    return by_hand(program, layers, optimizer, X, y)


def with_model(
    program: Program, layers: list[Any], optimizer: Optimizer_Adam, X: Array, y: Array
) -> Run:
    model = Model()
    for layer in [*layers, Activation_Softmax()]:
        model.add(layer)
    model.set(
        loss=Loss_CategoricalCrossentropy(), optimizer=optimizer, accuracy=Accuracy_Categorical()
    )
    model.finalize()

    epochs = program.steps // len(program.batches(X))

    def run() -> float:
        with contextlib.redirect_stdout(io.StringIO()):
            model.train(X, y, epochs=epochs, batch_size=program.batch_size, print_every=100)
        return statistics.mean(model.history.loss)

    return run


def by_hand(
    program: Program, layers: list[Any], optimizer: Optimizer_Adam, X: Array, y: Array
) -> Run:
    dense = [layer for layer in layers if isinstance(layer, Layer_Dense)]
    if program.head == "softmax":
        both = Activation_Softmax_Loss_CategoricalCrossentropy()
        loss_function: Any = both.loss
    elif program.head == "sigmoid":
        activation, loss_function = Activation_Sigmoid(), Loss_BinaryCrossentropy()
    else:
        activation, loss_function = Activation_Linear(), Loss_MeanSquaredError()
    precision = np.std(y) / 250

    def step() -> float:
        values = X
        for layer in layers:
            layer.forward(values)
            values = layer.output
        if program.head == "softmax":
            data_loss = both.forward(values, y)
            output = both.output
        else:
            activation.forward(values)
            output = activation.output
            data_loss = loss_function.calculate(output, y)
        loss = data_loss + sum(loss_function.regularization_loss(layer) for layer in dense)
        accuracy(program.head, output, y, precision)

        if program.head == "softmax":
            both.backward(output, y)
            dvalues = both.dinputs
        else:
            loss_function.backward(output, y)
            activation.backward(loss_function.dinputs)
            dvalues = activation.dinputs
        for layer in reversed(layers):
            layer.backward(dvalues)
            dvalues = layer.dinputs

        optimizer.pre_update_params()
        for layer in dense:
            optimizer.update_params(layer)
        optimizer.post_update_params()
        return float(loss)

    return lambda: statistics.mean(step() for _ in range(program.steps))


def accuracy(head: str, output: Array, y: Array, precision: float) -> float:
    """What the programs compute themselves, on both sides."""
    if head == "softmax":
        return float(np.mean(np.argmax(output, axis=1) == y))
    if head == "sigmoid":
        return float(np.mean((output > 0.5) * 1 == y))
    return float(np.mean(np.absolute(output - y) < precision))


# The book's


def books(program: Program, X: Array, y: Array) -> Run:
    dense = [
        SimpleNamespace(
            weights=program.weight_scale * np.random.randn(n_inputs, n_neurons),
            biases=np.zeros((1, n_neurons)),
            l2=0 if place else program.l2,
        )
        for place, (n_inputs, n_neurons) in enumerate(itertools.pairwise(program.sizes))
    ]
    adam = SimpleNamespace(**{"learning_rate": 0.001, "iterations": 0, **program.adam})
    precision = np.std(y) / 250

    def step(X: Array, y: Array) -> float:
        values = X
        for layer in dense:
            layer.inputs = values
            layer.output = np.dot(values, layer.weights) + layer.biases
            values = layer.output
            if layer is not dense[-1]:
                values = np.maximum(0, values)
                if program.dropout:
                    keep = 1 - program.dropout
                    layer.mask = np.random.binomial(1, keep, size=values.shape) / keep
                    values = values * layer.mask

        output, losses, dvalues = BOOK_HEADS[program.head](values, y)
        loss = np.mean(losses) + sum(
            layer.l2 * np.sum(layer.weights * layer.weights)
            + layer.l2 * np.sum(layer.biases * layer.biases)
            for layer in dense
            if layer.l2
        )
        accuracy(program.head, output, y, precision)

        dvalues = dvalues / len(X)
        for layer in reversed(dense):
            if layer is not dense[-1]:
                if program.dropout:
                    dvalues = dvalues * layer.mask
                dvalues = dvalues.copy()
                dvalues[layer.output <= 0] = 0
            layer.dweights = np.dot(layer.inputs.T, dvalues)
            layer.dbiases = np.sum(dvalues, axis=0, keepdims=True)
            if layer.l2:
                layer.dweights += 2 * layer.l2 * layer.weights
                layer.dbiases += 2 * layer.l2 * layer.biases
            dvalues = np.dot(dvalues, layer.weights.T)

        rate = adam.learning_rate * (1.0 / (1.0 + adam.decay * adam.iterations))
        adam.iterations += 1
        for layer in dense:
            book_update(layer, "weights", rate, adam.iterations)
            book_update(layer, "biases", rate, adam.iterations)
        return float(loss)

    batches = program.batches(X)
    passes = program.steps // len(batches)
    return lambda: statistics.mean(step(X[b], y[b]) for _ in range(passes) for b in batches)


def book_update(layer: SimpleNamespace, name: str, rate: float, iteration: int) -> None:
    parameter, gradient = getattr(layer, name), getattr(layer, "d" + name)
    momentum, cache = getattr(layer, name + "_adam", (np.zeros_like(parameter),) * 2)
    momentum = 0.9 * momentum + (1 - 0.9) * gradient
    cache = 0.999 * cache + (1 - 0.999) * gradient**2
    corrected_momentum = momentum / (1 - 0.9**iteration)
    corrected_cache = cache / (1 - 0.999**iteration)
    parameter += -rate * corrected_momentum / (np.sqrt(corrected_cache) + 1e-7)
    setattr(layer, name + "_adam", (momentum, cache))


def book_softmax(values: Array, y: Array) -> tuple[Array, Array, Array]:
    powers = np.exp(values - np.max(values, axis=1, keepdims=True))
    output = powers / np.sum(powers, axis=1, keepdims=True)
    clipped = np.clip(output, 1e-7, 1 - 1e-7)
    losses = -np.log(clipped[range(len(output)), y])
    dvalues = output.copy()
    dvalues[range(len(output)), y] -= 1
    return output, losses, dvalues


def book_sigmoid(values: Array, y: Array) -> tuple[Array, Array, Array]:
    output = 1 / (1 + np.exp(-values))
    clipped = np.clip(output, 1e-7, 1 - 1e-7)
    losses = np.mean(-(y * np.log(clipped) + (1 - y) * np.log(1 - clipped)), axis=-1)
    dvalues = -(y / clipped - (1 - y) / (1 - clipped)) / output.shape[1]
    return output, losses, dvalues * (1 - output) * output


def book_linear(values: Array, y: Array) -> tuple[Array, Array, Array]:
    losses = np.mean((y - values) ** 2, axis=-1)
    return values, losses, (-2 * (y - values) / values.shape[1]).copy()


BOOK_HEADS = {"softmax": book_softmax, "sigmoid": book_sigmoid, "linear": book_linear}


if __name__ == "__main__":
    main()
