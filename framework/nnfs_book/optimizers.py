"""The book's optimizers, whose state is shown on the layers."""

from typing import Any

from framework.nnfs_book.arithmetic import nnfs_multiplies
from framework.nnfs_book.layers import Layer_Dense
from framework.parameters import ParameterVector
from optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop, State
from optimizers.arrays import Array

# The book's name for what an optimizer remembers about a parameter.
_MEMORIES = {
    (parameter, memory): f"{owner}_{kind}"
    for parameter, owner in (("weights", "weight"), ("biases", "bias"))
    for memory, kind in (("velocity", "momentums"), ("momentum", "momentums"), ("cache", "cache"))
}


class ShowsMemory(Optimizer):
    """Shows what it remembers on the layers that it updates, as ``weight_momentums`` and so on.

    The arrays shown are its own: what is done to them is done to it. It updates in one of four
    ways, each of which has names of its own for what it remembers (see ``Optimizer.state``):

    - a ``Layer_Dense`` by hand, weights and biases in one array: "joined". This is the fastest;
    - any other layer by hand; also a ``Layer_Dense`` that is in a model, whose gradients are wider
      than its parameters, or whose gradients are clipped: "weights", "biases";
    - the parameters of a model, in one vector: "weights";
    - the same with a gradient in float64, as after ``nnfs.init()``, which the vector would round:
      "weights 0", "biases 1" and so on, by the place of the parameter in the vector.
    """

    def pre_update_params(self) -> None:
        """Set ``current_learning_rate``; without decay it is left as it is, or has been set."""
        if self.decay or callable(self.learning_rate) or not hasattr(self, "current_learning_rate"):
            super().pre_update_params()

    def update_params(self, layer: Any) -> None:
        if isinstance(layer, ParameterVector):
            self._update_vector(layer)
        elif self._is_joined(layer):
            state = self.state(layer).setdefault("joined", State())
            self.update(layer.joined, layer.djoined, state)
            for memory, array in state.items():
                shown = getattr(layer, _MEMORIES["weights", memory], None)
                if shown is None or shown.base is not array:
                    _show(layer, "weights", memory, array[:-1])
                    _show(layer, "biases", memory, array[-1:])
        else:
            super().update_params(layer)
            for parameter, state in self.state(layer).items():
                for memory, array in state.items():
                    _show(layer, parameter, memory, array)

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        if gradient.dtype == parameter.dtype:
            super().update(parameter, gradient, state)
        else:
            wide = parameter.astype(gradient.dtype)
            super().update(wide, gradient, state)
            parameter[...] = wide

    def show_memory(self, vector: ParameterVector) -> None:
        """Show what is remembered about ``vector`` on the layers whose parameters are in it."""
        states = self.state(vector)
        for memory, array in states.get("weights", {}).items():
            for layer, parameter, view in vector.split(array):
                _show(layer, parameter, memory, view)
        for place, (layer, parameter, _) in enumerate(vector.split(vector.weights)):
            for memory, array in states.get(f"{parameter} {place}", {}).items():
                _show(layer, parameter, memory, array)

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
        # Gradients in float64 would be rounded on their way into the vector.
        states = self.state(vector)
        for place, ((_, name, view), gradient) in enumerate(zip(parts, gradients, strict=True)):
            self.update(view, gradient, states.setdefault(f"{name} {place}", State()))


def _show(layer: Any, parameter: str, memory: str, array: Array) -> None:
    if (parameter, memory) in _MEMORIES:
        setattr(layer, _MEMORIES[parameter, memory], array)


class Optimizer_SGD(ShowsMemory, SGD):
    """``SGD`` under the book's name; shows ``weight_momentums`` and ``bias_momentums``."""


class Optimizer_Adagrad(ShowsMemory, Adagrad):
    """``Adagrad`` under the book's name; shows ``weight_cache`` and ``bias_cache``."""


class Optimizer_RMSprop(ShowsMemory, RMSprop):
    """``RMSprop`` under the book's name; shows ``weight_cache`` and ``bias_cache``."""


class Optimizer_Adam(ShowsMemory, Adam):
    """``Adam`` under the book's name; shows momentums and caches of weights and biases."""
