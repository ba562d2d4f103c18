"""Convolution over images: the same small filters look at every place."""

from __future__ import annotations

from framework.layers.convolution import Convolution
from framework.layers.sample_shapes import IMAGE


class Conv2D(Convolution):
    """Convolution over images.

    Each filter sees a window of the image through its own weights, and the window moves over the
    image, ``stride`` pixels at a time. With the padded inputs ``x`` and ``u``, ``v`` going through
    the rows and columns of the kernel (here for a stride of 1, ``s`` a sample, ``f`` a filter):

        output[s, i, j, f] = Σ x[s, i+u, j+v, c] weights[u, v, c, f] + biases[f]    over u, v, c

    Like every framework, it does not turn the kernel round, as the convolution of mathematics
    does: this is cross-correlation.

    Every output is a weighted sum, so by the chain rule ``dvalues[s, i, j, f]`` is passed to each
    pixel of its window times the weight that the pixel was seen through, and to each weight times
    the pixel that was seen through it. A weight is used at every place of every image, so its
    gradient is a sum over all of them; a pixel is in several windows, so its gradient is a sum
    over those, each of which has the pixel at another position of the kernel:

        dweights[u, v, c, f]      = Σ x[s, i+u, j+v, c] dvalues[s, i, j, f]         over s, i, j
        dx[s, i+u, j+v, c]       += Σ dvalues[s, i, j, f] weights[u, v, c, f]       over f
        dbiases[f]                = Σ dvalues[s, i, j, f]                           over s, i, j

    and ``dinputs`` is ``dx`` without the padding. With a stride and a dilation, ``i+u`` is
    ``i · stride + u · dilation`` everywhere. The gradients of the penalties are added as in
    ``Dense``.

    The code is in ``Convolution``: with each window as a row of a matrix, ``output`` and
    ``dweights`` are two products, as in ``Dense``; ``dx`` is a product for each position of the
    kernel. The rows are gathered from a view of the windows, of a few samples at a time. Measured,
    a product with the view itself takes eight times as long, since BLAS cannot read rows that
    overlap, and the rows of all samples at once up to twice as long, since they go out to memory
    and back: see the table in ``windows.py``.

    Shapes: ``inputs`` and ``dinputs`` ``(samples, height, width, n_channels)``; ``output`` and
    ``dvalues`` ``(samples, rows, columns, n_filters)``; ``weights`` ``(kernel height, kernel
    width, n_channels, n_filters)``; ``biases`` ``(1, n_filters)``. There are
    ``⌊(padded height - dilation · (kernel height - 1) - 1) / stride⌋ + 1`` rows, and columns
    likewise. Everything is computed in the dtype of the parameters.

    Args:
        n_channels, n_filters: channels of the inputs and of the output, at least 1.
        kernel_size, stride, dilation: a whole number of at least 1, or a pair for height and
            width.
        padding: "valid" for none; "same" for ``⌈height / stride⌉`` rows, an odd padding having
            its larger half at the bottom and the right, as TensorFlow and ONNX's SAME_UPPER split
            it; or a number of zeros on both sides, or a pair for height and width.
        use_bias: whether ``biases`` are added.
        weight_initializer, bias_initializer: see ``framework.initializers``.
        weight_regularizer_l1, weight_regularizer_l2, bias_regularizer_l1,
            bias_regularizer_l2: the λ of each penalty, at least 0.
        dtype: float32 or float64.

    Raises:
        TypeError, ValueError: for an argument of the wrong kind or out of its range; in
            ``forward``, for inputs of another shape, or smaller than the kernel.

    Source: LeCun et al., "Gradient-Based Learning Applied to Document Recognition", 1998; Dumoulin
    and Visin, "A guide to convolution arithmetic for deep learning", 2016.

    A filter that finds edges: each output is the pixel on the right minus the one on the left.

    >>> import numpy as np
    >>> edges = Conv2D(1, 1, (1, 2))
    >>> edges.weights = np.reshape([-1.0, 1.0], (1, 2, 1, 1))
    >>> image = np.reshape([[0.0, 0.0, 9.0], [0.0, 5.0, 5.0]], (1, 2, 3, 1))
    >>> edges.forward(image)[0, :, :, 0]
    array([[0., 9.],
           [5., 0.]], dtype=float32)
    >>> edges.backward(np.reshape([[1.0, 1.0], [1.0, 2.0]], (1, 2, 2, 1)))[0, :, :, 0]
    array([[-1.,  0.,  1.],
           [-1., -1.,  2.]], dtype=float32)
    >>> edges.dweights[0, :, 0, 0]  # left: 1·0 + 1·0 + 1·0 + 2·5, right: 1·0 + 1·9 + 1·5 + 2·5
    array([10., 24.], dtype=float32)
    """

    axes = IMAGE
    example_axes = (4, 3)
