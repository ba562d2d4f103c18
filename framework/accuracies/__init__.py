"""Accuracies: the share of correct predictions."""

from typing import TYPE_CHECKING

from framework.accuracies.accuracy import Accuracy as Accuracy
from framework.accuracies.binary import BinaryAccuracy as BinaryAccuracy
from framework.accuracies.categorical import CategoricalAccuracy as CategoricalAccuracy
from framework.accuracies.hinge import HingeAccuracy as HingeAccuracy
from framework.accuracies.regression import RegressionAccuracy as RegressionAccuracy

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = sorted(name for name, value in globals().items() if isinstance(value, type))
