"""The sequencer: runs operations forward in order and backward in reverse."""

import inspect
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.accuracies.categorical import CategoricalAccuracy
from framework.activations.activation import Activation
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.callbacks import Callback
from framework.checks import as_array, check_count, check_dtype, check_finite
from framework.losses.binary_crossentropy import BinaryCrossentropy
from framework.losses.categorical_crossentropy import CategoricalCrossentropy
from framework.losses.loss import FusedLoss, Loss, penalty
from framework.losses.sigmoid_binary_crossentropy import SigmoidBinaryCrossentropy
from framework.losses.softmax_categorical_crossentropy import SoftmaxCategoricalCrossentropy
from framework.operation import Array, Shape
from framework.parameters import ParameterVector, bind, stored_names
from framework.training import History, train
from optimizers.optimizer import parameter_names

FUSED: tuple[tuple[type[Activation], type[Loss], type[FusedLoss]], ...] = (
    (Softmax, CategoricalCrossentropy, SoftmaxCategoricalCrossentropy),
    (Sigmoid, BinaryCrossentropy, SigmoidBinaryCrossentropy),
)


class Model:
    """A network: operations one after the other, with a loss, an optimizer and an accuracy.

    Any object with ``forward`` and ``backward`` that store ``output`` and ``dinputs`` can be an
    operation; if it has ``weights`` and ``dweights``, it is trained.

    Where the last activation and the loss have a fused form (softmax with categorical
    cross-entropy, sigmoid with binary cross-entropy), the model computes both by that. A fused
    loss can also be given itself, after a last operation that gives logits; ``predict`` then
    applies its activation.

    Args:
        operations: the operations in order; more can be added with ``add``.
        dtype: float32 or float64, in which everything is computed. None takes the dtype of the
            operations, which must agree.

    Attributes:
        layers: the operations in order, the very objects that were given.
        parameters: all parameters in one vector (see ``ParameterVector``), after ``finalize``.
        loss, optimizer, accuracy: what ``set`` was given, or None.

    A subclass can pair further classes with a fused form in ``fused``. Only these very classes
    are fused, since a class derived from them may compute something else.

    Source: *Neural Networks from Scratch*, chapter 18.

    >>> from framework import CategoricalCrossentropy, Dense, ReLU, Softmax
    >>> from optimizers import Adam
    >>> model = Model([Dense(2, 64), ReLU(), Dense(64, 3), Softmax()])
    >>> model.set(loss=CategoricalCrossentropy(), optimizer=Adam(learning_rate=0.02))
    >>> model.finalize()
    >>> model.predict([[0.0, 0.0]]).shape
    (1, 3)
    """

    fused = FUSED

    def __init__(self, operations: Iterable[Any] = (), *, dtype: DTypeLike | None = None) -> None:
        self.layers: list[Any] = []
        self._requested_dtype = None if dtype is None else check_dtype(dtype)
        self.loss: Any = None
        self.optimizer: Any = None
        self.accuracy: Any = None
        self._parameters: ParameterVector | None = None
        for operation in operations:
            self.add(operation)

    def __repr__(self) -> str:
        return f"Model([{', '.join(map(repr, self.layers))}])"

    # Putting it together

    def add(self, operation: Any) -> None:
        """Add ``operation`` at the end. ``finalize`` has to be called (again) afterwards.

        Raises:
            TypeError: it has no ``forward`` or no ``backward``.
            ValueError: the same object is in the model already.
        """
        for method in ("forward", "backward"):
            if isinstance(operation, type) or not callable(getattr(operation, method, None)):
                raise TypeError(
                    f"an operation needs forward and backward methods, received {operation!r}"
                )
        if any(operation is layer for layer in self.layers):
            raise ValueError(
                f"{operation!r} is already operation {self._position(operation)} of the model; "
                "each place needs an object of its own"
            )
        self.layers.append(operation)
        self._parameters = None

    def set(self, *, loss: Any = None, optimizer: Any = None, accuracy: Any = None) -> None:
        """Set the loss, the optimizer and the accuracy; what is not given stays as it is.

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
        self.optimizer = self.optimizer if optimizer is None else optimizer
        self.accuracy = self.accuracy if accuracy is None else accuracy
        if self.finalized:
            self._connect()

    def finalize(self) -> None:
        """Check that the operations fit each other and move their parameters into one vector.

        Raises:
            ValueError: the model has no operations; neighbours do not fit; the operations'
                dtypes differ and the model was given none.
        """
        if not self.layers:
            raise ValueError("the model has no operations: add some before finalize()")
        self.output_shapes()
        self._check_head(self.loss)
        dtype = self._common_dtype()
        self._parameters = ParameterVector(self.layers, dtype)
        for layer in self.layers:
            for name in getattr(layer, "state", ()):
                bind(layer, name, getattr(layer, name).astype(dtype))
        self._connect()

    @property
    def finalized(self) -> bool:
        """Whether ``finalize`` has been called since the last operation was added."""
        return self._parameters is not None

    @property
    def parameters(self) -> ParameterVector:
        """All parameters in one vector: ``optimizer.update_params(model.parameters)``."""
        if self._parameters is None:
            raise RuntimeError("the model is not finalized: call finalize() first")
        return self._parameters

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype in which the model computes."""
        return self._common_dtype() if self._parameters is None else self._parameters.dtype

    # Using it

    def train(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
        print_every: int | None = None,
    ) -> History:
        """Train on ``X`` and ``y`` and return the ``History`` of this call.

        Called again, training goes on from where it was. Ctrl-C ends it after the current
        batch, with a warning, and the history so far is returned.

        Args:
            X: ``(samples, ...)``, finite real numbers of any dtype.
            y: targets that fit the loss.
            epochs: how often to go through the data, at least 1.
            batch_size: samples per update; None takes all of them at once. The last batch of
                an epoch may be shorter.
            validation_data: ``(X_val, y_val)``, evaluated after each epoch.
            validation_split: the share of the samples to set aside for that instead: drawn at
                random, or the last ones with ``shuffle=False``.
            shuffle: whether to go through the samples in a new random order each epoch.
            callbacks: see ``Callback``.
            progress: whether to show a progress bar for each epoch.
            print_every: print a line every so many epochs, in place of the bar.

        Raises:
            RuntimeError: ``set`` or ``finalize`` has not been called.
            TypeError, ValueError: data or arguments that do not fit; nothing has changed then.
            FloatingPointError: the loss became NaN or infinite. The parameters, running
                statistics and optimizer are as they were after the last completed epoch.
        """
        return train(
            self,
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            validation_data=validation_data,
            validation_split=validation_split,
            shuffle=shuffle,
            callbacks=callbacks,
            progress=progress,
            print_every=print_every,
        )

    def evaluate(
        self, X: ArrayLike, y: ArrayLike, *, batch_size: int | None = None
    ) -> tuple[float, float | None]:
        """Return the mean data loss and the accuracy (None without one) on ``X`` and ``y``.

        Dropout is off, and batch normalization uses its running statistics. Penalties are not
        part of the loss. ``batch_size`` bounds how many samples are computed at once.

        Raises:
            RuntimeError: no loss, or ``finalize`` has not been called.
            TypeError, ValueError: data that do not fit.
        """
        X, y = self.check_data(X, y)
        if hasattr(self.accuracy, "init"):
            self.accuracy.init(y)
        loss = right = 0.0
        for rows in _slices(len(X), batch_size):
            loss += self.calculate_loss(X[rows], y[rows], training=False) * len(y[rows])
            if self.accuracy is not None:
                right += self.calculate_accuracy(y[rows]) * len(y[rows])
        return loss / len(X), None if self.accuracy is None else right / len(X)

    def predict(self, X: ArrayLike, *, batch_size: int | None = None) -> Array:
        """Return the outputs for ``X``: probabilities, or values where the output is linear.

        ``batch_size`` bounds how many samples are computed at once; None takes all.

        Raises:
            RuntimeError: ``finalize`` has not been called.
            TypeError, ValueError: data that do not fit.
        """
        X = self._check_samples(X)
        parts = [self.forward(X[rows], training=False) for rows in _slices(len(X), batch_size)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def predict_classes(self, X: ArrayLike, *, batch_size: int | None = None) -> Array:
        """Return the class of each sample of ``X`` as an integer.

        After softmax, or with ``CategoricalAccuracy``, that is the largest output,
        ``(samples,)``. After sigmoid it is 1 where the probability is above one half, for each
        output, or ``(samples,)`` if there is one output.

        Raises:
            RuntimeError: ``finalize`` has not been called.
            TypeError, ValueError: data that do not fit, or outputs that are not classes.
        """
        outputs = self.predict(X, batch_size=batch_size)
        activation = self._output_activation
        categorical = isinstance(self.accuracy, CategoricalAccuracy)
        if not categorical and not isinstance(activation, (Softmax, Sigmoid)):
            raise ValueError(
                f"predict_classes needs Softmax() or Sigmoid() last, or CategoricalAccuracy(); "
                f"the model ends with {self.layers[-1]!r}"
            )
        classes = self._predictions(outputs)
        return classes[:, 0] if classes.ndim == 2 and classes.shape[1] == 1 else classes

    # The steps of training, for loops of your own

    def forward(self, X: ArrayLike, training: bool = True) -> Array:
        """Run every operation on ``X`` and return the last output."""
        return self._forward(X, self._all, training)

    def calculate_loss(self, X: Array, y: ArrayLike, training: bool = True) -> float:
        """Run forward on ``X`` and return the mean loss against ``y``, without penalties.

        The outputs, of the last activation as well, are in ``model.output``.
        """
        hidden = self._forward(X, self._hidden, training)
        if self._fused is not None:
            loss = self._fused.forward(hidden, y)
            self.output = self._fused.output
        else:
            loss = np.mean(self.loss.forward(hidden, y))
            self.output = hidden
        return float(loss)

    def calculate_accuracy(self, y: ArrayLike) -> float:
        """Return the accuracy of ``model.output`` against ``y``."""
        return float(self.accuracy.calculate(self._predictions(self.output), y))

    def regularization_loss(self) -> float:
        """Return the penalties on all parameters: see ``Loss.regularization_loss``."""
        return sum((penalty(layer) for layer in self.layers), 0.0)

    def backward(self, y: ArrayLike, *, all_operations: bool = True) -> None:
        """Go back from the loss against ``y`` through the operations, in reverse.

        Call it after ``calculate_loss`` on the same batch. Every operation then has its
        ``dinputs``, and every parameter its gradient. With ``all_operations=False`` what no
        parameter needs is left out: the gradient of the data, and all before the first layer.
        """
        loss = self.loss if self._fused is None else self._fused
        loss.backward(self.output, y)
        dvalues = loss.dinputs
        if self._fused is not None:
            self._fused.activation.dinputs = dvalues
        needed = self._hidden if all_operations else self._hidden[self._first_trained :]
        for layer, _ in reversed(needed[1:]):
            layer.backward(dvalues)
            dvalues = layer.dinputs
        for layer, _ in needed[:1]:
            if all_operations or not hasattr(layer, "parameter_gradients"):
                layer.backward(dvalues)
            else:
                layer.parameter_gradients(dvalues)

    # Looking into it, taking it apart

    def summary(self) -> None:
        """Print every operation with its output shape and its number of parameters."""
        names = [repr(layer) for layer in self.layers]
        shapes = [_text_of_shape(shape) for shape in self.output_shapes()]
        counts = [
            sum(np.size(getattr(layer, name)) for name in parameter_names(layer))
            for layer in self.layers
        ]
        widths = [max(map(len, column)) for column in (["Operation", *names], ["Output", *shapes])]
        rule = "-" * (sum(widths) + 16)
        print(f"{'Operation':{widths[0]}}  {'Output':{widths[1]}}  {'Parameters':>12}\n{rule}")
        for name, shape, count in zip(names, shapes, counts, strict=True):
            print(f"{name:{widths[0]}}  {shape:{widths[1]}}  {count:12,}")
        print(f"{rule}\n{'Total':{widths[0]}}  {'':{widths[1]}}  {sum(counts):12,}")

    def get_parameters(self) -> list[tuple[Array, ...]]:
        """Return copies of all parameters: a tuple for each operation that has any.

        ``(weights, biases)`` for a ``Dense``; arrays that are state but not trained, such as
        running statistics, follow the trained ones.
        """
        return [
            tuple(getattr(layer, name).copy() for name in names)
            for layer, names in self._stored_arrays()
        ]

    def set_parameters(self, parameters: Sequence[Sequence[ArrayLike]]) -> None:
        """Set all parameters to what ``get_parameters`` of an equal model returned.

        Raises ValueError if anything does not fit; nothing has changed then.
        """
        stored = self._stored_arrays()
        if len(parameters) != len(stored):
            raise ValueError(
                f"the model has {len(stored)} operations with parameters, received parameters "
                f"for {len(parameters)}"
            )
        new = []
        for (layer, names), arrays in zip(stored, parameters, strict=True):
            if len(arrays) != len(names):
                raise ValueError(
                    f"{layer!r} has {len(names)} arrays ({', '.join(names)}), "
                    f"received {len(arrays)}"
                )
            for name, values in zip(names, arrays, strict=True):
                array = as_array(values, name)
                if array.shape != getattr(layer, name).shape:
                    raise ValueError(
                        f"{layer!r}: {name} has shape {getattr(layer, name).shape}, "
                        f"received {array.shape}"
                    )
                new.append((getattr(layer, name), array))
        for current, array in new:
            current[...] = array

    def output_shapes(self, input_shape: Shape = None) -> list[Shape]:
        """Return the shape of one output sample of each operation, None where not known.

        Args:
            input_shape: the shape of one sample of the data, if known.

        Raises ValueError, naming both neighbours, where an operation cannot take its inputs.
        """
        shape: Shape = input_shape
        shapes = []
        for position, layer in enumerate(self.layers):
            try:
                received = shape
                shape = layer.output_shape(shape) if hasattr(layer, "output_shape") else None
            except ValueError as error:
                raise ValueError(
                    f"{error}, received {_text_of_shape(received)}: "
                    f"{self._origin(position, received)}"
                ) from None
            shapes.append(shape)
        return shapes

    # Details

    def check_data(self, X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Return ``X`` and ``y`` as arrays that fit the model, the loss and each other.

        Raises:
            RuntimeError: no loss, or ``finalize`` has not been called.
            TypeError, ValueError: they do not fit; the message says what was expected.
        """
        if self.loss is None:
            raise RuntimeError("the model has no loss: call set(loss=...) first")
        X = self._check_samples(X)
        targets = as_array(y, "y")
        if targets.ndim == 0 or len(targets) != len(X):
            received = len(targets) if targets.ndim else "a single value"
            raise ValueError(
                f"X and y must have the same length, received {len(X)} samples and {received} "
                "targets"
            )
        shape = self.output_shapes(X.shape[1:])[-1]
        if shape is not None and hasattr(self.loss, "check_targets"):
            targets = self.loss.check_targets(targets, (len(X), *shape))
            if targets.dtype.kind == "f":
                targets = targets.astype(self.dtype, copy=False)
        return X, targets

    def _check_samples(self, X: ArrayLike) -> Array:
        dtype = self.parameters.dtype
        samples = as_array(X, "X")
        if samples.ndim < 2:
            raise ValueError(
                f"X must be (samples, features) or have more axes, received {samples.shape}; "
                "a single sample is one row: X[np.newaxis]"
            )
        if not samples.size:
            raise ValueError(f"X is empty: its shape is {samples.shape}")
        self.output_shapes(samples.shape[1:])
        if not isinstance(X, np.memmap):  # which is converted batch by batch, as it is read
            with np.errstate(over="ignore"):
                samples = samples.astype(dtype, copy=False)
        check_finite(samples, "X")
        return samples

    def _check_head(self, loss: Any) -> None:
        contained = next((act for act, _, fused in self.fused if isinstance(loss, fused)), None)
        if contained is not None and isinstance(self.layers[-1], contained):
            raise ValueError(
                f"{loss!r} contains the activation {self.layers[-1]!r}: leave that out, or use "
                f"{loss.loss!r}"
            )

    def _connect(self) -> None:
        """Decide how the loss is computed, and what the steps of training go through."""
        self._all = [(layer, _takes_training(layer)) for layer in self.layers]
        self._hidden = self._all
        self._fused: FusedLoss | None = None
        self._output_activation: Any = self.layers[-1]
        if isinstance(self.loss, FusedLoss):
            self._fused, self._output_activation = self.loss, self.loss.activation
            self._all = [*self._hidden, (self._output_activation, True)]
        for activation, loss, fused in self.fused:
            if type(self.layers[-1]) is activation and type(self.loss) is loss:
                self._fused = fused()
                self._fused.activation, self._fused.loss = self.layers[-1], self.loss
                self._hidden = self._all[:-1]
        trained = [i for i, (layer, _) in enumerate(self._hidden) if parameter_names(layer)]
        self._first_trained = trained[0] if trained else len(self._hidden)

    def _predictions(self, outputs: Array) -> Array:
        """What the outputs say: the accuracy knows best, then the last activation."""
        for authority in (self.accuracy, self._output_activation):
            if hasattr(authority, "predictions"):
                predictions: Array = authority.predictions(outputs)
                return predictions
        return outputs

    def _forward(
        self, X: ArrayLike, operations: Sequence[tuple[Any, bool]], training: bool
    ) -> Array:
        values = np.asarray(X, dtype=self.dtype)
        for layer, takes_training in operations:
            if takes_training:
                layer.forward(values, training)
            else:
                layer.forward(values)
            values = layer.output
        return values

    def _common_dtype(self) -> np.dtype[Any]:
        if self._requested_dtype is not None:
            return self._requested_dtype
        # What declares a dtype decides; arrays of a class that declares none follow.
        found = {
            check_dtype(layer.dtype): layer for layer in self.layers if hasattr(layer, "dtype")
        }
        if len(found) > 1:
            (one, first), (other, second) = list(found.items())[:2]
            raise ValueError(
                f"{first!r} is {one} but {second!r} is {other}: give both the same dtype, or "
                "the model: Model(..., dtype=...)"
            )
        arrays = [getattr(layer, name) for layer, names in self._stored_arrays() for name in names]
        return next(iter(found)) if found else np.result_type(np.float32, *arrays)

    def _stored_arrays(self) -> list[tuple[Any, tuple[str, ...]]]:
        stored = [(layer, stored_names(layer)) for layer in self.layers]
        return [(layer, names) for layer, names in stored if names]

    def _origin(self, position: int, shape: Shape) -> str:
        if position == 0:
            return "these are the data"
        before = self.layers[position - 1]
        size = f"{shape[0]} values" if shape and len(shape) == 1 else f"shape {shape}"
        source = next(
            (layer for layer in reversed(self.layers[:position]) if parameter_names(layer)), before
        )
        after = "" if source is before else f", after {source!r}"
        return f"the operation before it, {before!r}{after}, gives {size} per sample"

    def _position(self, operation: Any) -> int:
        return next(i for i, layer in enumerate(self.layers, 1) if layer is operation)


def _check_methods(role: str, candidate: Any, methods: Sequence[str]) -> None:
    if candidate is None:
        return
    missing = [name for name in methods if not callable(getattr(candidate, name, None))]
    if missing or isinstance(candidate, type):
        needs = "an object, not its class" if isinstance(candidate, type) else ", ".join(methods)
        raise TypeError(f"the {role} needs {needs}, received {candidate!r}")


def _takes_training(layer: Any) -> bool:
    arguments = list(inspect.signature(layer.forward).parameters.values())
    positional = [p for p in arguments if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 1 or any(p.kind is p.VAR_POSITIONAL for p in arguments)


def _slices(samples: int, batch_size: int | None) -> list[slice]:
    step = samples if batch_size is None else check_count("batch_size", batch_size)
    return [slice(start, start + step) for start in range(0, samples, step)]


def _text_of_shape(shape: Shape) -> str:
    return "(samples, …)" if shape is None else f"(samples, {', '.join(map(str, shape))})"
