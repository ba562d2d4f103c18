"""Which pixels of an image decide."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.checks import check_count
from framework.containers.calls import run_backward
from framework.containers.supervised import Supervised
from framework.data.checks import check_inputs
from framework.inspection.probe import probe_of
from framework.model import Model
from framework.operation import describe
from framework.plots.labels import names_of_classes
from framework.plots.pixels import COLOURED, as_unit_interval, one_image, show_image
from framework.utils.figures import new_grid
from optimizers.arrays import Array


def saliency(
    model: Model, image: ArrayLike, label: int | None = None, *, figure: Any = None
) -> Array:
    """Draw an image, and beside it how much the score of its class changes with each pixel.

        saliency = |∂ score of the class / ∂ pixel|, the largest of the pixel's channels

    An image that is neither grey nor in colours is drawn as the mean over its channels. The
    brighter a pixel, the more a small change of it would change the score. ``backward`` gives
    all of it for nothing: it is the ``dinputs`` of the first operation, from ``dvalues`` of 1 for
    the class and 0 for the others. The score is what goes into a final ``Softmax`` or ``Sigmoid``,
    whose own gradient all but vanishes where the model is sure.

    A copy of the model is used, not in training.

    Args:
        model: finalized, with a score for each class, or one for two classes.
        image: one image as the model takes it, or a batch of one. If the model takes rows, after
            it has seen data, it can be ``(height, width)`` or ``(height, width, channels)``.
        label: the class, as an index. None takes the one that wins.
        figure: a matplotlib figure or subfigure to draw in; None opens one.

    Returns:
        The two axes, ``(1, 2)``.

    Raises:
        ImportError: matplotlib is missing.
        RuntimeError: the model is not finalized.
        TypeError, ValueError: the image does not fit the model, the outputs are no scores of
            classes, or there is no such class.
        NotImplementedError: an operation has no gradient, such as ``Step``.

    Source: Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013.
    """
    probe = probe_of(model)
    inputs, picture = one_image(image, model.input_shape)
    outputs = probe.outputs_of(check_inputs(probe, inputs))
    if outputs.ndim != 2:
        raise ValueError(
            "saliency needs a score for each class, (samples, classes), but the output of "
            f"{describe(model)} is {outputs.shape}"
        )
    shares = isinstance(probe.output_activation, (Softmax, Sigmoid))
    answers = outputs[0]
    if shares and len(answers) == 1:
        answers = np.array([1 - answers[0], answers[0]])
    chosen = int(answers.argmax()) if label is None else check_count("label", label, minimum=0)
    if chosen >= len(answers):
        raise ValueError(f"label must be one of {len(answers)} classes, received {chosen}")
    name = names_of_classes(model.class_names, len(answers))[chosen]
    # The score of the one of two classes is that of the other, up to its sign.
    gradient = _gradient(probe, min(chosen, outputs.shape[1] - 1)).reshape(picture.shape)
    slope = np.abs(gradient[0]) if picture.ndim == 3 else np.abs(gradient[0]).max(axis=-1)

    grid = new_grid(figure, 1, 2, width=2.4, height=2.7)
    shown = as_unit_interval(picture)[0]
    # Beside its saliency, a pixel is to be in one place.
    is_drawn = shown.ndim == 2 or shown.shape[-1] in COLOURED
    show_image(grid[0, 0], shown if is_drawn else shown.mean(axis=-1))
    grid[0, 0].set_title(f"{name}: {answers[chosen]:{'.1%' if shares else '.3g'}}", size=9)
    grid[0, 1].imshow(slope, "magma", vmin=0, vmax=float(slope.max()) or 1.0)
    grid[0, 1].set_title("saliency", size=9)
    return grid


def _gradient(model: Supervised, output: int) -> Array:
    """Return the gradient of an output by the inputs of the last pass, without the head."""
    operations = model.operations_in_order
    if isinstance(operations[-1], (Softmax, Sigmoid)):
        operations = operations[:-1]
    dvalues = np.zeros_like(operations[-1].output)
    dvalues[0, output] = 1
    return run_backward(operations, dvalues)
