"""Optimizers as learners get them wrong: see ``wrong_activations``."""

from typing import Any

import numpy as np

from optimizers import SGD, Adagrad, Adam, RMSprop

Array = Any
WRONG: list[tuple[Any, Any, str]] = []


def wrong(like: Any, hint: str) -> Any:
    """Add a class that should be like ``like``."""

    def add(cls: Any) -> Any:
        WRONG.append((cls(), like, hint))
        return cls

    return add


class Base:
    """In the style of the book: the state is kept on the layer."""

    rate = 0.1
    decay = 0.0

    def __init__(self) -> None:
        self.iterations = 0

    def pre_update_params(self) -> None:
        self.now = self.rate / (1 + self.decay * self.iterations)

    def update_params(self, layer: Any) -> None:
        for name in ("weights", "biases"):
            for state in ("momentum", "cache"):
                if not hasattr(layer, f"{name}_{state}"):
                    setattr(layer, f"{name}_{state}", np.zeros_like(getattr(layer, name)))
            change = self.change(layer, name, getattr(layer, "d" + name))
            setattr(layer, name, getattr(layer, name) + change)

    def post_update_params(self) -> None:
        self.iterations += 1

    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        return -self.now * gradient


@wrong(SGD(0.1), "uphill")
class Uphill(Base):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        return self.now * gradient


@wrong(SGD(0.1), "without the learning rate|learning_rate were 1")
class WithoutRate(Base):
    rate = 1.0


@wrong(SGD(0.1, decay=0.1), "is decay used")
class WithoutDecay(Base):
    pass


@wrong(SGD(0.1, decay=0.1), "count iterations")
class NeverCounts(Base):
    decay = 0.1

    def post_update_params(self) -> None:
        pass


@wrong(SGD(0.1, decay=0.1), "once for each layer")
class CountsLayers(Base):
    decay = 0.1

    def update_params(self, layer: Any) -> None:
        self.pre_update_params()
        super().update_params(layer)
        self.iterations += 1

    def post_update_params(self) -> None:
        pass


@wrong(SGD(0.1), "biases do not move")
class WithoutBiases(Base):
    def update_params(self, layer: Any) -> None:
        layer.weights -= 0.1 * layer.dweights


@wrong(SGD(0.1), "nothing moves")
class LocalVariable(Base):
    def update_params(self, layer: Any) -> None:
        weights = layer.weights
        weights = weights - 0.1 * layer.dweights


@wrong(SGD(0.1), "work on a copy of the gradient")
class ScalesGradient(Base):
    def update_params(self, layer: Any) -> None:
        for name in ("weights", "biases"):
            gradient = getattr(layer, "d" + name)
            gradient *= 0.1
            setattr(layer, name, getattr(layer, name) - gradient)


class Momentum(Base):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        velocity = getattr(layer, name + "_momentum")
        velocity[...] = 0.9 * velocity - self.now * gradient
        return velocity


@wrong(SGD(0.1, momentum=0.9), "multiplied by 1 − momentum")
class Dampened(Momentum):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        velocity = getattr(layer, name + "_momentum")
        velocity[...] = 0.9 * velocity - 0.1 * self.now * gradient
        return velocity


@wrong(SGD(0.1, momentum=0.9), "plain gradient descent|nothing is kept|momentum were 0")
class ForgetsVelocity(Momentum):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        return 0.9 * np.zeros_like(gradient) - self.now * gradient


@wrong(SGD(0.1, momentum=0.9), "share one state")
class OneVelocityForAll(Momentum):
    def __init__(self) -> None:
        super().__init__()
        self.velocities: dict[str, Array] = {}

    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        velocity = 0.9 * self.velocities.get(name, 0.0) - self.now * gradient
        self.velocities[name] = velocity
        return velocity


class Squares(Base):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        cache = getattr(layer, name + "_cache")
        cache += gradient**2
        return -self.now * gradient / (np.sqrt(cache) + 1e-7)


@wrong(Adagrad(0.1), "`+=` not `=`")
class CacheReplaced(Squares):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        return -self.now * gradient / (np.sqrt(gradient**2) + 1e-7)


