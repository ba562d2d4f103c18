"""The same training by each library, from the same weights.

Every peer does what its documentation shows for plain training, and nothing less: a new order of
the samples each epoch, float32, Adam, the mean loss of the epoch. What is not installed is left
out, by name.
"""

import importlib.util
import os
import warnings
from typing import Any, ClassVar, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

import framework
from benchmarks.workloads import EPSILON, LEARNING_RATE, Array, Workload
from framework import (
    CategoricalAccuracy,
    CategoricalCrossentropy,
    Dense,
    Model,
    Operation,
    ReLU,
    Softmax,
)
from optimizers import Adam

os.environ.setdefault("KERAS_BACKEND", "jax")

# Measured: with nothing between them, products are faster on two threads from here on.
PRODUCT_WORTH_A_THREAD = 10**6


class Peer(Protocol):
    """One library's training of one workload."""

    name: ClassVar[str]
    package: ClassVar[str]  # that has to be installed

    def __init__(self, workload: Workload, X: Array, y: Any) -> None: ...

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        """Train for so many epochs and return the mean loss of the last one's batches.

        A second call goes on where the first one ended, Adam's memory included. Returns None
        where there is no loss.
        """

    def predict(self, X: Array) -> Any:
        """Return the outputs for ``X``, as a NumPy array."""


class Plain:
    """``Model.train`` in plain NumPy, accuracy and history included."""

    name = "dinputs"
    package = "framework"
    accelerated: ClassVar[bool | None] = None

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        framework.seed(0)
        self.X, self.y, self.batch_size = X, y, workload.batch_size
        operations: list[Operation] = []
        for weights in workload.weights():
            layer = Dense(*weights.shape)
            layer.weights = weights
            operations += [layer, ReLU()]
        self.model = Model([*operations[:-1], Softmax()])
        self.model.set(
            loss=CategoricalCrossentropy(),
            optimizer=Adam(LEARNING_RATE, epsilon=EPSILON),
            accuracy=CategoricalAccuracy(),
        )
        self.model.finalize(accelerated=self.accelerated)

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            history = self.model.train(
                self.X,
                self.y,
                epochs=epochs,
                batch_size=self.batch_size,
                shuffle=shuffle,
                progress=False,
            )
        return history.loss[-1]

    def predict(self, X: Array) -> Any:
        return self.model.predict(X)


class Accelerated(Plain):
    """``Model.train`` after ``finalize(accelerated=True)``."""

    name = "dinputs accelerated"
    package = "numba"
    accelerated = True


class Products:
    """The bare matrix products of a step: the floor for separate operations.

    Forward; backward for the weights; and from the second layer on, backward for the inputs.
    """

    name = "products"
    package = "numpy"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        self.batches = workload.batches
        self.weights = workload.weights()
        generator = np.random.default_rng(2)
        self.values = [
            generator.normal(size=(workload.batch_size, width)).astype(np.float32)
            for width in workload.sizes
        ]
        largest = workload.batch_size * max(weights.size for weights in self.weights)
        self.threads = None if largest >= PRODUCT_WORTH_A_THREAD else 1

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        with threadpool_limits(self.threads):
            for _ in range(epochs * self.batches):
                self._step()
        return None

    def predict(self, X: Array) -> Any:
        for weights in self.weights:
            X = X @ weights
        return X

    def _step(self) -> None:
        values, weights = self.values, self.weights
        for layer, matrix in enumerate(weights):
            values[layer] @ matrix
        for layer in range(len(weights) - 1, -1, -1):
            values[layer].T @ values[layer + 1]
            if layer:
                values[layer + 1] @ weights[layer].T


class Torch:
    """PyTorch, operation by operation."""

    name = "PyTorch"
    package = "torch"
    fused = False

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        import torch

        self.torch, self.batch_size = torch, workload.batch_size
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)
        layers: list[Any] = []
        for weights in workload.weights():
            layer = torch.nn.Linear(*weights.shape)
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weights.T))
                layer.bias.zero_()
            layers += [layer, torch.nn.ReLU()]
        self.model: Any = torch.nn.Sequential(*layers[:-1])
        self.run = self.model
        self.loss = torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=LEARNING_RATE, eps=EPSILON, fused=self.fused
        )

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        torch = self.torch
        for _ in range(epochs):
            total, batches = torch.zeros(()), 0
            order = torch.randperm(len(self.X)) if shuffle else torch.arange(len(self.X))
            for rows in order.split(self.batch_size):
                whole = len(rows) == len(self.X)
                X, y = (self.X, self.y) if whole else (self.X[rows], self.y[rows])
                loss = self.loss(self.run(X), y)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.detach()
                batches += 1
        return float(total) / batches

    def predict(self, X: Array) -> Any:
        with self.torch.inference_mode():
            return self.run(self.torch.from_numpy(X)).softmax(dim=1).numpy()


class TorchFused(Torch):
    """PyTorch with the fused Adam."""

    name = "PyTorch fused"
    fused = True


class TorchCompiled(TorchFused):
    """PyTorch with the network through ``torch.compile``, and the fused Adam."""

    name = "torch.compile"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        super().__init__(workload, X, y)
        self.run = self.torch.compile(self.model)


