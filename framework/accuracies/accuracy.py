"""The base class of accuracies: the share of correct predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from optimizers.arrays import Array
from optimizers.configuration import Configurable


class Accuracy(Configurable):
    """Base class of the accuracies. A subclass writes ``compare``.

    A model gives ``compare`` and ``calculate`` the *predictions*, not the outputs: what the
    accuracy's own ``predictions(outputs)`` returns or, if it has no such method, that of the last
    activation, which are classes ``(samples,)`` after a softmax and 0 and 1 after a sigmoid. After
    another activation, they are the outputs. So an accuracy of probabilities writes

        def predictions(self, outputs):
            return outputs

    It is computed batch by batch, and averaged over the samples. What cannot be averaged, such as
    F1, is a metric: see ``framework.metrics``. A prediction of NaN is never correct.

    Attributes:
        state: names of the numbers that ``init`` sets; they are saved with a model.

    Source: *Neural Networks from Scratch*, chapters 5 and 18.
    """

    state: tuple[str, ...] = ()

    def init(self, y: ArrayLike, reinit: bool = False) -> None:
        """Set ``state`` from the targets ``y``, if it is not set or ``reinit``: here, nothing."""

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        """Return True where a prediction is correct."""
        raise NotImplementedError(f"{type(self).__name__} has no compare method")

    def calculate(self, predictions: ArrayLike, y: ArrayLike) -> float:
        """Return the share of correct predictions, from 0 to 1.

        Raises TypeError or ValueError if predictions and targets do not fit each other.
        """
        correct = np.asarray(self.compare(predictions, y))
        return float(np.count_nonzero(correct) / correct.size)
