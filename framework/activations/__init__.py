"""Activations: without them, a stack of layers would be a single linear map."""

from typing import TYPE_CHECKING

from framework.activations.activation import Activation as Activation
from framework.activations.elu import ELU as ELU
from framework.activations.gelu import GELU as GELU
from framework.activations.leaky_relu import LeakyReLU as LeakyReLU
from framework.activations.linear import Linear as Linear
from framework.activations.log_softmax import LogSoftmax as LogSoftmax
from framework.activations.mish import Mish as Mish
from framework.activations.prelu import PReLU as PReLU
from framework.activations.relu import ReLU as ReLU
from framework.activations.selu import SELU as SELU
from framework.activations.sigmoid import Sigmoid as Sigmoid
from framework.activations.softmax import Softmax as Softmax
from framework.activations.softplus import Softplus as Softplus
from framework.activations.step import Step as Step
from framework.activations.swish import Swish as Swish
from framework.activations.tanh import Tanh as Tanh

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = sorted(name for name, value in globals().items() if isinstance(value, type))
