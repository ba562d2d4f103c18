"""Layers: dense layers, normalization, dropout, and changes of scale and shape."""

from typing import TYPE_CHECKING

from framework.layers.batch_normalization import BatchNormalization as BatchNormalization
from framework.layers.dense import Dense as Dense
from framework.layers.dropout import Dropout as Dropout
from framework.layers.flatten import Flatten as Flatten
from framework.layers.scale import Scale as Scale

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = sorted(name for name, value in globals().items() if isinstance(value, type))
