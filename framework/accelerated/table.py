"""The tables that tell the compiled code what a network is: one line for each operation.

They hold plain numbers, so that the compiled code is the same for every network.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from framework.accelerated.compiled import version
from framework.accelerated.products import HOW
from framework.accuracies import BinaryAccuracy, CategoricalAccuracy
from framework.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from framework.layers import BatchNormalization, Dense, Dropout, Scale
from framework.losses import FusedLoss, SigmoidBinaryCrossentropy, SoftmaxCategoricalCrossentropy
from framework.operation import Array
from framework.parameters import ParameterVector
from optimizers import SGD, Adam, AdamW, RMSprop
from optimizers.optimizer import Optimizer, State

# A field without meaning: code on disk is known by it as that of these sources and products.
VERSION = (f"{version()}_{HOW}", np.int64)

DENSE, RELU, LEAKY_RELU, SIGMOID, TANH, DROPOUT, BATCH_NORMALIZATION, SCALE = range(8)

# The penalties of a dense layer, under the names of its attributes.
REGULARIZERS = (
    "weight_regularizer_l1",
    "weight_regularizer_l2",
    "bias_regularizer_l1",
    "bias_regularizer_l2",
)

# The kind of an operation, and the numbers it is made with, by the names of its attributes.
KINDS: dict[type, tuple[int, tuple[str, ...]]] = {
    Dense: (DENSE, REGULARIZERS),
    ReLU: (RELU, ()),
    LeakyReLU: (LEAKY_RELU, ("alpha",)),
    Sigmoid: (SIGMOID, ()),
    Tanh: (TANH, ()),
    Dropout: (DROPOUT, ("rate",)),
    BatchNormalization: (BATCH_NORMALIZATION, ("momentum", "epsilon")),
    Scale: (SCALE, ("factor", "offset")),
}

SETTINGS = tuple(name for _, settings in KINDS.values() for name in settings)

# The places of what an operation computes: see ``program.py``. Kept is what its backward needs
# besides: the mask of dropout, the normalized inputs of batch normalization.
PLACES = ("output", "kept", "dinputs")

OPERATION = np.dtype(
    [
        VERSION,
        ("kind", np.int64),
        ("n_inputs", np.int64),
        ("n_outputs", np.int64),
        ("weights", np.int64),  # where they begin in the vectors of parameters and gradients
        ("biases", np.int64),
        ("statistics", np.int64),  # of batch normalization: running mean and variance, deviation
        ("chances", np.int64),  # of dropout, per sample
        *((name, np.int64) for name in PLACES),
        *((name, np.float64) for name in SETTINGS),
    ]
)

SOFTMAX, SIGMOIDS = range(2)

LOSSES: dict[type, int] = {
    SoftmaxCategoricalCrossentropy: SOFTMAX,
    SigmoidBinaryCrossentropy: SIGMOIDS,
}

LOSS = np.dtype(
    [
        VERSION,
        ("kind", np.int64),
        ("temperature", np.float64),
        ("classes", np.int64),
        ("output", np.int64),
        ("losses", np.int64),
        ("dinputs", np.int64),
    ]
)

CATEGORICAL, BINARY = 1, 2

ACCURACIES: dict[type, int] = {
    type(None): 0,
    CategoricalAccuracy: CATEGORICAL,
    BinaryAccuracy: BINARY,
}

STOCHASTIC, ROOT_MEAN_SQUARE, ADAPTIVE_MOMENTS = range(3)

OPTIMIZERS: dict[type, int] = {
    SGD: STOCHASTIC,
    RMSprop: ROOT_MEAN_SQUARE,
    Adam: ADAPTIVE_MOMENTS,
    AdamW: ADAPTIVE_MOMENTS,
}

# What each kind remembers about a parameter.
MEMORY = {
    STOCHASTIC: ("velocity",),
    ROOT_MEAN_SQUARE: ("cache",),
    ADAPTIVE_MOMENTS: ("momentum", "cache"),
}

OPTIMIZER_SETTINGS = (
    "momentum",
    "nesterov",
    "rho",
    "epsilon",
    "beta_1",
    "beta_2",
    "weight_decay",
    "max_gradient_norm",
)

OPTIMIZER = np.dtype(
    [VERSION, ("kind", np.int64), *((name, np.float64) for name in OPTIMIZER_SETTINGS)]
)


def is_exactly(candidate: Any, classes: Collection[type]) -> bool:
    """Whether ``candidate`` is of one of ``classes`` and computes what they do.

    A class derived from one may compute something else, and so may an object that was given a
    method, or a list of its ``parameters``, of its own.
    """
    return type(candidate) in classes and not any(
        name == "parameters" or callable(getattr(type(candidate), name, None))
        for name in vars(candidate)
    )


class Table:
    """The lines of consecutive operations, for inputs of ``width`` numbers per sample.

    Attributes:
        lines: an array of ``OPERATION``.
        width, n_outputs: numbers per sample that go in and come out.
        values, dvalues: numbers per sample that are computed, forward and backward.
        chances: numbers per sample that are drawn.
        statistics: numbers that the batch normalizations need.

    Raises ValueError if an operation does not take what the one before gives, or if its
    parameters in the vector (see ``places``) are not of the size that it says.
    """

    def __init__(self, operations: Sequence[Any], places: dict[int, list[int]], width: int) -> None:
        self.width = width
        self.values = self.dvalues = self.chances = self.statistics = 0
        lines = []
        for operation in operations:
            kind, settings = KINDS[type(operation)]
            expected = getattr(operation, "n_inputs", getattr(operation, "n_features", width))
            if width != expected:
                raise ValueError(f"{operation!r} takes {expected} values per sample, not {width}")
            n_outputs = getattr(operation, "n_neurons", width)
            keeps = n_outputs if kind in (DROPOUT, BATCH_NORMALIZATION) else 0
            weights, n_weights, biases, n_biases = places.get(id(operation), (0, 0, 0, 0))
            if kind in (DENSE, BATCH_NORMALIZATION):
                expected = width * n_outputs if kind == DENSE else width
                if n_weights != expected or n_biases != n_outputs:
                    raise ValueError(
                        f"{operation!r} says that it has {expected} weights and {n_outputs} "
                        f"biases, but the model holds {n_weights} and {n_biases} of it: its "
                        "n_inputs, n_neurons or n_features were changed"
                    )
            lines.append(
                (
                    0,
                    kind,
                    width,
                    n_outputs,
                    weights,
                    biases,
                    self.statistics,
                    self.chances,
                    self.values,
                    self.values + n_outputs,
                    self.dvalues,
                    *(getattr(operation, s) if s in settings else 0.0 for s in SETTINGS),
                )
            )
            self.values += n_outputs + keeps
            self.dvalues += width
            self.chances += n_outputs if kind == DROPOUT else 0
            self.statistics += 3 * width if kind == BATCH_NORMALIZATION else 0
            width = n_outputs
        self.n_outputs = width
        self.lines: Array = np.array(lines, dtype=OPERATION)


def places(parameters: ParameterVector) -> dict[int, list[int]]:
    """Return where in the vector an operation's weights and biases lie, by the operation's id.

    That is where the weights begin and how many numbers they are, then the same of the biases.
    """
    found: dict[int, list[int]] = {}
    for operation, name, part in parameters.split(np.arange(len(parameters))):
        if name in ("weights", "biases") and part.size:
            first = 0 if name == "weights" else 2
            place = found.setdefault(id(operation), [0, 0, 0, 0])
            place[first : first + 2] = int(part.flat[0]), part.size
    return found


def loss_line(loss: FusedLoss, table: Table) -> Any:
    """Return the line of a fused loss whose arrays stand behind those of ``table``."""
    temperature = getattr(loss.activation, "temperature", 1.0)
    classes = table.n_outputs
    places = (table.values, table.values + classes, table.dvalues)
    return np.array((0, LOSSES[type(loss)], temperature, classes, *places), dtype=LOSS)[()]


def optimizer_line(optimizer: Optimizer) -> Any:
    """Return the line of an optimizer."""
    settings = (getattr(optimizer, name, 0.0) or 0.0 for name in OPTIMIZER_SETTINGS)
    return np.array((0, OPTIMIZERS[type(optimizer)], *settings), dtype=OPTIMIZER)[()]


def optimizer_memory(
    line: Any, optimizer: Optimizer, parameters: ParameterVector
) -> tuple[Array, Array]:
    """Return the two arrays that an optimizer remembers, empty where it does without.

    That is told by its ``line``, by which the compiled code decides what to write to, and not by
    the optimizer, whose momentum may no longer be the same.
    """
    vector = parameters.weights
    state = optimizer.state(parameters).setdefault("weights", State())
    names = MEMORY[int(line["kind"])]
    if line["kind"] == STOCHASTIC and line["momentum"] == 0:
        names = ()
    arrays = [state.array(name, like=vector) for name in names]
    none = vector[:0]
    return (*arrays, none, none)[:2]  # type: ignore[return-value]
