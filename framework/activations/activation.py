"""What an activation is: an operation without parameters that can stand last in a network."""

from framework.operation import Operation, Shape
from optimizers.arrays import Array


class Activation(Operation):
    """Base class of the activations.

    Attributes:
        preferred_initializer: the initializer that keeps the size of signals, for the weights of
            a dense layer before this activation.
    """

    independent_samples = True
    preferred_initializer = "he_uniform"

    def predictions(self, outputs: Array) -> Array:
        """Return what the network says, given this activation's outputs: here, the outputs."""
        return outputs

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
