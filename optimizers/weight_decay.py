"""Decoupled weight decay, and the choice of the parameters that decay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from optimizers.arrays import Array
from optimizers.optimizer import Optimizer


class WeightDecay(Optimizer):
    """A part of optimizers whose parameters also shrink by themselves, in each step at first:

        parameter = parameter - learning_rate * weight_decay * parameter

    Attributes:
        weight_decay: at least 0.
        decay_exclude: the names of parameters that do not decay, such as ``("biases",)``. A name
            stands for the parameters of all layers, or with a class, as in
            "BatchNormalization.weights", for those of one kind of layer.
    """

    weight_decay: float
    decay_exclude: tuple[str, ...]
    # See ``framework.Operation.later_arguments``.
    later_arguments = ("decay_exclude",)

    def before_updates(self, layer: Any, parameters: dict[str, Array]) -> None:
        factor = 1 - self.current_learning_rate * self.weight_decay
        for name, parameter in parameters.items():
            if not self.decay_exclude:
                parameter *= factor
                continue
            for owner, own_name, part in _parts(layer, name, parameter):
                if not self.excludes(owner, own_name):
                    part *= factor

    def excludes(self, layer: Any, name: str) -> bool:
        """Whether the parameter ``name`` of ``layer`` does not decay."""
        return bool({name, _full_name(layer, name)} & set(self.decay_exclude))

    def check_names(self, parameters: Iterable[tuple[Any, str]]) -> None:
        """Raise ValueError if ``decay_exclude`` has a name that is none of ``parameters``.

        ``parameters`` are layers, each with the name of a parameter. ``Model.finalize`` asks.
        """
        known: dict[str, None] = {}
        for layer, name in parameters:
            known |= {name: None, _full_name(layer, name): None}
        for name in self.decay_exclude:
            if name not in known:
                raise ValueError(
                    f"{self!r}: decay_exclude has {name!r}, but no parameter is called so; there "
                    f"are {', '.join(known)}"
                )


def check_excluded(names: Any) -> tuple[str, ...]:
    """Return the argument ``decay_exclude`` as a tuple. Raises TypeError for no names."""
    found = () if isinstance(names, str) or not isinstance(names, Iterable) else tuple(names)
    if (not found and names != ()) or not all(isinstance(name, str) for name in found):
        raise TypeError(
            f'decay_exclude must be names of parameters, such as ("biases",), received {names!r}'
        )
    return found


def _full_name(layer: Any, name: str) -> str:
    return f"{type(layer).__name__}.{name}"


def _parts(layer: Any, name: str, parameter: Array) -> Iterator[tuple[Any, str, Array]]:
    """Yield the parameters in ``parameter``: itself, or those that lie in it one after the other.

    An object with the parameters of several layers in one vector, such as ``Model.parameters``,
    tells them by ``split(vector)``: each layer, the name, and the view of its part.
    """
    split = getattr(layer, "split", None)
    return iter([(layer, name, parameter)]) if split is None else split(parameter)
