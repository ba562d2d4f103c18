"""Losses: how wrong the outputs are, and in which direction they should move."""

from framework.losses.binary_crossentropy import BinaryCrossentropy
from framework.losses.categorical_crossentropy import CategoricalCrossentropy
from framework.losses.huber import Huber
from framework.losses.loss import FusedLoss, Loss
from framework.losses.mean_absolute_error import MeanAbsoluteError
from framework.losses.mean_squared_error import MeanSquaredError
from framework.losses.sigmoid_binary_crossentropy import SigmoidBinaryCrossentropy
from framework.losses.softmax_categorical_crossentropy import SoftmaxCategoricalCrossentropy

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "FusedLoss",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SigmoidBinaryCrossentropy",
    "SoftmaxCategoricalCrossentropy",
]
