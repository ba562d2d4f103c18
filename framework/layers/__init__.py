"""Layers: operations between the activations."""

from framework.layers.batch_normalization import BatchNormalization
from framework.layers.dense import Dense
from framework.layers.dropout import Dropout
from framework.layers.flatten import Flatten
from framework.layers.scale import Scale

__all__ = ["BatchNormalization", "Dense", "Dropout", "Flatten", "Scale"]
