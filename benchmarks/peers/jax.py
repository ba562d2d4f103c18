"""JAX: each step in a call, or a whole epoch; and Keras on top of it."""

import os
from typing import Any

import numpy as np

from benchmarks.workloads import EPSILON, LEARNING_RATE, Array, Workload

os.environ.setdefault("KERAS_BACKEND", "jax")


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
        self.one_step = step
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


class JaxScanned(Jax):
    """JAX: all steps of an epoch in one compiled function, by ``lax.scan``."""

    name = "JAX scanned"

    def __init__(self, workload: Workload, X: Array, y: Any) -> None:
        super().__init__(workload, X, y)
        import jax

        whole = workload.batches == 1

        def epoch(state: Any, X: Any, y: Any, order: Any) -> Any:
            def take(state: Any, rows: Any) -> Any:
                batch = (X, y) if whole else (X[rows], y[rows])
                return self.one_step(state, *batch), None

            return jax.lax.scan(take, state, order)[0]

        self.epoch = jax.jit(epoch, donate_argnums=0)

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        for _ in range(epochs):
            order = np.arange(self.samples, dtype=np.int32)
            if shuffle:
                self.generator.shuffle(order)
            state = (*self.state[:4], self.zero(()))
            self.state = self.epoch(state, self.X, self.y, order.reshape(-1, self.batch_size))
            loss = float(self.state[4])  # waits until everything is computed
        return loss / (self.samples // self.batch_size)


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
