"""The base class of operations: ``forward`` and ``backward``.

    output  = operation.forward(inputs, training=True)
    dinputs = operation.backward(dvalues)

``dvalues`` is the gradient of the loss with respect to ``output``; ``dinputs`` is the gradient
with respect to ``inputs``, and so the ``dvalues`` of the operation before. That is the whole of
backpropagation: each operation knows its own derivative, and the chain rule is the loop that
calls them in reverse.

Any class with these two methods can go into a ``Model``. Deriving it from ``Operation`` only
adds a repr, the configuration that is saved, and sizes in ``Model.summary``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

from framework.utils.deprecation import RenamedAttribute
from framework.utils.warnings import warn_user
from optimizers.arrays import Array
from optimizers.configuration import Configurable, constructor_arguments

__all__ = [
    "Array",
    "Channels",
    "KinkSides",
    "LastAxis",
    "Operation",
    "Shape",
    "describe",
    "not_stored",
    "smooth",
]

# The shape of one sample; None where it is not known before data are seen.
Shape: TypeAlias = tuple[int, ...] | None

# The result of ``kink_sides``: one array, several, or None where nothing is known.
KinkSides: TypeAlias = Array | Sequence[Array] | None


class LastAxis(tuple[int, ...]):
    """The shape of a sample where only the last axis is known: ``(64,)`` means ``(…, 64)``.

    ``Dense`` returns it where the shape of its inputs is not known. An operation that needs the
    other axes treats it like None; all others can treat it like the shape of a row.
    """


class Channels(LastAxis):
    """The same of images or sequences, which have axes before their channels: ``(…, 8)``.

    ``Conv2D`` returns it where the size of its images is not known.
    """


class Operation(Configurable):
    """Base class of layers and activations.

    One that holds others with parameters, such as a ``Sequential``, derives from ``Container``
    instead, so that they are found, trained and saved.

    Attributes:
        output: the result of the last ``forward``.
        dinputs: the result of the last ``backward``, of the shape of the inputs.
        parameters: names of the arrays that are trained; the gradient of ``weights`` is
            ``dweights``. A class that lists none has those of ``weights`` and ``biases`` that
            it has.
        state: names of further arrays that belong to a saved model but are not trained.
        independent_samples: whether the output of each sample depends on that sample alone, in
            training too. ``Model`` may then divide a large batch into micro-batches.
        differentiable: whether there is a gradient for ``backward`` to compute.
        trainable: False freezes the operation, from the next ``finalize`` of the model on: its
            parameters stay as they are, optimizers remember nothing of them, and their gradients
            are not computed. They are saved all the same. A frozen batch normalization uses its
            running statistics, in training too.
        later_arguments: names of constructor arguments that came after version 0.1.0. A file has
            them only where they differ from their defaults, so that older versions can read it.
        example_axes: the axes that a sample for ``for_features`` has before its features, such as
            ``(4, 3)`` for an operation on images; ``()`` where a sample can be a row.
        computes_as: the base class, for a class whose own ``forward`` gives the outputs of its
            base, so that it is exported like that.
    """

    parameters: tuple[str, ...]
    computes_as: type[Operation]
    state: tuple[str, ...] = ()
    independent_samples: bool = False
    later_arguments: tuple[str, ...] = ()
    example_axes: tuple[int, ...] = ()
    samplewise = RenamedAttribute("independent_samples")
    differentiable = True
    trainable = True
    output: Array
    dinputs: Array

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "samplewise" in vars(cls):
            warn_user(
                f"{cls.__name__}.samplewise was renamed: use independent_samples",
                DeprecationWarning,
            )
            cls.independent_samples = vars(cls)["samplewise"]
            del cls.samplewise

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        """Compute, store and return ``output``. ``inputs`` is ``(samples, ...)``."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method")

    def backward(self, dvalues: ArrayLike) -> Array:
        """Compute, store and return ``dinputs``, from ``dvalues`` of the shape of ``output``."""
        raise NotImplementedError(f"{type(self).__name__} has no backward method")

    def kink_sides(self) -> KinkSides:
        """Return on which side of its kinks the last ``forward`` was, or None if not known.

        At a kink, such as that of ReLU at 0, a function has no derivative, so that
        ``check_gradients`` cannot check it there. It calls this method after each ``forward``.
        The result has to change whenever a kink is crossed, and only then: ``inputs > 0`` for a
        ReLU, the index of the largest input for a maximum; ``()`` if there are no kinks, for
        which ``kink_sides = smooth`` is short. Jumps of the second derivative count as well.

        A class with a ``forward`` of its own needs a ``kink_sides`` of its own: an inherited one
        describes another function, and is not called.
        """
        return None

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of one output sample, given that of one input sample.

        None is a shape that is not known. Raises ValueError if the operation cannot take such
        inputs.
        """
        return None

    @classmethod
    def stored_shapes(cls, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the parameters and the state, given constructor arguments.

        A file's arrays are compared with them before an operation of that size is made. Arrays
        that are not named here are compared afterwards.
        """
        return {}

    @classmethod
    def for_features(cls, n_features: int) -> Operation:
        """Return a new operation for inputs ``(samples, *example_axes, n_features)``.

        ``n_features`` is given to the constructor as ``n_inputs`` or ``n_features``, where it
        requires one of them. A class whose constructor requires more arguments overrides this,
        with typical values: the checks of all operations begin here.
        """
        arguments = constructor_arguments(cls)
        widths = [
            name
            for name in ("n_inputs", "n_features")
            if name in arguments and arguments[name].default is inspect.Parameter.empty
        ]
        return cls(**dict.fromkeys(widths, n_features))


def smooth(*arguments: Any, **named: Any) -> tuple[()]:
    """The ``kink_sides`` of an operation or a loss that has no kinks."""
    return ()


def describe(operation: Any) -> str:
    """Return the repr of ``operation``, or its class where that would only be an address."""
    only_an_address: Any = object.__repr__
    if type(operation).__repr__ is only_an_address:
        return f"{type(operation).__name__}()"
    return repr(operation)


def not_stored(operation: Any, name: str, method: str) -> ValueError:
    """Return the error for an attribute that ``method`` of ``operation`` should have stored."""
    return ValueError(f"{describe(operation)} has no {name}: its {method} has to store it")
