"""Activations: what makes a stack of layers more than one linear map."""

from framework.activations.activation import Activation
from framework.activations.elu import ELU
from framework.activations.gelu import GELU
from framework.activations.leaky_relu import LeakyReLU
from framework.activations.linear import Linear
from framework.activations.relu import ReLU
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.activations.softplus import Softplus
from framework.activations.step import Step
from framework.activations.swish import Swish
from framework.activations.tanh import Tanh

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Swish",
    "Tanh",
]
