"""The base class of activations: operations that keep the shape of their inputs."""

from __future__ import annotations

from framework.operation import Operation, Shape
from optimizers.arrays import Array


class Activation(Operation):
    """Base class of the activations. One that is last in a network turns outputs to predictions.

    Attributes:
        preferred_initializer: the name of the initializer that suits the weights of a dense
            layer before this activation, so that signals keep their size.
    """

    independent_samples = True
    preferred_initializer = "he_uniform"

    def predictions(self, outputs: Array) -> Array:
        """Return predictions for outputs of this activation: here, the outputs themselves."""
        return outputs

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
