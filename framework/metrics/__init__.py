"""Metrics: numbers that tell how good the outputs for a whole data set are.

A metric is a function ``(outputs, targets) -> number``. A training computes it once over all of the
validation data after each epoch, never as a mean over batches, which F1 or AUC are not:

    model.set(metrics={"f1": f1, "top2": partial(top_k, k=2)})

A model tells these what it knows of its outputs: whether they stand for classes or for labels, and
the threshold (see ``precision``). A function of your own is given outputs and targets alone, and
the weights if it has an argument ``sample_weight``.

| module | contents |
|---|---|
| ``classification`` | ``precision``, ``recall``, ``f1`` |
| ``ranking`` | ``roc_auc`` (also ``auc``), ``top_k`` |
| ``regression`` | ``r2``, mean absolute and squared error, and the root of the latter |
| ``metric`` | what a metric is given, its name, and whether it should grow |
| ``decisions`` | which class the outputs predict, and how often that is right |

They equal those of scikit-learn, whose functions take ``(y_true, y_pred)``.
"""

from typing import TYPE_CHECKING

from framework.metrics.classification import f1 as f1
from framework.metrics.classification import precision as precision
from framework.metrics.classification import recall as recall
from framework.metrics.ranking import roc_auc as roc_auc
from framework.metrics.ranking import top_k as top_k
from framework.metrics.regression import mean_absolute_error as mean_absolute_error
from framework.metrics.regression import mean_squared_error as mean_squared_error
from framework.metrics.regression import r2 as r2
from framework.metrics.regression import root_mean_squared_error as root_mean_squared_error

auc = roc_auc

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = sorted(name for name, value in globals().items() if callable(value))
