"""Layers: dense, convolution, pooling, normalization, dropout, changes of scale and shape."""

from typing import TYPE_CHECKING

from framework.layers.average_pooling import AveragePooling1D as AveragePooling1D
from framework.layers.average_pooling import AveragePooling2D as AveragePooling2D
from framework.layers.batch_normalization import BatchNormalization as BatchNormalization
from framework.layers.conv1d import Conv1D as Conv1D
from framework.layers.conv2d import Conv2D as Conv2D
from framework.layers.dense import Dense as Dense
from framework.layers.dropout import Dropout as Dropout
from framework.layers.flatten import Flatten as Flatten
from framework.layers.global_pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from framework.layers.global_pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
from framework.layers.global_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from framework.layers.global_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
from framework.layers.layer_normalization import LayerNormalization as LayerNormalization
from framework.layers.max_pooling import MaxPooling1D as MaxPooling1D
from framework.layers.max_pooling import MaxPooling2D as MaxPooling2D
from framework.layers.normalization import Normalization as Normalization
from framework.layers.permute import Permute as Permute
from framework.layers.reshape import Reshape as Reshape
from framework.layers.scale import Scale as Scale
from framework.layers.zero_padding import ZeroPadding2D as ZeroPadding2D

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = sorted(name for name, value in globals().items() if isinstance(value, type))