class Jax:
    """JAX: the whole step in one compiled function, whose buffers are donated to it."""

    name = "JAX"
    package = "jax"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        import jax
        import jax.numpy as jnp

        self.batch_size, self.samples = workload.batch_size, len(X)
        self.X, self.y = jnp.asarray(X), jnp.asarray(y, jnp.int32)
        self.generator = np.random.default_rng(0)
        layers = [(jnp.asarray(w), jnp.zeros(w.shape[1])) for w in workload.weights()]

        def logits(layers: Any, X: Any) -> Any:
            for weights, biases in layers[:-1]:
                X = jax.nn.relu(X @ weights + biases)
            weights, biases = layers[-1]
            return X @ weights + biases

        def loss_of(layers: Any, X: Any, y: Any) -> Any:
            scores = jax.nn.log_softmax(logits(layers, X))
            return -jnp.take_along_axis(scores, y[:, None], axis=1).mean()

        def step(state: Any, X: Any, y: Any) -> Any:
            layers, momentum, cache, count, total = state
            loss, gradients = jax.value_and_grad(loss_of)(layers, X, y)
            count = count + 1
            each = jax.tree.map
            momentum = each(lambda m, g: 0.9 * m + 0.1 * g, momentum, gradients)
            cache = each(lambda v, g: 0.999 * v + 0.001 * g * g, cache, gradients)
            rate = LEARNING_RATE / (1 - 0.9**count)
            warm = 1 / (1 - 0.999**count)
            layers = each(
                lambda p, m, v: p - rate * m / (jnp.sqrt(v * warm) + EPSILON),
                layers,
                momentum,
                cache,
            )
            return layers, momentum, cache, count, total + loss

        def chosen(state: Any, X: Any, y: Any, rows: Any) -> Any:
            return step(state, X[rows], y[rows])

        nothing = jax.tree.map(jnp.zeros_like, layers)
        self.state: Any = (
            layers,
            nothing,
            jax.tree.map(jnp.zeros_like, layers),
            jnp.zeros((), jnp.float32),
            jnp.zeros(()),
        )
        self.step = jax.jit(step, donate_argnums=0)
        self.chosen = jax.jit(chosen, donate_argnums=0)
        self.outputs = jax.jit(lambda layers, X: jax.nn.softmax(logits(layers, X)))
        self.zero = jnp.zeros

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        for _ in range(epochs):
            order = np.arange(self.samples, dtype=np.int32)
            if shuffle:
                self.generator.shuffle(order)
            self.state = (*self.state[:4], self.zero(()))
            for start in range(0, self.samples, self.batch_size):
                rows = order[start : start + self.batch_size]
                if len(rows) == self.samples:
                    self.state = self.step(self.state, self.X, self.y)
                else:
                    self.state = self.chosen(self.state, self.X, self.y, rows)
            loss = float(self.state[4])  # waits until everything is computed
        return loss / -(-self.samples // self.batch_size)

    def predict(self, X: Array) -> Any:
        return np.asarray(self.outputs(self.state[0], X))


class ScikitLearn:
    """scikit-learn's ``MLPClassifier``, an epoch for each ``partial_fit``."""

    name = "scikit-learn"
    package = "sklearn"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        from sklearn.neural_network import MLPClassifier

        self.X, self.y = X, y
        self.model: Any = MLPClassifier(
            workload.sizes[1:-1],
            batch_size=workload.batch_size,
            learning_rate_init=LEARNING_RATE,
            epsilon=EPSILON,
            alpha=0.0,
            max_iter=1,
            warm_start=True,
        )
        self._quietly(self.model.fit, X[: 2 * workload.batch_size], y[: 2 * workload.batch_size])
        self.model.coefs_ = workload.weights()
        self.model.intercepts_ = [np.zeros(w.shape[1], np.float32) for w in self.model.coefs_]
        self.started = False

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        self.model.set_params(shuffle=shuffle)
        for _ in range(epochs):
            # fit, with warm_start, begins with these weights and a new Adam.
            self._quietly(
                self.model.partial_fit if self.started else self.model.fit, self.X, self.y
            )
            self.started = True
        return float(self.model.loss_)

    def predict(self, X: Array) -> Any:
        return self.model.predict_proba(X)

    def _quietly(self, fit: Any, X: Array, y: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that an epoch is not enough to converge
            fit(X, y)


class Keras:
    """Keras with JAX behind it, through ``fit``."""

    name = "Keras on JAX"
    package = "keras"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        import keras

        self.X, self.y, self.batch_size = X, y, workload.batch_size
        layers: list[Any] = [keras.layers.Input(workload.sizes[:1])]
        layers += [keras.layers.Dense(width, activation="relu") for width in workload.sizes[1:-1]]
        self.model: Any = keras.Sequential([*layers, keras.layers.Dense(workload.sizes[-1])])
        for layer, weights in zip(self.model.layers, workload.weights(), strict=True):
            layer.set_weights([weights, np.zeros(weights.shape[1], np.float32)])
        self.model.compile(
            optimizer=keras.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        history = self.model.fit(
            self.X,
            self.y,
            batch_size=self.batch_size,
            epochs=epochs,
            shuffle=shuffle,
            verbose=0,
        )
        return float(history.history["loss"][-1])

    def predict(self, X: Array) -> Any:
        return self.model.predict(X, batch_size=len(X), verbose=0)


PEERS: tuple[type[Peer], ...] = (
    Products,
    Plain,
    Accelerated,
    Torch,
    TorchFused,
    TorchCompiled,
    Jax,
    ScikitLearn,
    Keras,
)


def installed(peers: list[type[Peer]]) -> list[type[Peer]]:
    """Return those whose package can be imported, and say which are left out."""
    missing = {p.package for p in peers if importlib.util.find_spec(p.package) is None}
    for peer in peers:
        if peer.package in missing:
            print(f"left out: {peer.name}, since there is no package {peer.package}")
    return [peer for peer in peers if peer.package not in missing]
