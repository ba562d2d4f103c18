"""Training steps of convolutional networks, by each library in a process of its own.

    python -m benchmarks.image_networks NETWORK PEER SECONDS

prints, as JSON, the microseconds of a step, the loss of the first epoch, and the megabytes that the
training has added to the memory of the process. ``benchmarks.compare --images`` calls it for all
peers, in turn, since an idle thread of one library takes time from whoever is measured next.

A network is a list of layers: ``conv`` with filters, kernel size and padding, ``dense`` with its
neurons, and those without arguments. Everyone begins with the same weights.
"""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.footprint import peak_memory
from benchmarks.workloads import EPSILON, LEARNING_RATE, Array

os.environ.setdefault("KERAS_BACKEND", "jax")

# As many that what training does once, before and after, is a small part of it.
BATCHES = 40
Layer = tuple[Any, ...]


@dataclass(frozen=True)
class ImageNetwork:
    """A network for images of ``shape``, rows, columns and channels, in ten classes."""

    name: str
    shape: tuple[int, int, int]
    batch_size: int
    layers: tuple[Layer, ...]

    def data(self) -> tuple[Array, Any]:
        """Random images and classes: the time does not depend on what they are."""
        generator = np.random.default_rng(0)
        samples = self.batch_size * BATCHES
        X = generator.normal(size=(samples, *self.shape)).astype(np.float32)
        return X, generator.integers(0, 10, size=samples)

    def weights(self) -> Iterator[Array]:
        """The weights of each layer that has some; the biases begin with 0."""
        generator = np.random.default_rng(1)
        height, width, channels = self.shape
        features = 0
        for kind, *arguments in self.layers:
            if kind == "conv":
                filters, size, padding = arguments
                shape: tuple[int, ...] = size, size, channels, filters
                channels = filters
                if padding == "valid":
                    height, width = height - size + 1, width - size + 1
            elif kind == "pool":
                height, width = height // 2, width // 2
            elif kind == "flatten":
                features = height * width * channels
            elif kind == "dense":
                shape = features, arguments[0]
                features = arguments[0]
            if kind in ("conv", "dense"):
                scale = np.sqrt(2 / np.prod(shape[:-1]))
                yield (scale * generator.normal(size=shape)).astype(np.float32)


def _blocks(*filters: int) -> tuple[Layer, ...]:
    one = (("norm",), ("relu",))
    return tuple(
        layer
        for n in filters
        for layer in (("conv", n, 3, "same"), *one, ("conv", n, 3, "same"), *one, ("pool",))
    )


NETWORKS = (
    ImageNetwork(
        "(a) 28×28×1, Conv 16, 32, Dense 64, batch 64",
        (28, 28, 1),
        64,
        (
            ("conv", 16, 3, "same"), ("relu",), ("pool",),
            ("conv", 32, 3, "same"), ("relu",), ("pool",),
            ("flatten",), ("dense", 64), ("relu",), ("dense", 10),
        ),
    ),
    ImageNetwork(
        "(b) LeNet-5 with ReLU, batch 32",
        (28, 28, 1),
        32,
        (
            ("conv", 6, 5, "same"), ("relu",), ("pool",),
            ("conv", 16, 5, "valid"), ("relu",), ("pool",),
            ("flatten",), ("dense", 120), ("relu",), ("dense", 84), ("relu",), ("dense", 10),
        ),
    ),
    ImageNetwork(
        "(c) 32×32×3, twice Conv 32, 64, 128 with batch normalization, batch 32",
        (32, 32, 3),
        32,
        (*_blocks(32, 64, 128), ("flatten",), ("dense", 10)),
    ),
)  # fmt: skip

# Trains an epoch in order and returns the mean loss of its batches.
Epoch = Callable[[], float]


def dinputs(network: ImageNetwork, X: Array, y: Any, accelerated: bool = False) -> Epoch:
    """``Model.train`` in plain NumPy, or with compiled kernels."""
    from framework import (
        BatchNormalization,
        CategoricalCrossentropy,
        Conv2D,
        Dense,
        Flatten,
        MaxPooling2D,
        Model,
        ReLU,
        Softmax,
    )
    from optimizers import Adam

    weights, operations = network.weights(), []
    channels = network.shape[-1]
    for kind, *arguments in network.layers:
        operation: Any
        if kind in ("conv", "dense"):
            values = next(weights)
            if kind == "conv":
                operation = Conv2D(*values.shape[2:], values.shape[0], padding=arguments[2])
            else:
                operation = Dense(*values.shape)
            operation.weights = values
            channels = values.shape[-1]
        else:
            others = {"relu": ReLU, "pool": MaxPooling2D, "flatten": Flatten}
            operation = BatchNormalization(channels) if kind == "norm" else others[kind]()
        operations.append(operation)
    model = Model([*operations, Softmax()])
    model.set(loss=CategoricalCrossentropy(), optimizer=Adam(LEARNING_RATE, epsilon=EPSILON))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.finalize(accelerated=accelerated)

    def epoch() -> float:
        options: dict[str, Any] = {"batch_size": network.batch_size, "shuffle": False}
        return model.train(X, y, epochs=1, progress=False, **options).loss[-1]

    return epoch


