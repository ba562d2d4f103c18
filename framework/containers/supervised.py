"""A Sequential that knows the targets: with a loss, an optimizer and an accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.accuracies.categorical import CategoricalAccuracy
from framework.activations.activation import Activation
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.checks import check_class_names
from framework.containers.container import is_trained, leaves, numbered
from framework.containers.sequential import (
    Sequential,
    as_inputs,
    lined_up,
    run_backward,
    run_forward,
)
from framework.losses.binary_crossentropy import BinaryCrossentropy
from framework.losses.categorical_crossentropy import CategoricalCrossentropy
from framework.losses.loss import FusedLoss, Loss, mean_loss, no_losses, penalty
from framework.losses.sigmoid_binary_crossentropy import SigmoidBinaryCrossentropy
from framework.losses.softmax_categorical_crossentropy import SoftmaxCategoricalCrossentropy
from framework.losses.weighted import weighted_gradient, weighted_mean
from framework.operation import Shape, describe, not_stored
from framework.utils.classes import check_not_nan
from optimizers.arrays import Array

FUSED: tuple[tuple[type[Activation], type[Loss], type[FusedLoss]], ...] = (
    (Softmax, CategoricalCrossentropy, SoftmaxCategoricalCrossentropy),
    (Sigmoid, BinaryCrossentropy, SigmoidBinaryCrossentropy),
)


class Supervised(Sequential):
    """Operations in sequence, with a loss, an optimizer and an accuracy.

    It has the steps of training, for ``Model`` and for loops of your own:

        model.calculate_loss(X, y)                      # forward
        model.backward(y)                               # every gradient
        optimizer.pre_update_params()
        optimizer.update_params(model.parameters)
        optimizer.post_update_params()

    Where the last activation and the loss have a fused form (softmax with categorical
    cross-entropy, sigmoid with binary cross-entropy), both are computed by that. A fused loss can
    also be given itself, after a last operation that gives logits; ``forward`` then applies its
    activation.

    Inside another container it is its operations alone; the loss is that of the outer one.

    Args:
        operations, dtype: see ``Sequential``.

    Attributes:
        loss, optimizer, accuracy: the objects given to ``set``, or None.
        input_shape: the shape of one sample of the data last seen, or None.
        optimizer_has_trained: whether ``Model.train`` has used the present optimizer.

    A subclass can pair further classes with a fused form in ``fused``. Only these very classes
    are fused, since a class derived from them may compute something else.
    """

    fused = FUSED

    def __init__(self, operations: Iterable[Any] = (), *, dtype: DTypeLike | None = None) -> None:
        self.loss: Any = None
        self.optimizer: Any = None
        self.accuracy: Any = None
        self.input_shape: Shape = None
        self.optimizer_has_trained = False
        self._class_names: list[str] | None = None
        self._output: Array | None = None
        self._fused: FusedLoss | None = None
        super().__init__(operations, dtype=dtype)

    # Putting it together

    def set(self, *, loss: Any = None, optimizer: Any = None, accuracy: Any = None) -> None:
        """Set the loss, the optimizer and the accuracy; those not given stay as they are.

        Raises:
            TypeError: an object lacks the methods of its kind.
            ValueError: a fused loss after the activation that it already contains.
        """
        _check_methods("loss", loss, ("forward", "backward"))
        protocol = ("pre_update_params", "update_params", "post_update_params")
        _check_methods("optimizer", optimizer, protocol)
        _check_methods("accuracy", accuracy, ("calculate",))
        if self.finalized:
            self._check_head(self.loss if loss is None else loss)
        self.loss = self.loss if loss is None else loss
        if optimizer is not None and optimizer is not self.optimizer:
            self.optimizer_has_trained = False
        self.optimizer = self.optimizer if optimizer is None else optimizer
        self.accuracy = self.accuracy if accuracy is None else accuracy
        if self.finalized:
            self._connect()

    def finalize(self) -> None:
        """Check that all parts fit each other and move the parameters into one vector.

        Raises:
            ValueError: there are no operations; neighbours do not fit; the operations' dtypes
                differ and no dtype was given; a fused loss after the activation that it contains.
        """
        if self.layers:
            self._check_head(self.loss)
        before = self._parameters
        super().finalize()
        if self._parameters is not before:
            self.input_shape = None  # the data last seen were another network's
        self._connect()

    @property
    def operations_of_predict(self) -> list[Any]:
        """The operations that ``predict`` applies, with the activation of a fused loss."""
        last = [self.loss.activation] if isinstance(self.loss, FusedLoss) else []
        return [*self.layers, *last]

    @property
    def class_names(self) -> list[str] | None:
        """A name for each class (two for a single output), or None. They are saved and exported.

        Setting them raises TypeError or ValueError if they are no names, or not as many.
        """
        return self._class_names

    @class_names.setter
    def class_names(self, names: Iterable[str] | None) -> None:
        outputs = self.output_shapes(self.input_shape)[-1] if self.layers else None
        self._class_names = None if names is None else check_class_names(names, outputs)

    @property
    def before_loss(self) -> list[Any]:
        """The operations that run before the loss: all but an activation that is fused with it."""
        return self.layers[: self._before_loss]

    @property
    def computed_loss(self) -> Any:
        """The object that computes the loss: the fused form where there is one."""
        return self.loss if self._fused is None else self._fused

    # The steps of training. Weights are those of the batch: at least 0, not all 0, and the same
    # for the loss, its gradient and the accuracy.

    def forward(self, X: ArrayLike, training: bool = True) -> Array:
        """Run every operation on ``X`` and return the last output.

        Raises RuntimeError before ``finalize``.
        """
        self.parameters  # noqa: B018 - raises before finalize
        return self._forward(X, self._all, training)

    def calculate_loss(
        self,
        X: Array,
        y: ArrayLike,
        training: bool = True,
        *,
        sample_weight: Array | None = None,
    ) -> float:
        """Run forward on ``X`` and return the mean loss against ``y``, without penalties.

        The outputs, of the last activation as well, are in ``model.output``.

        Raises RuntimeError before ``set`` and ``finalize``.
        """
        loss, self._output = self.loss_and_outputs(X, y, training, sample_weight=sample_weight)
        return loss

    def loss_and_outputs(
        self,
        X: Array,
        y: ArrayLike,
        training: bool = True,
        *,
        sample_weight: Array | None = None,
    ) -> tuple[float, Array]:
        """Return the loss of ``calculate_loss`` and the outputs, and leave ``output`` alone.

        ``evaluate`` and ``calculate_loss`` call it, so a subclass with a loss of its own overrides
        it. Raises RuntimeError before ``set`` and ``finalize``.
        """
        self.check_ready()
        outputs = self._forward(X, self._hidden, training)
        mean: Callable[[Array], Any]
        if self._fused is None:
            losses, mean = self.loss.forward(outputs, y), np.mean
        else:
            (outputs, losses), mean = self._fused.outputs_and_losses(outputs, y), mean_loss
        if losses is None:
            raise no_losses(self.computed_loss)
        if sample_weight is None:
            return float(mean(losses)), outputs
        return weighted_mean(losses, sample_weight), outputs

    @property
    def output(self) -> Array:
        """The outputs of the last ``calculate_loss``; RuntimeError if there was none."""
        if self._output is None:
            raise RuntimeError("the model has no outputs yet: call calculate_loss first")
        return self._output

    @output.setter
    def output(self, outputs: Array) -> None:
        self._output = outputs

    def calculate_accuracy(self, y: ArrayLike, *, sample_weight: Array | None = None) -> float:
        """Return the accuracy of ``model.output`` against ``y``."""
        return self.accuracy_of(self.output, y, sample_weight=sample_weight)

    def accuracy_of(
        self, outputs: Array, y: ArrayLike, *, sample_weight: Array | None = None
    ) -> float:
        """Return the accuracy of ``outputs`` against ``y``; ``evaluate`` calls it."""
        predictions = self.predictions_of(outputs)
        if sample_weight is None:
            return float(self.accuracy.calculate(predictions, y))
        return weighted_mean(self.accuracy.compare(predictions, y), sample_weight)

    def regularization_loss(self) -> float:
        """Return the penalties on all parameters: see ``Loss.regularization_loss``."""
        return sum(map(self._penalty, self._penalized), 0.0)

    def backward(  # type: ignore[override]
        self,
        y: ArrayLike,
        *,
        all_operations: bool = True,
        sample_weight: Array | None = None,
        scale: float = 1.0,
    ) -> None:
        """Go back from the loss against ``y`` through the operations, in reverse.

        Call it after ``calculate_loss`` on the same batch. Every operation then has its
        ``dinputs``, and every parameter its gradient. ``all_operations=False``
        leaves out gradients that no parameter needs: those of the data and of all operations
        before the first layer with parameters; ``complete_backward`` computes them.
        ``scale`` multiplies the gradient of the data loss, but not that of the penalties.

        Raises RuntimeError before ``calculate_loss``, ValueError for an operation or a loss that
        does not store its ``output`` or ``dinputs``.
        """
        self.check_ready()
        outputs = self.output
        if not self._outputs_checked:
            self._check_outputs()
        loss = self.computed_loss
        loss.backward(outputs, y)
        dvalues = getattr(loss, "dinputs", None)
        if dvalues is None:
            raise not_stored(loss, "dinputs", "backward")
        if sample_weight is not None:
            loss.dinputs = dvalues = weighted_gradient(dvalues, sample_weight)
        if scale != 1:
            loss.dinputs = dvalues = dvalues * scale
        if self._fused is not None:
            self._fused.activation.dinputs = dvalues
        if all_operations:
            run_backward(self._before, dvalues)
            return
        first, *others = self._before[self._first_trained :] or [None]
        dvalues = run_backward(others, dvalues)
        if hasattr(first, "parameter_gradients"):
            first.parameter_gradients(dvalues)
        elif first is not None:
            run_backward([first], dvalues)

    def complete_backward(self) -> None:
        """Compute the ``dinputs`` that ``backward(y, all_operations=False)`` left out.

        The gradients of parameters stay as they are.
        """
        operations = self.before_loss
        first = next((i for i, layer in enumerate(operations) if is_trained(layer)), None)
        if first is None:
            return
        later = [*operations[first + 1 :], self.computed_loss]
        dvalues = later[0].dinputs
        if hasattr(operations[first], "parameter_gradients"):
            gradients = self.parameters.dweights.copy()
            dvalues = run_backward([operations[first]], dvalues)
            self.parameters.dweights[...] = gradients
        else:  # its backward has computed both
            dvalues = operations[first].dinputs
        run_backward(operations[:first], dvalues)

    # Inside another container the loss is that of the outer one.

    def forward_inside(self, values: Array, training: bool) -> Array:
        return Sequential.forward(self, values, training)

    def backward_inside(self, dvalues: Array) -> Array:
        return Sequential.backward(self, dvalues)

    def gradients(self) -> list[Array | None]:
        """Return the gradient of the loss by the output of each operation, after ``backward``.

        These are the arrays that the operations were given as ``dvalues``. None stands where
        there was nothing to compute: before the first trained operation, and for an activation
        that is fused with the loss.

        Raises RuntimeError if ``calculate_loss`` and ``backward`` have not been called since the
        model was put together, or last on batches of different sizes.
        """
        first = next((i for i, layer in enumerate(self.layers) if is_trained(layer)), None)
        fused_with_last = self._fused is not None and self._fused.activation is self.layers[-1]
        sources: list[Any] = [*self.layers[1:], None if fused_with_last else self.loss]
        found: list[Array | None] = []
        for position, (layer, source) in enumerate(zip(self.layers, sources, strict=True)):
            gradient = None
            if source is not None and first is not None and position >= first:
                gradient = getattr(source, "dinputs", None)
                output = getattr(layer, "output", None)
                if gradient is None or output is None or gradient.shape != output.shape:
                    raise RuntimeError(
                        "there are no gradients of one batch: call calculate_loss(X, y) and then "
                        "backward(y)"
                    )
            found.append(gradient)
        return found

    # The meaning of the outputs

    def predictions_of(self, outputs: Array) -> Array:
        """Return the predictions that ``outputs`` stand for, such as classes.

        The accuracy decides or, if it does not say, the last activation.
        """
        for authority in (self.accuracy, self._output_activation):
            read = getattr(authority, "predictions", None)
            if callable(read):
                predictions: Array = read(outputs)
                return predictions
        return outputs

    def classes_of(self, outputs: Array) -> Array:
        """Return the class of each sample, given its outputs: see ``Model.predict_classes``."""
        activation = self._output_activation
        reader = self.accuracy if isinstance(self.accuracy, CategoricalAccuracy) else activation
        if not isinstance(reader, (CategoricalAccuracy, Softmax, Sigmoid)):
            raise ValueError(
                f"predict_classes needs Softmax() or Sigmoid() last, or CategoricalAccuracy(); "
                f"the model ends with {describe(self.layers[-1])}"
            )
        check_not_nan(outputs, self.stored_arrays())
        classes = reader.predictions(outputs)
        return classes[:, 0] if classes.ndim == 2 and classes.shape[1] == 1 else classes

    def check_ready(self) -> None:
        """Raise RuntimeError before a loss is set and ``finalize`` has been called."""
        if self.loss is None:
            raise RuntimeError("the model has no loss: call set(loss=...) first")
        self.parameters  # noqa: B018 - raises before finalize

    # For a faster way to compute the same: see ``Model``.

    @property
    def trainer(self) -> Any:
        """The object that takes whole steps in one compiled call: None, without compiled code."""
        return None

    # Details

    def _check_head(self, loss: Any) -> None:
        contained = next((act for act, _, fused in self.fused if isinstance(loss, fused)), None)
        if contained is not None and isinstance(self.layers[-1], contained):
            raise ValueError(
                f"{loss!r} contains the activation {self.layers[-1]!r}: leave that out, or use "
                f"{loss.loss!r}"
            )

    def _connect(self) -> None:
        """Decide how the loss is computed, and which operations a training step runs."""
        self._output = None
        self._penalty = getattr(self.loss, "regularization_loss", penalty)
        self._penalized = self.trained_layers
        if isinstance(self.loss, Loss):
            self.loss.remember_trainable_layers(self.trained_layers)
        self._fused = None
        self._output_activation: Any = self.layers[-1]
        self._before_loss = len(self.layers)  # how many operations the loss does not contain
        if isinstance(self.loss, FusedLoss):
            self._fused, self._output_activation = self.loss, self.loss.activation
        for activation, loss, fused in self.fused:
            if type(self.layers[-1]) is activation and type(self.loss) is loss:
                self._fused = fused()
                self._fused.activation, self._fused.loss = self.layers[-1], self.loss
                self._before_loss -= 1
        self._line_up()

    def _line_up(self) -> None:
        """List the operations that are run before the loss, and those without a loss."""
        self._before = self.before_loss
        self._hidden = lined_up(self._before)
        last = [] if self._fused is None else [self._output_activation]
        self._all = [*self._hidden, *lined_up(last)]
        self._outputs_checked = False
        trained = [i for i, operation in enumerate(self._before) if is_trained(operation)]
        self._first_trained = trained[0] if trained else len(self._before)

    def _check_outputs(self) -> None:
        """Raise ValueError unless every operation has stored its output; once is enough."""
        for _, leaf in leaves(numbered(self.before_loss)):
            if getattr(leaf, "output", None) is None:
                raise not_stored(leaf, "output", "forward")
        self._outputs_checked = True

    def _forward(
        self, X: ArrayLike, operations: Sequence[tuple[Any, str]], training: bool
    ) -> Array:
        return run_forward(operations, as_inputs(X, self.parameters.dtype), training)


def _check_methods(role: str, candidate: Any, methods: Sequence[str]) -> None:
    if candidate is None:
        return
    missing = [name for name in methods if not callable(getattr(candidate, name, None))]
    if missing or isinstance(candidate, type):
        needs = "an object, not its class" if isinstance(candidate, type) else ", ".join(methods)
        raise TypeError(f"the {role} needs {needs}, received {candidate!r}")
