"""Losses: the error of the outputs, and its gradient."""

from typing import TYPE_CHECKING

from framework.losses.binary_crossentropy import BinaryCrossentropy as BinaryCrossentropy
from framework.losses.categorical_crossentropy import (
    CategoricalCrossentropy as CategoricalCrossentropy,
)
from framework.losses.hinge import Hinge as Hinge
from framework.losses.huber import Huber as Huber
from framework.losses.loss import FusedLoss as FusedLoss
from framework.losses.loss import Loss as Loss
from framework.losses.mean_absolute_error import MeanAbsoluteError as MeanAbsoluteError
from framework.losses.mean_squared_error import MeanSquaredError as MeanSquaredError
from framework.losses.poisson import Poisson as Poisson
from framework.losses.sigmoid_binary_crossentropy import (
    SigmoidBinaryCrossentropy as SigmoidBinaryCrossentropy,
)
from framework.losses.softmax_categorical_crossentropy import (
    SoftmaxCategoricalCrossentropy as SoftmaxCategoricalCrossentropy,
)

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = sorted(name for name, value in globals().items() if isinstance(value, type))