def torch(network: ImageNetwork, X: Array, y: Any, threads: int, last: bool) -> Epoch:
    """PyTorch, operation by operation, with the fused Adam."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    weights, layers = network.weights(), []
    channels, rows = network.shape[-1], 0
    for kind, *arguments in network.layers:
        layer: Any
        if kind in ("conv", "dense"):
            values = next(weights)
            if kind == "conv":
                size = values.shape[0]
                layer = nn.Conv2d(*values.shape[2:], size, padding=arguments[2])
                values, channels = values.transpose(3, 2, 0, 1), values.shape[-1]
            else:
                layer = nn.Linear(*values.shape)
                if not rows:  # the first after Flatten, which puts channels first
                    rows = len(values)
                    by_pixel = values.reshape(rows // channels, channels, -1)
                    values = by_pixel.transpose(1, 0, 2).reshape(values.shape)
                values = values.T
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(values)))
                layer.bias.zero_()
        else:
            others = {"relu": nn.ReLU, "flatten": nn.Flatten}
            if kind == "norm":
                layer = nn.BatchNorm2d(channels)
            else:
                layer = nn.MaxPool2d(2) if kind == "pool" else others[kind]()
        layers.append(layer)
    model: Any = nn.Sequential(*layers)
    images = torch.from_numpy(np.ascontiguousarray(X.transpose(0, 3, 1, 2)))
    if last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    classes = torch.from_numpy(y)
    loss_of = nn.CrossEntropyLoss()
    parameters = model.parameters()
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, eps=EPSILON, fused=True)

    def epoch() -> float:
        total = torch.zeros(())
        for start in range(0, len(X), network.batch_size):
            rows = slice(start, start + network.batch_size)
            loss = loss_of(model(images[rows]), classes[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total) / BATCHES

    return epoch


def jax(network: ImageNetwork, X: Array, y: Any) -> Epoch:
    """JAX: the whole step in one compiled function, whose buffers are donated to it."""
    import jax
    import jax.numpy as jnp

    def begin() -> list[Any]:
        weights, found, channels = network.weights(), [], network.shape[-1]
        for kind, *_ in network.layers:
            if kind in ("conv", "dense"):
                values = next(weights)
                channels = values.shape[-1]
                found.append((jnp.asarray(values), jnp.zeros(channels)))
            else:
                found.append((jnp.ones(channels), jnp.zeros(channels)) if kind == "norm" else ())
        return found

    def logits(parameters: Any, x: Any) -> Any:
        for (kind, *arguments), own in zip(network.layers, parameters, strict=True):
            if kind == "conv":
                axes = ("NHWC", "HWIO", "NHWC")
                x = jax.lax.conv_general_dilated(
                    x, own[0], (1, 1), arguments[2].upper(), dimension_numbers=axes
                )
                x = x + own[1]
            elif kind == "dense":
                x = x @ own[0] + own[1]
            elif kind == "norm":
                mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
                x = (x - mean) / jnp.sqrt(variance + 1e-5) * own[0] + own[1]
            elif kind == "relu":
                x = jax.nn.relu(x)
            elif kind == "pool":
                window = (1, 2, 2, 1)
                x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
            else:
                x = x.reshape(len(x), -1)
        return x

    def loss_of(parameters: Any, x: Any, classes: Any) -> Any:
        scores = jax.nn.log_softmax(logits(parameters, x))
        return -jnp.take_along_axis(scores, classes[:, None], axis=1).mean()

    def step(state: Any, x: Any, classes: Any) -> Any:
        parameters, momentum, cache, count = state
        loss, gradients = jax.value_and_grad(loss_of)(parameters, x, classes)
        count, each = count + 1, jax.tree.map
        momentum = each(lambda m, g: 0.9 * m + 0.1 * g, momentum, gradients)
        cache = each(lambda v, g: 0.999 * v + 0.001 * g * g, cache, gradients)
        rate, warm = LEARNING_RATE / (1 - 0.9**count), 1 / (1 - 0.999**count)
        parameters = each(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v * warm) + EPSILON),
            parameters,
            momentum,
            cache,
        )
        return (parameters, momentum, cache, count), loss

    parameters = begin()
    zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
    state: Any = parameters, *zeros, jnp.zeros(())
    compiled = jax.jit(step, donate_argnums=0)
    images, classes = jnp.asarray(X), jnp.asarray(y, jnp.int32)

    def epoch() -> float:
        nonlocal state
        total = 0.0
        for start in range(0, len(X), network.batch_size):
            rows = slice(start, start + network.batch_size)
            state, loss = compiled(state, images[rows], classes[rows])
            total = total + loss
        return float(total) / BATCHES

    return epoch


def keras(network: ImageNetwork, X: Array, y: Any) -> Epoch:
    """Keras with JAX behind it, through ``fit``."""
    import keras

    layers: list[Any] = [keras.layers.Input(network.shape)]
    for kind, *arguments in network.layers:
        if kind == "conv":
            layers.append(keras.layers.Conv2D(arguments[0], arguments[1], padding=arguments[2]))
        elif kind == "dense":
            layers.append(keras.layers.Dense(arguments[0]))
        else:
            layers.append(
                {
                    "norm": lambda: keras.layers.BatchNormalization(epsilon=1e-5),
                    "relu": keras.layers.ReLU,
                    "pool": keras.layers.MaxPooling2D,
                    "flatten": keras.layers.Flatten,
                }[kind]()
            )
    model: Any = keras.Sequential(layers)
    weights = network.weights()
    for layer, (kind, *_) in zip(model.layers, network.layers, strict=True):
        if kind in ("conv", "dense"):
            values = next(weights)
            layer.set_weights([values, np.zeros(values.shape[-1], np.float32)])
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )

    def epoch() -> float:
        options: dict[str, Any] = {"batch_size": network.batch_size, "shuffle": False}
        return float(model.fit(X, y, epochs=1, verbose=0, **options).history["loss"][-1])

    return epoch


# The name of each, the package that has to be installed, and what makes its epoch.
PEERS: dict[str, tuple[str, Callable[[ImageNetwork, Array, Any], Epoch]]] = {
    "dinputs": ("numpy", dinputs),
    "dinputs accelerated": ("numba", lambda *given: dinputs(*given, accelerated=True)),
    "PyTorch, 1 thread": ("torch", lambda *given: torch(*given, 1, False)),
    "PyTorch, 2 threads": ("torch", lambda *given: torch(*given, 2, False)),
    "channels last, 1": ("torch", lambda *given: torch(*given, 1, True)),
    "channels last, 2": ("torch", lambda *given: torch(*given, 2, True)),
    "JAX": ("jax", jax),
    "Keras on JAX": ("keras", keras),
}


def measure(network: ImageNetwork, peer: str, seconds: float) -> dict[str, float]:
    """Return microseconds of a step, the first epoch's loss, and the megabytes of training."""
    X, y = network.data()
    epoch = PEERS[peer][1](network, X, y)
    before = peak_memory()
    loss = epoch()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        started = time.perf_counter()
        epoch()
        times.append((time.perf_counter() - started) / BATCHES * 1e6)
    return {
        "microseconds": statistics.median(times),
        "loss": loss,
        "megabytes": peak_memory() - before,
        "peak": peak_memory(),
    }


