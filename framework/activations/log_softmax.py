"""Log-softmax: the logarithms of the probabilities that softmax gives."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.activation import Activation
from framework.activations.softmax import reduce_classes
from framework.checks import as_dvalues, as_floats
from framework.operation import smooth
from framework.utils.classes import largest_class
from optimizers.arrays import Array


class LogSoftmax(Activation):
    """Log-softmax over the last axis, ``output_j = inputs_j - log Σₖ e^(inputs_k)``.

    It keeps its digits where a probability is too small to be told from 0. The largest input is
    subtracted first, so that nothing overflows. Input ``j`` moves its own output as far as
    itself, and all outputs of its row through the sum, whose derivative is the softmax,
    ``e^(output_j)``:

        dinputs_j = dvalues_j - e^(output_j) * Σₖ dvalues_k

    Many networks of other programs end with it. The losses here take probabilities, so a network
    to be trained ends with ``Softmax``, or with logits and a fused loss.

    Shapes: ``inputs``, ``output``, ``dvalues`` and ``dinputs`` are all ``(samples, classes)``.

    Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, section 6.2.2.3.

    >>> LogSoftmax().forward([[0.0, 0.0], [0.0, 1000.0]])
    array([[-6.93147181e-01, -6.93147181e-01],
           [-1.00000000e+03,  0.00000000e+00]])
    """

    kink_sides = smooth
    preferred_initializer = "glorot_uniform"

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        inputs = as_floats(inputs)
        shifted = inputs - reduce_classes(np.maximum, inputs)
        self.output = output = shifted - np.log(reduce_classes(np.add, np.exp(shifted)))
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        dvalues = as_dvalues(self, dvalues)
        total = dvalues.sum(axis=-1, keepdims=True)
        self.dinputs = dvalues - np.exp(self.output) * total
        return self.dinputs

    def predictions(self, outputs: Array) -> Array:
        """Return the most probable class of each sample, ``(samples,)``; ``NO_CLASS`` for NaN."""
        return largest_class(outputs)
