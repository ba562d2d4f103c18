"""A Sequential that knows the targets: with a loss, an optimizer and an accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.checks import check_class_names
from framework.containers.backpropagation import (
    check_outputs,
    complete_backward,
    gradient_of_loss,
    gradients_by_outputs,
    run_to_parameters,
)
from framework.containers.calls import as_inputs, lined_up, run_backward, run_forward
from framework.containers.container import is_trained
from framework.containers.flattening import flattened, plain_sequentials, store_around
from framework.containers.head import FUSED, check_head, check_methods, head_of, losses_and_outputs
from framework.containers.predictions import classes_of, known_of_outputs, predictions_of
from framework.containers.sequential import Sequential
from framework.losses.loss import FusedLoss, Loss, mean_loss, penalty
from framework.losses.weighted import weighted_mean
from framework.metrics.metric import Metric, check_metrics
from framework.operation import Shape
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names
from optimizers.weight_decay import WeightDecay


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

    The operations of each ``Sequential`` inside are run in its place, unless that has a ``forward``
    or ``backward`` of its own when ``finalize`` is called.

    Inside another container it is its operations alone, and is saved as a ``Sequential``; the loss
    is that of the outer one. An operation of your own that holds one does the same if it calls
    ``forward_inside(inputs, training)``, which stores ``output``, and ``backward_inside(dvalues)``,
    which stores ``dinputs``: ``backward`` itself takes targets.

    Args:
        operations, dtype: see ``Sequential``.

    Attributes:
        loss, optimizer, accuracy: the objects given to ``set``, or None.
        metrics: the functions given to ``set``, by name.
        before_loss: after ``finalize``, the operations that run before the loss: all but an
            activation that is fused with it. Those inside a ``Sequential`` take its place.
        output_activation: after ``finalize``, the operation that gives the outputs: the last one,
            or the activation of a fused loss.
        input_shape: the shape of one sample of the data last seen, or None.
        table: how the columns of a table become the inputs, or None: see ``TableColumns``. It is
            saved with the model.
        optimizer_has_trained: whether ``Model.train`` has used the present optimizer.

    A subclass can pair further classes with a fused form in ``fused``. Only these very classes
    are fused, since a class derived from them may compute something else.
    """

    fused = FUSED

    def __init__(self, operations: Iterable[Any] = (), *, dtype: DTypeLike | None = None) -> None:
        self.loss: Any = None
        self.optimizer: Any = None
        self.accuracy: Any = None
        self.metrics: dict[str, Metric] = {}
        self.input_shape: Shape = None
        self.table: Any = None
        self.optimizer_has_trained = False
        self._class_names: list[str] | None = None
        self.before_loss: list[Any] = []
        self.output_activation: Any = None
        self._output: Array | None = None
        self._fused: FusedLoss | None = None
        self._first_trained = 0
        self._outputs_checked = False
        super().__init__(operations, dtype=dtype)

    # Putting it together

    def set(
        self,
        *,
        loss: Any = None,
        optimizer: Any = None,
        accuracy: Any = None,
        metrics: Mapping[str, Metric] | None = None,
    ) -> None:
        """Set the loss, the optimizer, the accuracy and the metrics; those not given stay.

        Args:
            loss, optimizer: see ``Loss`` and ``Optimizer``.
            accuracy: see ``Accuracy``, which says what one of your own is given.
            metrics: functions by name, such as ``{"f1": metrics.f1}``; ``{}`` for none. Each is
                given the outputs of all samples at once, as ``predict`` returns them, and the
                targets as the loss takes them: classes or one-hot rows, or numbers in the shape of
                the outputs. It returns a number. One with an argument ``sample_weight`` is also
                given the weights, if there are any. See ``framework.metrics``.

        Raises:
            TypeError: an object lacks the methods of its kind, or a metric is no function.
            ValueError: a fused loss after the activation that it already contains; a metric's name
                is no identifier, or means something else in ``History``.
        """
        found = self.metrics if metrics is None else check_metrics(metrics)
        check_methods("loss", loss, ("forward", "backward"))
        protocol = ("pre_update_params", "update_params", "post_update_params")
        check_methods("optimizer", optimizer, protocol)
        check_methods("accuracy", accuracy, ("calculate",))
        if self.finalized:
            check_head(self.operations_in_order, self.loss if loss is None else loss, self.fused)
            self._check_decay(optimizer)
        self.loss = self.loss if loss is None else loss
        if optimizer is not None and optimizer is not self.optimizer:
            self.optimizer_has_trained = False
        self.optimizer = self.optimizer if optimizer is None else optimizer
        self.accuracy = self.accuracy if accuracy is None else accuracy
        self.metrics = found
        if self.finalized:
            self._connect()

    def finalize(self) -> None:
        """Check that all parts fit each other and move the parameters into one vector.

        Raises:
            ValueError: as ``Sequential.finalize``, for a fused loss after the activation that it
                contains, and for a name in the optimizer's ``decay_exclude`` that no parameter has.
        """
        self._check_arrangement()
        check_head(self.operations_in_order, self.loss, self.fused)
        self._check_decay(self.optimizer)
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
    def operations_in_order(self) -> list[Any]:
        """The operations, those of each ``Sequential`` in its place."""
        return list(flattened(self.layers))

    @property
    def computed_loss(self) -> Any:
        """The object that computes the loss: the fused form where there is one."""
        return self.loss if self._fused is None else self._fused

    # The steps of training. Weights are those of the batch: at least 0, not all 0, and the same
    # for the loss, its gradient and the accuracy.

    def forward(self, X: ArrayLike, training: bool = True) -> Array:
        """Run every operation on ``X``, store the last output in ``output`` and return it.

        Raises RuntimeError before ``finalize``.
        """
        self.output = outputs = self.outputs_of(X, training)
        return outputs

    def outputs_of(self, X: ArrayLike, training: bool = False) -> Array:
        """Return the outputs of ``forward`` for ``X``, and leave ``output`` alone.

        ``predict`` calls it. Raises RuntimeError before ``finalize``.
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
        loss, self.output = self.loss_and_outputs(X, y, training, sample_weight=sample_weight)
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
        losses, outputs = losses_and_outputs(self.computed_loss, outputs, y)
        if self._fused is not None:
            self.store_around(["output"])
        if sample_weight is not None:
            return weighted_mean(losses, sample_weight), outputs
        return mean_loss(losses) if self._fused is not None else float(np.mean(losses)), outputs

    @property
    def output(self) -> Array:
        """The outputs of the last ``calculate_loss`` or ``forward``; RuntimeError before that."""
        if self._output is None:
            raise RuntimeError("the model has no outputs yet: call calculate_loss first")
        return self._output

    @output.setter
    def output(self, outputs: Array | None) -> None:
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
            check_outputs(self.before_loss)
            self._outputs_checked = True
        dvalues = gradient_of_loss(self.computed_loss, outputs, y, sample_weight, scale)
        if all_operations:
            run_backward(self.before_loss, dvalues)
        else:
            run_to_parameters(self.before_loss[self._first_trained :], dvalues)
        self.store_around(["dinputs"])

    def complete_backward(self) -> None:
        """Compute the ``dinputs`` that ``backward(y, all_operations=False)`` left out.

        The gradients of parameters stay as they are.
        """
        operations, first = self.before_loss, self._first_trained
        if first < len(operations):
            dvalues = [*operations, self.computed_loss][first + 1].dinputs
            complete_backward(operations[: first + 1], dvalues, self.parameters)
            self.store_around(["dinputs"])

    # Inside another operation the loss is that of the outer one.

    def forward_inside(self, values: Array, training: bool) -> Array:
        """Run the operations alone, without a fused activation, and store ``output``."""
        return Sequential.forward(self, values, training)

    def backward_inside(self, dvalues: Array) -> Array:
        """Go back through the operations alone, from ``dvalues``, and store ``dinputs``."""
        return Sequential.backward(self, dvalues)

    def gradients(self) -> list[Array | None]:
        """Return the gradient of the loss by the output of each operation, after ``backward``.

        These are the arrays that the operations were given as ``dvalues``. None stands where
        there was nothing to compute: before the first trained operation, and for an activation
        that is fused with the loss. Operations inside a ``Sequential`` take its place.

        Raises RuntimeError if ``calculate_loss`` and ``backward`` have not been called since the
        model was put together, or last on batches of different sizes.
        """
        operations = self.operations_in_order
        fused_with_last = self._fused is not None and self._fused.activation is operations[-1]
        return gradients_by_outputs(operations, None if fused_with_last else self.loss)

    # The meaning of the outputs

    def predictions_of(self, outputs: Array) -> Array:
        """Return the predictions that ``outputs`` stand for, such as classes.

        The accuracy decides or, if it does not say, the last activation.
        """
        return predictions_of(outputs, self.accuracy, self.output_activation)

    def classes_of(self, outputs: Array, threshold: float | None = None) -> Array:
        """Return the class of each sample, given its outputs: see ``Model.predict_classes``."""
        arrays = self.stored_arrays()
        activation = self.output_activation
        return classes_of(outputs, self.accuracy, self.loss, activation, arrays, threshold)

    @property
    def known_of_outputs(self) -> dict[str, Any]:
        """What metrics are told of the outputs: see ``known_of_outputs`` in ``predictions.py``."""
        return known_of_outputs(self.accuracy, self.loss, self.output_activation)

    def check_ready(self) -> None:
        """Raise RuntimeError before a loss is set and ``finalize`` has been called."""
        if self.loss is None:
            raise RuntimeError("the model has no loss: call set(loss=...) first")
        self.parameters  # noqa: B018 - raises before finalize

    def store_around(self, names: Sequence[str] = ("output", "dinputs")) -> None:
        """Give each ``Sequential`` inside the arrays that its operations stored in a step."""
        if self._around:
            store_around(self._around, names)

    # For a faster way to compute the same: see ``Model``.

    @property
    def trainer(self) -> Any:
        """The object that takes whole steps in one compiled call: None, without compiled code."""
        return None

    # Details

    def _check_decay(self, optimizer: Any) -> None:
        """Raise ValueError if the optimizer names parameters that there are not."""
        if isinstance(optimizer, WeightDecay):
            pairs = ((leaf, name) for leaf in self.leaves() for name in parameter_names(leaf))
            optimizer.check_names(pairs)

    def _connect(self) -> None:
        """Decide how the loss is computed, and which operations a training step runs."""
        self.output = None
        self._penalty = getattr(self.loss, "regularization_loss", penalty)
        self._penalized = self.trained_layers
        if isinstance(self.loss, Loss):
            self.loss.remember_trainable_layers(self.trained_layers)
        operations = self.operations_in_order
        self._fused, self.before_loss = head_of(operations, self.loss, self.fused)
        self.output_activation = operations[-1] if self._fused is None else self._fused.activation
        self._line_up()

    def _line_up(self) -> None:
        """Prepare how the operations are called, before the loss and without a loss."""
        self._hidden = lined_up(self.before_loss)
        last = [] if self._fused is None else [self.output_activation]
        self._all = [*self._hidden, *lined_up(last)]
        self._outputs_checked = False
        trained = [i for i, operation in enumerate(self.before_loss) if is_trained(operation)]
        self._first_trained = trained[0] if trained else len(self.before_loss)
        self._around = list(plain_sequentials(self.layers))

    def _forward(
        self, X: ArrayLike, operations: Sequence[tuple[Any, str]], training: bool
    ) -> Array:
        assert self._parameters is not None  # the callers have asked for ``parameters``
        outputs = run_forward(operations, as_inputs(X, self._parameters.dtype), training)
        self.store_around(["output"])
        return outputs