@wrong(Adagrad(0.1), "in place of its root")
class WithoutRoot(Squares):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        cache = getattr(layer, name + "_cache")
        cache += gradient**2
        return -self.now * gradient / (cache + 1e-7)


@wrong(Adagrad(0.1), "inside of the root")
class EpsilonInside(Squares):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        cache = getattr(layer, name + "_cache")
        cache += gradient**2
        return -self.now * gradient / np.sqrt(cache + 1e-7)


@wrong(RMSprop(0.1), "1 − rho is missing")
class WithoutOneMinusRho(Squares):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        cache = getattr(layer, name + "_cache")
        cache[...] = 0.9 * cache + gradient**2
        return -self.now * gradient / (np.sqrt(cache) + 1e-7)


@wrong(RMSprop(0.1), "rho were 1 − 0.9")
class RhoOtherWayRound(Squares):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        cache = getattr(layer, name + "_cache")
        cache[...] = 0.1 * cache + 0.9 * gradient**2
        return -self.now * gradient / (np.sqrt(cache) + 1e-7)


class MyAdam(Base):
    betas = 0.9, 0.999
    epsilon = 1e-7
    behind = 0

    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        b1, b2 = self.betas
        momentum, cache = getattr(layer, name + "_momentum"), getattr(layer, name + "_cache")
        momentum[...] = b1 * momentum + (1 - b1) * gradient
        cache[...] = b2 * cache + (1 - b2) * gradient**2
        by_1, by_2 = self.correction(b1, b2, self.iterations + 1)
        return -self.now * (momentum / by_1) / (np.sqrt(cache / by_2) + self.epsilon)

    def correction(self, b1: float, b2: float, step: int) -> tuple[float, float]:
        return 1 - b1**step, 1 - b2**step


@wrong(Adam(0.1), "bias correction is missing")
class AdamUncorrected(MyAdam):
    def correction(self, b1: float, b2: float, step: int) -> tuple[float, float]:
        return 1, 1


@wrong(Adam(0.1), "t is one behind|divided by 0|ZeroDivision|NaN")
class AdamFromZero(MyAdam):
    def correction(self, b1: float, b2: float, step: int) -> tuple[float, float]:
        return super().correction(b1, b2, step - 1)


@wrong(Adam(0.1), "bias correction of the cache is missing")
class AdamHalfCorrected(MyAdam):
    def correction(self, b1: float, b2: float, step: int) -> tuple[float, float]:
        return 1 - b1**step, 1


@wrong(Adam(0.1), "exchanged")
class AdamBetasExchanged(MyAdam):
    betas = 0.999, 0.9


@wrong(Adam(0.1), "not squared in the cache")
class AdamNotSquared(MyAdam):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        b1, b2 = self.betas
        momentum, cache = getattr(layer, name + "_momentum"), getattr(layer, name + "_cache")
        momentum[...] = b1 * momentum + (1 - b1) * gradient
        cache[...] = b2 * cache + (1 - b2) * np.abs(gradient)
        by_1, by_2 = self.correction(b1, b2, self.iterations + 1)
        return -self.now * (momentum / by_1) / (np.sqrt(cache / by_2) + self.epsilon)


@wrong(Adam(0.1), "keep those before the correction")
class AdamStoresCorrected(MyAdam):
    def change(self, layer: Any, name: str, gradient: Array) -> Array:
        b1, b2 = self.betas
        momentum, cache = getattr(layer, name + "_momentum"), getattr(layer, name + "_cache")
        momentum[...] = b1 * momentum + (1 - b1) * gradient
        cache[...] = b2 * cache + (1 - b2) * gradient**2
        by_1, by_2 = self.correction(b1, b2, self.iterations + 1)
        momentum /= by_1
        cache /= by_2
        return -self.now * momentum / (np.sqrt(cache) + self.epsilon)


@wrong(Adam(0.1), "epsilon is missing")
class AdamWithoutEpsilon(MyAdam):
    epsilon = 0.0
