"""Accuracies: the share of predictions that are right."""

from framework.accuracies.accuracy import Accuracy
from framework.accuracies.binary import BinaryAccuracy
from framework.accuracies.categorical import CategoricalAccuracy
from framework.accuracies.regression import RegressionAccuracy

__all__ = ["Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "RegressionAccuracy"]
