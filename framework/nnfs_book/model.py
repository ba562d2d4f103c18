"""The book's ``Model``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.checks import as_floats
from framework.containers.head import FUSED
from framework.containers.last_pass import last_pass_kept
from framework.losses import SoftmaxCategoricalCrossentropy
from framework.metrics.metric import Metric
from framework.model import AnyModel
from framework.model import Model as FrameworkModel
from framework.nnfs_book.activations import Activation_Softmax
from framework.nnfs_book.layers import Layer_Input
from framework.nnfs_book.losses import (
    Activation_Softmax_Loss_CategoricalCrossentropy,
    Loss_CategoricalCrossentropy,
)
from framework.nnfs_book.optimizers import ShowsState
from framework.nnfs_book.printing import Steps
from framework.saving.model_file import load_model, save_model
from framework.training.history import History
from optimizers.arrays import Array


class Model(FrameworkModel):
    """``framework.Model`` with the book's ways to train, print and save.

    Attributes:
        input_layer: a ``Layer_Input`` with the last inputs as its ``output``, after ``finalize``.
            It is the ``prev`` of the first layer; the ``next`` of the last is the loss.
        history: the ``History`` of the last ``train``.
    """

    fused = (
        *FUSED,
        (
            Activation_Softmax,
            Loss_CategoricalCrossentropy,
            Activation_Softmax_Loss_CategoricalCrossentropy,
        ),
    )
    input_layer: Layer_Input
    history: History

    @property
    def trainable_layers(self) -> list[Any]:
        """The layers that have weights."""
        return self.trained_layers

    @property
    def output_layer_activation(self) -> Any:
        """The last operation, whose ``predictions`` turns outputs to predictions."""
        return self.output_activation

    @property
    def softmax_classifier_output(self) -> Any:
        """The fused softmax and loss, after ``finalize``, or None."""
        fused = getattr(self, "_fused", None)
        return fused if isinstance(fused, SoftmaxCategoricalCrossentropy) else None

    def backward(  # type: ignore[override]
        self,
        output: ArrayLike | None = None,
        y: ArrayLike | None = None,
        **options: Any,
    ) -> None:
        """Compute the gradients of the loss of ``output``, which ``forward`` returned, with ``y``.

        ``backward(y)`` takes the outputs of the last ``calculate_loss``. Options and errors are
        those of ``framework.Model.backward``; TypeError also without ``y``.
        """
        if y is None:
            output, y = None, output
        if y is None:
            raise TypeError("backward needs the targets: backward(output, y)")
        if output is not None:
            self.output = as_floats(output, "output")
        super().backward(y, **options)

    def train(  # type: ignore[override]
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int | None = None,
        print_every: int = 1,
        validation_data: Sequence[ArrayLike] | None = None,
    ) -> None:
        """Train on ``X`` and ``y``, in order, and print the lines of the book.

        Without ``batch_size``, it prints one line every ``print_every`` epochs, and one for the
        validation data at the end. With it, it prints a heading for each epoch, a line every
        ``print_every`` steps and after the last, one for the whole epoch, and one for the
        validation data.

        Raises the errors of ``framework.Model.train``; TypeError or ValueError also for
        ``validation_data`` other than a pair ``(X_val, y_val)``.
        """
        if validation_data is not None:
            self.check_data(*_validation_pair(validation_data))
        every_epoch = batch_size is None
        self.history = super().train(
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=False,
            progress=False,
            callbacks=[] if every_epoch else [Steps(print_every, validation_data, batch_size)],
            print_every=print_every if every_epoch else None,
        )
        if every_epoch and validation_data is not None:
            with last_pass_kept(self):
                self.evaluate(*validation_data)
        if isinstance(self.optimizer, ShowsState):
            self.optimizer.show_state(self.parameters)

    def save(self, path: str | PathLike[str], class_names: Iterable[str] | None = None) -> None:
        """Write the model and the state of its optimizer to a file.

        A loaded model trains on as if it had never been saved. Otherwise this is
        ``framework.Model.save``, and raises its errors.
        """
        if class_names is not None:
            self.class_names = class_names
        save_model(self, path, with_optimizer_state=True)

    @classmethod
    def load(
        cls: type[AnyModel],
        path: str | PathLike[str],
        *,
        custom_operations: Iterable[Any] = (),
        metrics: Mapping[str, Metric] | None = None,
    ) -> AnyModel:
        """Return the model that ``save`` wrote to a file, with the state of its optimizer.

        Otherwise this is ``framework.Model.load``, and raises its errors.
        """
        model = load_model(path, cls, custom_operations, metrics)
        if isinstance(model.optimizer, ShowsState):
            model.optimizer.show_state(model.parameters)
        return model

    def evaluate(  # type: ignore[override]
        self, X_val: ArrayLike, y_val: ArrayLike, *, batch_size: int | None = None
    ) -> None:
        """Print the accuracy and the data loss on ``X_val`` and ``y_val``.

        Raises the errors of ``framework.Model.evaluate``.
        """
        loss, accuracy = super().evaluate(X_val, y_val, batch_size=batch_size)
        measured = "" if accuracy is None else f"acc: {accuracy:.3f}, "
        print(f"validation, {measured}loss: {loss:.3f}")

    def _line_up(self) -> None:
        """Also set ``prev`` and ``next`` of each layer."""
        if not hasattr(self, "input_layer"):
            self.input_layer = Layer_Input()
        row = [self.input_layer, *self.layers, self.loss]
        for before, layer, after in zip(row, self.layers, row[2:], strict=False):
            layer.prev, layer.next = before, after
        super()._line_up()

    def _forward(
        self, X: ArrayLike, operations: Sequence[tuple[Any, str]], training: bool
    ) -> Array:
        self.input_layer.output = inputs = np.asarray(X, dtype=self.parameters.dtype)
        return super()._forward(inputs, operations, training)


def _validation_pair(validation_data: Any) -> tuple[Any, Any]:
    expected = "validation_data must be a pair (X_val, y_val), received"
    if not isinstance(validation_data, (tuple, list)):
        raise TypeError(f"{expected} {type(validation_data).__name__}")
    if len(validation_data) != 2:
        raise ValueError(f"{expected} {len(validation_data)} objects")
    X_val, y_val = validation_data
    return X_val, y_val
