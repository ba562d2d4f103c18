"""The book's optimizers, whose state is shown on the layers."""

from __future__ import annotations

from typing import Any

from framework.nnfs_book.arithmetic import nnfs_multiplies
from framework.nnfs_book.layers import Layer_Dense
from framework.parameters import ParameterVector
from optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop, State
from optimizers.arrays import Array

# The book's names for the state of an optimizer for a parameter.
_SHOWN_NAMES = {
    (parameter, name): f"{owner}_{kind}"
    for parameter, owner in (("weights", "weight"), ("biases", "bias"))
    for name, kind in (("velocity", "momentums"), ("momentum", "momentums"), ("cache", "cache"))
}


class ShowsState(Optimizer):
    """Shows its state on the layers that it updates, as ``weight_momentums``, ``bias_cache``, …

    The arrays on the layers are those of the state, or views of them. The state has other keys
    (see ``Optimizer.state``) for each of four kinds of updates:

    - a ``Layer_Dense`` by hand, weights and biases in one array: "joined". This is the fastest;
    - any other layer by hand; also a ``Layer_Dense`` that is in a model, whose gradients are
      float64, or whose gradients are clipped: "weights", "biases";
    - the parameters of a model, in one vector: "weights";
    - the same with float64 gradients, as after ``nnfs.init()``, which the vector would round:
      "weights 0", "biases 1" and so on, by the position of the parameter in the vector.
    """

    def pre_update_params(self) -> None:
        """Set ``current_learning_rate``; without decay it is not changed."""
        if self.decay or callable(self.learning_rate) or not hasattr(self, "current_learning_rate"):
            super().pre_update_params()

    def update_params(self, layer: Any) -> None:
        if isinstance(layer, ParameterVector):
            self._update_vector(layer)
        elif self._is_joined(layer):
            state = self.state(layer).setdefault("joined", State())
            self.update(layer.joined, layer.djoined, state)
            for name, array in state.items():
                shown = getattr(layer, _SHOWN_NAMES["weights", name], None)
                if shown is None or shown.base is not array:
                    _show(layer, "weights", name, array[:-1])
                    _show(layer, "biases", name, array[-1:])
        else:
            super().update_params(layer)
            for parameter, state in self.state(layer).items():
                for name, array in state.items():
                    _show(layer, parameter, name, array)

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        if gradient.dtype == parameter.dtype:
            super().update(parameter, gradient, state)
        else:
            wide = parameter.astype(gradient.dtype)
            super().update(wide, gradient, state)
            parameter[...] = wide

    def show_state(self, vector: ParameterVector) -> None:
        """Show the state for ``vector`` on the layers whose parameters are in it."""
        states = self.state(vector)
        for name, array in states.get("weights", {}).items():
            for layer, parameter, view in vector.split(array):
                _show(layer, parameter, name, view)
        for place, (layer, parameter, _) in enumerate(vector.split(vector.weights)):
            for name, array in states.get(f"{parameter} {place}", {}).items():
                _show(layer, parameter, name, array)

    def _is_joined(self, layer: Any) -> bool:
        return (
            isinstance(layer, Layer_Dense)
            and layer.weights.base is layer.joined
            and layer.dbiases.base is layer.djoined
            and self.max_gradient_norm is None
        )

    def _update_vector(self, vector: ParameterVector) -> None:
        parts = list(vector.split(vector.weights)) if nnfs_multiplies() else []
        gradients = [getattr(layer, "d" + name) for layer, name, _ in parts]
        if all(gradient.dtype == vector.dtype for gradient in gradients):
            super().update_params(vector)
            return
        # The vector would round float64 gradients.
        states = self.state(vector)
        for place, ((_, name, view), gradient) in enumerate(zip(parts, gradients, strict=True)):
            self.update(view, gradient, states.setdefault(f"{name} {place}", State()))


def _show(layer: Any, parameter: str, name: str, array: Array) -> None:
    if (parameter, name) in _SHOWN_NAMES:
        setattr(layer, _SHOWN_NAMES[parameter, name], array)


class Optimizer_SGD(ShowsState, SGD):
    """``SGD`` under the book's name; shows ``weight_momentums`` and ``bias_momentums``."""


class Optimizer_Adagrad(ShowsState, Adagrad):
    """``Adagrad`` under the book's name; shows ``weight_cache`` and ``bias_cache``."""


class Optimizer_RMSprop(ShowsState, RMSprop):
    """``RMSprop`` under the book's name; shows ``weight_cache`` and ``bias_cache``."""


class Optimizer_Adam(ShowsState, Adam):
    """``Adam`` under the book's name; shows momentums and caches of weights and biases."""
