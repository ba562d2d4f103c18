"""The base class of optimizers: the learning rate, its decay, and the state.

A training step, by hand or inside ``Model``, is three calls:

    optimizer.pre_update_params()        # compute the learning rate of this step
    optimizer.update_params(layer)       # for each layer that has weights
    optimizer.post_update_params()       # count the step
"""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from optimizers.arrays import Array
from optimizers.checks import check_non_negative, check_number, check_positive
from optimizers.configuration import Configurable

LearningRate: TypeAlias = float | Callable[[int], float]


class State(dict[str, Array]):
    """The state of an optimizer for one parameter: arrays by name, initially zero.

    Setting anything but an array raises TypeError.
    """

    def __setitem__(self, name: str, array: Array) -> None:
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"an optimizer's state holds arrays, received {name}={array!r}: make a number an "
                "array of one element, np.array([...]); steps are counted in self.iterations"
            )
        super().__setitem__(name, array)

    def array(self, name: str, like: Array) -> Array:
        """Return the array ``name``, of the shape and dtype of ``like``."""
        array = self.get(name)
        if array is None or array.shape != like.shape or array.dtype != like.dtype:
            array = self[name] = np.zeros_like(like)
        return array


class Optimizer(Configurable):
    """Base class of the optimizers.

    The learning rate of step ``iterations`` (0, 1, 2, …) is

        current_learning_rate = learning_rate / (1 + decay * iterations)

    where ``learning_rate`` is a number or a function of ``iterations`` (see
    ``optimizers.schedules``). A subclass writes one method, ``update``. It keeps everything that
    one step needs of the steps before in the ``state`` given to ``update``: as arrays of the
    parameter's shape (see ``State.array``), or of one element. Checkpoints save this state, but
    no other attributes, so a resumed training would silently lose those.

    Args:
        learning_rate: a positive number, or a function ``iterations -> number``.
        decay: at least 0.
        max_gradient_norm: if given, the gradients of one ``update_params`` call are scaled
            down so that their joint Euclidean norm is at most this (Pascanu et al., "On the
            difficulty of training recurrent neural networks", ICML 2013). The gradient arrays of
            the layer are not changed.

    Raises:
        TypeError, ValueError: for an argument that is not a number, or out of its range.

    Source: *Neural Networks from Scratch*, chapter 10.
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        decay: float = 0.0,
        *,
        max_gradient_norm: float | None = None,
    ) -> None:
        if not callable(learning_rate):
            learning_rate = check_positive("learning_rate", learning_rate)
        self.learning_rate: LearningRate = learning_rate
        self.decay = check_non_negative("decay", decay)
        if max_gradient_norm is not None:
            max_gradient_norm = check_positive("max_gradient_norm", max_gradient_norm)
        self.max_gradient_norm = max_gradient_norm
        self.reset()

    def reset(self) -> None:
        """Discard all state and the step count, as if the optimizer were new.

        Its arguments keep the values that they have now. ``Model.train`` asks for this, or for a
        new optimizer, where this one has trained another model: the step count, the decayed
        learning rate and the state belong to that.
        """
        self.iterations = 0
        self._entries: dict[int, _Entry] = {}
        self._has_state = False
        self.pre_update_params()

    def pre_update_params(self) -> None:
        """Set ``current_learning_rate`` for the coming step."""
        rate = self.learning_rate
        if callable(rate):
            rate = check_number(f"learning_rate({self.iterations})", rate(self.iterations))
        self.current_learning_rate = self.decayed(rate, self.iterations)

    def decayed(self, rate: Any, iterations: Any) -> Any:
        """Return the learning rate ``rate`` after so many ``iterations``, or for an array of them.

        ``pre_update_params`` calls it.
        """
        # Multiplied by the quotient, as in the book, whose programs print every digit.
        return rate * (1.0 / (1.0 + self.decay * iterations))

    def update_params(self, layer: Any) -> None:
        """Update every parameter of ``layer`` in place.

        ``layer`` is any object with arrays ``weights`` and ``dweights`` and, if it has them,
        ``biases`` and ``dbiases``. An object whose parameters have other names lists them in
        ``layer.parameters``; the gradient of ``scale`` is ``dscale``. If
        ``layer.parameters`` itself has ``weights`` and ``dweights``, as that of a ``Model``, it is
        updated instead of ``layer``. One whose ``trainable`` is False is left as it is.

        Raises:
            TypeError: a parameter is not a writable floating-point array.
            ValueError: a gradient is missing or has another shape than its parameter.
        """
        owner = getattr(layer, "parameters", None)
        if hasattr(owner, "dweights"):
            layer = owner
        elif getattr(layer, "trainable", True) is False:
            return
        pairs = list(_parameters_and_gradients(layer))
        scale = 1.0
        if self.max_gradient_norm is not None:
            scale = self.clipping_factor(joint_norm([gradient for _, _, gradient in pairs]))
        states = self.state(layer)
        self.before_updates(layer, {name: parameter for name, parameter, _ in pairs})
        for name, parameter, gradient in pairs:
            if scale < 1.0:
                gradient = gradient * scale
            if not parameter.ndim:
                # Arithmetic on arrays without axes gives numbers, which cannot be written to.
                parameter, gradient = np.atleast_1d(parameter, gradient)
            self.update(parameter, gradient, states.setdefault(name, State()))

    def post_update_params(self) -> None:
        """Count the step."""
        self.iterations += 1

    def before_updates(self, layer: Any, parameters: dict[str, Array]) -> None:
        """Change ``parameters`` of ``layer``, by name, in place before the ``update`` of each.

        Does nothing unless a subclass overrides it.
        """

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        """Update ``parameter`` in place. ``state`` is the state for this parameter."""
        raise NotImplementedError(f"{type(self).__name__} has no update method")

    def state(self, layer: Any) -> dict[str, State]:
        """Return the state for ``layer``: a ``State`` for each of its parameters, by name."""
        entry = self._entries.get(id(layer))
        if entry is None or entry.layer is not layer:
            # Of the layers that are no more, one may have had this id.
            self._entries = {key: other for key, other in self._entries.items() if other.is_alive}
            entry = self._entries[id(layer)] = _Entry(layer)
            self._has_state = True
        return entry.states

    def has_trained_only_others(self, layers: Iterable[Any]) -> bool:
        """Whether steps were taken with state for some layer, but for none of ``layers``."""
        if not (self.iterations and self._has_state):
            return False
        entries = [self._entries.get(id(layer)) for layer in layers]
        return not any(entry is not None and entry.is_alive for entry in entries)

    def forget(self, layer: Any) -> None:
        """Discard the state for ``layer``."""
        self._entries.pop(id(layer), None)

    def clipping_factor(self, norm: float) -> float:
        """Return the factor, at most 1, that brings a joint norm within the limit."""
        limit = self.max_gradient_norm
        return limit / norm if limit is not None and norm > limit else 1.0

    if not TYPE_CHECKING:  # where type checkers saw it, they would take any attribute for given

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if "_entries" in vars(self):
                raise AttributeError(f"{kind} has no attribute {name!r}")
            raise AttributeError(
                f"{kind} has no learning_rate: its __init__ has to call "
                "super().__init__(learning_rate)"
            )

    def __getstate__(self) -> dict[str, Any]:
        # Ids are not valid in a copy or in another process, so the layers are stored instead.
        alive = [entry for entry in self._entries.values() if entry.is_alive]
        layers = [(entry.layer, entry.states) for entry in alive]
        return {**self.__dict__, "_entries": layers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._entries = {id(layer): _Entry(layer, states) for layer, states in state["_entries"]}


class _Entry:
    """The state for a layer, which it does not keep alive: of a dead layer, no state is left.

    A layer whose class has ``__slots__`` without ``__weakref__`` is kept until nothing else refers
    to it, which is looked up when another layer comes.
    """

    def __init__(self, layer: Any, states: dict[str, State] | None = None) -> None:
        self.states = states = {} if states is None else states
        self._kept: Any = None
        self._reference: weakref.ref[Any] | None = None
        try:
            self._reference = weakref.ref(layer, lambda _: states.clear())
        except TypeError:
            self._kept = layer

    @property
    def layer(self) -> Any:
        """The layer, or None if it is no more."""
        return self._kept if self._reference is None else self._reference()

    @property
    def is_alive(self) -> bool:
        """Whether anything but this entry refers to the layer."""
        if self._reference is None:
            return sys.getrefcount(self._kept) > ONLY_HERE
        return self._reference() is not None


def _references_of_one_attribute() -> int:
    entry = _Entry.__new__(_Entry)
    entry._kept = object()
    return sys.getrefcount(entry._kept)


# What sys.getrefcount counts, itself included, where an attribute alone refers to an object.
ONLY_HERE = _references_of_one_attribute()


def parameter_names(layer: Any) -> tuple[str, ...]:
    """Return the names of the trained arrays of ``layer``: see ``Optimizer.update_params``."""
    listed = getattr(layer, "parameters", None)
    if isinstance(listed, (list, tuple)):
        return tuple(listed)
    return tuple(name for name in ("weights", "biases") if hasattr(layer, name))


def trained_names(layer: Any) -> tuple[str, ...]:
    """Return the ``parameter_names`` of ``layer``, none where its ``trainable`` is False."""
    return () if getattr(layer, "trainable", True) is False else parameter_names(layer)


def _parameters_and_gradients(layer: Any) -> Iterator[tuple[str, Array, Array]]:
    names = parameter_names(layer)
    if not names:
        raise TypeError(
            f"update_params expects an object with weights and dweights, received {layer!r}"
        )
    for name in names:
        parameter = getattr(layer, name, None)
        if not isinstance(parameter, np.ndarray) or parameter.dtype.kind != "f":
            received = getattr(parameter, "dtype", type(parameter).__name__)
            raise TypeError(
                f"{_place(layer, name)} must be a floating-point array, received {received}"
            )
        if not parameter.flags.writeable:
            raise TypeError(f"{_place(layer, name)} is read-only, so it cannot be updated in place")
        gradient = getattr(layer, "d" + name, None)
        if gradient is None:
            raise ValueError(
                f"{_place(layer, name)} has no gradient d{name}: call backward before updating"
            )
        gradient = np.asarray(gradient)
        if gradient.shape != parameter.shape:
            raise ValueError(
                f"{_place(layer, name)} has shape {parameter.shape}, but its gradient d{name} has "
                f"shape {gradient.shape}"
            )
        yield name, parameter, gradient


def _place(layer: Any, name: str) -> str:
    return f"{type(layer).__name__}.{name}"


def joint_norm(gradients: list[Array]) -> float:
    """Return the Euclidean norm over all arrays together, without overflow in float32."""
    largest = max((float(np.abs(gradient).max(initial=0.0)) for gradient in gradients), default=0)
    if largest == 0 or not math.isfinite(largest):
        return 0.0
    return largest * math.sqrt(
        sum(float(np.square(gradient / largest).sum()) for gradient in gradients)
    )