def measure_in_turn(
    network: int, peers: Sequence[str], repetitions: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Return the medians of ``measure`` by peer, each time in a process of its own.

    Raises RuntimeError unless all have about the same loss after the same steps.
    """
    found: dict[str, list[dict[str, float]]] = {peer: [] for peer in peers}
    for _ in range(repetitions):
        for peer in peers:
            arguments = [str(network), peer, str(seconds)]
            command = [sys.executable, "-m", "benchmarks.image_networks", *arguments]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            found[peer].append(json.loads(printed.splitlines()[-1]))
    losses = {peer: each[0]["loss"] for peer, each in found.items()}
    if max(losses.values()) - min(losses.values()) > 1e-2 * max(losses.values()):
        raise RuntimeError(f"{NETWORKS[network].name}: not the same arithmetic, {losses}")
    return {
        peer: {key: statistics.median(one[key] for one in each) for key in each[0]}
        for peer, each in found.items()
    }


def tables(repetitions: int, seconds: float) -> Iterator[tuple[str, list[list[Any]]]]:
    """Yield the name of each network, and a row for each peer that is installed.

    A row is the peer, microseconds, how many times as long that is as ``dinputs accelerated``,
    megabytes of the training, and of the process.
    """
    peers = [peer for peer, (package, _) in PEERS.items() if importlib.util.find_spec(package)]
    for number, network in enumerate(NETWORKS):
        found = measure_in_turn(number, peers, repetitions, seconds)
        unit = found.get("dinputs accelerated", found["dinputs"])["microseconds"]
        yield (
            network.name,
            [
                [
                    peer,
                    each["microseconds"],
                    f"{each['microseconds'] / unit:.2f}",
                    each["megabytes"],
                    each["peak"],
                ]
                for peer, each in found.items()
            ],
        )


if __name__ == "__main__":
    number, name, duration = sys.argv[1:]
    print(json.dumps(measure(NETWORKS[int(number)], name, float(duration))))
