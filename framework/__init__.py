"""Neural networks from scratch in NumPy, one object per operation.

Every operation stores what it computed: ``output`` after ``forward``, ``dinputs`` (and
``dweights``, ``dbiases``) after ``backward``. Compose them by hand, or with ``Model``.
"""

from typing import TYPE_CHECKING

from framework.utils import neighbours

neighbours.check_ours("optimizers")  # before anything imports from it

from framework import augmentation as augmentation
from framework import initializers as initializers
from framework import metrics as metrics
from framework import nnfs_book as nnfs_book  # saved files may name its classes
from framework.accuracies import *
from framework.activations import *
from framework.containers import Container as Container
from framework.containers import Residual as Residual
from framework.containers import Sequential as Sequential
from framework.errors import BatchError as BatchError
from framework.errors import DivergenceError as DivergenceError
from framework.errors import FileError as FileError
from framework.errors import OnnxError as OnnxError
from framework.errors import SavedFileError as SavedFileError
from framework.inspection.diagnosis import Diagnosis as Diagnosis
from framework.inspection.gradient_check import assert_gradients as assert_gradients
from framework.inspection.gradient_check import check_gradients as check_gradients
from framework.inspection.gradient_report import GradientReport as GradientReport
from framework.inspection.trace import trace as trace
from framework.inspection.trace_report import Trace as Trace
from framework.layers import *
from framework.losses import *
from framework.model import Model as Model
from framework.operation import Operation as Operation
from framework.parameters import Parameter as Parameter
from framework.training.checkpoint import Checkpoint as Checkpoint
from framework.training.csv_logger import CSVLogger as CSVLogger
from framework.training.early_stopping import EarlyStopping as EarlyStopping
from framework.training.history import History as History
from framework.training.reduce_learning_rate import ReduceLearningRate as ReduceLearningRate
from framework.training.state import Callback as Callback
from framework.training.state import Training as Training
from framework.utils.rng import seed as seed

__version__ = "0.1.0"  # read by setup.cfg, and so that of the package

if not TYPE_CHECKING:  # type checkers read the "as" and the "*" of each line instead
    __all__ = [
        "augmentation",
        "initializers",
        "metrics",
        *sorted(name for name, value in globals().items() if callable(value)),
    ]

    def __dir__():
        return list(__all__)
