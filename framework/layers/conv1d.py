"""Convolution over sequences: the same short filters look at every step."""

from __future__ import annotations

from framework.layers.convolution import Convolution
from framework.layers.sample_shapes import SEQUENCE


class Conv1D(Convolution):
    """Convolution over sequences, such as sound, sensor data or text.

    ``Conv2D`` with one axis instead of two. With the padded inputs ``x``, and ``u`` going through
    the steps of the kernel (here for a stride of 1, ``s`` a sample, ``f`` a filter):

        output[s, i, f] = Σ x[s, i+u, c] weights[u, c, f] + biases[f]     over u, c

    Every output is a weighted sum, so ``dvalues[s, i, f]`` is passed to each value in its window
    times the weight it was seen through, and to each weight times the value that was seen through
    it. A weight is used at every step, and a value is in several windows, so both are sums:

        dweights[u, c, f]      = Σ x[s, i+u, c] dvalues[s, i, f]          over s, i
        dx[s, i+u, c]         += Σ dvalues[s, i, f] weights[u, c, f]      over f
        dbiases[f]             = Σ dvalues[s, i, f]                       over s, i

    and ``dinputs`` is ``dx`` without the padding. With a stride and a dilation, ``i+u`` is
    ``i · stride + u · dilation``. Like every framework, it does not turn the kernel round: this
    is cross-correlation. The gradients of the penalties are added as in ``Dense``.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, steps, n_channels)``; ``output`` and ``dvalues``
    ``(samples, windows, n_filters)``; ``weights`` ``(kernel size, n_channels, n_filters)``;
    ``biases`` ``(1, n_filters)``. There are
    ``⌊(padded steps - dilation · (kernel_size - 1) - 1) / stride⌋ + 1`` windows. Everything is
    computed in the dtype of the parameters.

    Args:
        n_channels, n_filters: channels of the inputs and of the output, at least 1.
        kernel_size, stride, dilation: a whole number of at least 1.
        padding: "valid" for none; "same" for ``⌈steps / stride⌉`` windows, an odd padding having
            its larger half at the end; "causal" for as much as that, all of it at the beginning,
            so that no output sees a later step; or a number of zeros on both sides.
        use_bias, weight_initializer, bias_initializer, weight_regularizer_l1,
            weight_regularizer_l2, bias_regularizer_l1, bias_regularizer_l2, dtype: as in
            ``Conv2D``.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs of another shape, or shorter than the kernel.

    Source: Waibel et al., "Phoneme Recognition Using Time-Delay Neural Networks", 1989; van den
    Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016, for causal padding.

    The change since the step before; before the first step is a zero.

    >>> import numpy as np
    >>> change = Conv1D(1, 1, 2, padding="causal")
    >>> change.weights = np.reshape([-1.0, 1.0], (2, 1, 1))
    >>> change.forward([[[1.0], [4.0], [9.0]]])[0, :, 0]
    array([1., 3., 5.], dtype=float32)
    >>> change.backward([[[1.0], [1.0], [2.0]]])[0, :, 0]
    array([ 0., -1.,  2.], dtype=float32)
    >>> change.dweights[:, 0, 0]  # before: 1·0 + 1·1 + 2·4, now: 1·1 + 1·4 + 2·9
    array([ 9., 23.], dtype=float32)
    """

    axes = SEQUENCE
    example_axes = (4,)
    paddings = ("valid", "same", "causal")
