"""What an activation is: an operation without parameters that can stand last in a network."""

from framework.operation import Array, Operation, Shape


class Activation(Operation):
    """Base class of the activations."""

    samplewise = True

    def predictions(self, outputs: Array) -> Array:
        """Return what the network says, given this activation's outputs: here, the outputs."""
        return outputs

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape
