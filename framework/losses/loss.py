"""The base classes of losses: the mean over the samples, penalties on the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.checks import as_array, as_floats, check_finite
from framework.operation import KinkSides, describe
from optimizers.arrays import Array
from optimizers.configuration import Configurable

# Probabilities keep this distance from 0 and 1, so that their logarithm is finite. As in the book.
CLIP = 1e-7
# The side, see ``clip_sides``, of a probability that is not clipped.
NOT_CLIPPED = 0.5
# A parameter, and the attributes that hold the factors of its penalties.
PENALTIES = (
    ("weights", "weight_regularizer_l1", "weight_regularizer_l2"),
    ("biases", "bias_regularizer_l1", "bias_regularizer_l2"),
)


class Loss(Configurable):
    """Base class of the losses.

    A subclass writes ``forward``, one loss for each sample, and ``backward``, the gradient of
    their mean. Both usually begin with ``check``, which checks the targets by ``check_targets``.

    Attributes:
        dinputs: the result of the last ``backward``, in the shape of the predictions, already
            divided by the number of samples.
        regression: whether the targets are quantities and not classes, False unless a subclass
            sets it to True.

    Source: *Neural Networks from Scratch*, chapters 5, 9 and 14.
    """

    regression = False
    dinputs: Array
    trainable_layers: Sequence[Any] = ()

    def forward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Any:
        """Return the loss of each sample, ``(samples,)``."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method")

    def backward(self, y_pred: ArrayLike, y_true: ArrayLike) -> Array:
        """Compute, store and return ``dinputs``, the gradient of the mean loss."""
        raise NotImplementedError(f"{type(self).__name__} has no backward method")

    def kink_sides(self, y_pred: ArrayLike, y_true: ArrayLike) -> KinkSides:
        """Return on which side of its kinks the loss is, or None if it is not known.

        See ``Operation.kink_sides``. A fused loss is given the logits.
        """
        return None

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        """Return ``y_true`` as an array that fits predictions of ``shape``.

        This base class accepts any finite numbers with one entry or one row for each sample.
        Most losses override it.

        Raises TypeError or ValueError if the targets do not fit.
        """
        targets = as_array(y_true, "y")
        if targets.shape[:1] != shape[:1]:
            raise ValueError(
                f"y must have one target for each of {shape[0]} samples, received shape "
                f"{targets.shape}"
            )
        check_finite(targets, "y")
        return targets

    def example(
        self, generator: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[Array, Array]:
        """Return random predictions ``(samples, outputs)`` and targets that this loss accepts.

        The checks of all losses begin here. A loss whose predictions and targets are not any
        numbers overrides it.
        """
        return generator.normal(size=shape), generator.normal(size=shape)

    def calculate(
        self, y_pred: ArrayLike, y_true: ArrayLike, *, include_regularization: bool = False
    ) -> Any:
        """Return the mean loss over the samples, as a float.

        With ``include_regularization=True`` it returns a pair: the mean, and the penalty of the
        layers given to ``remember_trainable_layers``.

        Raises TypeError or ValueError if the targets do not fit the predictions.
        """
        data_loss = float(np.mean(self.forward(y_pred, y_true)))
        if include_regularization:
            return data_loss, self.regularization_loss()
        return data_loss

    def remember_trainable_layers(self, trainable_layers: Sequence[Any]) -> None:
        """Set the layers whose penalties ``regularization_loss()`` adds up."""
        self.trainable_layers = trainable_layers

    def regularization_loss(self, layer: Any = None) -> float:
        """Return the penalty on the parameters of ``layer``, or of all remembered layers.

            Σ λ₁ |parameter| + Σ λ₂ parameter²

        with the λ that each layer has in ``weight_regularizer_l1`` and its three siblings. A
        layer without them adds nothing.
        """
        if layer is not None:
            return penalty(layer)
        return sum(map(penalty, self.trainable_layers), 0.0)

    def check(self, y_pred: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        """Return predictions and targets as arrays that fit each other, or raise."""
        y_pred = as_floats(y_pred, "y_pred")
        if not y_pred.shape or not y_pred.size:
            raise ValueError(
                f"y_pred must have one row for each sample, and at least one, received shape "
                f"{y_pred.shape}"
            )
        return y_pred, self.check_targets(y_true, y_pred.shape)


class FusedLoss(Loss):
    """Base class of an activation fused with a loss, computed from the logits.

    ``forward(inputs, y_true)`` takes the logits and returns the mean loss;
    ``backward(output, y_true)`` takes the activation's ``output``, as in the book. A subclass
    writes ``outputs_and_losses``, the mean of whose losses ``forward`` returns, and ``backward``.

    Attributes:
        output: the activation's values for the last logits.
        activation, loss: the two operations that this one stands for.
    """

    output: Array
    activation: Activation
    loss: Loss

    def forward(self, inputs: ArrayLike, y_true: ArrayLike) -> float:
        """Store ``output`` and return the mean loss of the logits ``inputs``, as a float."""
        return mean_loss(self.losses(inputs, y_true))

    def losses(self, inputs: ArrayLike, y_true: ArrayLike) -> Array:
        """Store ``output`` and return the loss of each sample, as ``outputs_and_losses`` does."""
        return self.outputs_and_losses(inputs, y_true)[1]

    def outputs_and_losses(self, inputs: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        """Store ``output``; return it, and the loss of each sample, ``(samples,)``.

        A loss that is averaged over the outputs of a sample may return it for each of them,
        ``(samples, outputs)``. A subclass may write ``losses`` in place of this; ``output`` is then
        read after it, when another thread may have stored its own.
        """
        if type(self).losses is FusedLoss.losses:
            raise NotImplementedError(f"{type(self).__name__} has no outputs_and_losses method")
        losses = self.losses(inputs, y_true)
        return self.output, losses

    def check_targets(self, y_true: ArrayLike, shape: tuple[int, ...]) -> Array:
        return self.loss.check_targets(y_true, shape)

    def example(
        self, generator: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[Array, Array]:
        _, targets = self.loss.example(generator, shape)
        return generator.normal(size=shape), targets

    def _store(self, output: Array) -> None:
        self.output = self.activation.output = output


def clip_sides(probabilities: Array) -> Array:
    """Return the ``kink_sides`` of probabilities that are clipped to ``CLIP`` … 1 - ``CLIP``.

    Where one is clipped, the loss is flat, but ``backward`` gives a slope that leads back. So
    each change there counts as a kink, as it does in a number that is its own side.
    """
    clipped = (probabilities < CLIP) | (probabilities > 1 - CLIP)
    return np.where(clipped, probabilities, NOT_CLIPPED)


def is_clipped(sides: Array) -> Array:
    """Return where ``sides`` are clipped probabilities, as booleans: see ``clip_sides``."""
    if sides.dtype.kind != "f":
        return np.zeros(sides.shape, dtype=bool)
    return (sides > 0) & (sides < 1) & (sides != NOT_CLIPPED)


def mean_loss(losses: Array) -> float:
    """Return the mean of an array as a float, in a third of the time of ``np.mean``."""
    return float(np.add.reduce(losses, axis=None) / losses.size)


def no_losses(loss: Any) -> ValueError:
    """Return the error for a loss whose ``forward`` returns nothing."""
    return ValueError(
        f"{describe(loss)} gives no losses: its forward has to return one for each sample"
    )


def penalty(layer: Any) -> float:
    """Return the L1 and L2 penalties on the parameters of one layer, 0 if it has none."""
    total = 0.0
    for name, l1_name, l2_name in PENALTIES:
        if l1 := getattr(layer, l1_name, 0):
            total += l1 * float(np.abs(getattr(layer, name)).sum())
        if l2 := getattr(layer, l2_name, 0):
            total += l2 * float(np.square(getattr(layer, name)).sum())
    return total


def penalty_sides(layer: Any) -> list[Array]:
    """Return the ``kink_sides`` of the L1 penalties on the parameters of one layer."""
    return [getattr(layer, name) < 0 for name, l1, _ in PENALTIES if getattr(layer, l1, 0)]
