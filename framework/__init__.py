"""Neural networks from scratch in NumPy, one object per operation.

Every operation stores what it computed: ``output`` after ``forward``, ``dinputs`` (and
``dweights``, ``dbiases``) after ``backward``. Compose them by hand, or with ``Model``.
"""

from framework import initializers
from framework.accuracies import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    RegressionAccuracy,
)
from framework.activations import (
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    Softmax,
    Softplus,
    Step,
    Swish,
    Tanh,
)
from framework.containers import Sequential
from framework.errors import BatchError, DivergenceError, OnnxError, SavedFileError
from framework.inspection.diagnosis import Diagnosis
from framework.inspection.gradient_check import check_gradients
from framework.inspection.gradient_report import GradientReport
from framework.layers import BatchNormalization, Dense, Dropout, Flatten, Scale
from framework.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    FusedLoss,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    SigmoidBinaryCrossentropy,
    SoftmaxCategoricalCrossentropy,
)
from framework.model import Model
from framework.operation import Operation
from framework.parameters import Parameter
from framework.training.callbacks import EarlyStopping
from framework.training.checkpoint import Checkpoint
from framework.training.history import History
from framework.training.state import Callback, Training
from framework.utils.rng import seed

__all__ = [
    "ELU",
    "GELU",
    "Accuracy",
    "Activation",
    "BatchError",
    "BatchNormalization",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "Callback",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "Checkpoint",
    "Dense",
    "Diagnosis",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "Flatten",
    "FusedLoss",
    "GradientReport",
    "History",
    "Huber",
    "LeakyReLU",
    "Linear",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Model",
    "OnnxError",
    "Operation",
    "Parameter",
    "ReLU",
    "RegressionAccuracy",
    "SavedFileError",
    "Scale",
    "Sequential",
    "Sigmoid",
    "SigmoidBinaryCrossentropy",
    "Softmax",
    "SoftmaxCategoricalCrossentropy",
    "Softplus",
    "Step",
    "Swish",
    "Tanh",
    "Training",
    "check_gradients",
    "initializers",
    "seed",
]
