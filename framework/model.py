"""The sequencer: runs operations forward in order and backward in reverse."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from os import PathLike
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from framework.accuracies.accuracy import Accuracy
from framework.accuracies.categorical import CategoricalAccuracy
from framework.activations.activation import Activation
from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.callbacks import Callback
from framework.checks import as_array, check_class_names, check_count, check_dtype, check_finite
from framework.diagnosis import Diagnosis, diagnose
from framework.forks import importing
from framework.history import History
from framework.losses.binary_crossentropy import BinaryCrossentropy
from framework.losses.categorical_crossentropy import CategoricalCrossentropy
from framework.losses.loss import FusedLoss, Loss, penalty
from framework.losses.sigmoid_binary_crossentropy import SigmoidBinaryCrossentropy
from framework.losses.softmax_categorical_crossentropy import SoftmaxCategoricalCrossentropy
from framework.mapped import release_pages
from framework.operation import Array, Shape, describe
from framework.parameters import ParameterVector, bind, state_names, stored_names
from framework.ranks import check_communicator
from framework.samples import (
    Batch,
    PartOf,
    Samples,
    Stream,
    Transform,
    ValidationData,
    whole,
)
from framework.slices import MOST_SAMPLES, samples_at_once
from framework.training import train
from framework.weights import check_sample_weight, weighted_gradient, weighted_mean
from optimizers.optimizer import parameter_names

AnyModel = TypeVar("AnyModel", bound="Model")

FUSED: tuple[tuple[type[Activation], type[Loss], type[FusedLoss]], ...] = (
    (Softmax, CategoricalCrossentropy, SoftmaxCategoricalCrossentropy),
    (Sigmoid, BinaryCrossentropy, SigmoidBinaryCrossentropy),
)


# Data of more numbers than this stay in the dtype that they have.
CONVERTED_AT_ONCE = 2**24


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
        input_shape: the shape of one sample of the data last seen, or None.
        accelerated: whether compiled code takes the place of what it can: see ``finalize``.

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
        self.input_shape: Shape = None
        self.accelerated = False
        self._class_names: list[str] | None = None
        self._parameters: ParameterVector | None = None
        self._trainer: tuple[Any, Any] | None = None
        self._output: Array | None = None
        self._finalized_layers: list[Any] = []
        for operation in operations:
            self.add(operation)

    def __repr__(self) -> str:
        return f"Model([{', '.join(map(describe, self.layers))}])"

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
                    "an operation needs forward and backward methods, received "
                    f"{describe(operation)}"
                )
        if any(operation is layer for layer in self.layers):
            raise ValueError(
                f"{describe(operation)} is already operation {self._position(operation)} of the "
                "model; each place needs an object of its own"
            )
        self.layers.append(operation)

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

    def finalize(self, *, accelerated: bool | None = None) -> None:
        """Check that the operations fit each other and move their parameters into one vector.

        Args:
            accelerated: whether compiled twins of the operations, the fused losses and the
                optimizers compute what these would, where there are any (``Dense``, the usual
                activations, ``Dropout``, ``BatchNormalization``, ``Scale``; all optimizers but
                ``Adagrad``). Each step is the same up to rounding, and the objects are left with
                the same attributes. None is plain NumPy. The first time on a machine, compiling
                takes a while. A method that one of the objects (an operation, the optimizer, the
                model itself) is given of its own is called if it is there now; one that comes
                later, after the next ``finalize``.

        Raises:
            ImportError: ``accelerated``, and numba is not installed (the extra ``[fast]``).
            ValueError: the model has no operations; neighbours do not fit; the operations'
                dtypes differ and the model was given none.
        """
        if not self.layers:
            raise ValueError("the model has no operations: add some before finalize()")
        if accelerated:
            with importing:
                import framework.accelerated  # noqa: F401 - raises where it cannot be had
        self.output_shapes()
        self._check_head(self.loss)
        dtype = self._common_dtype()
        if not self.finalized or self.dtype != dtype:
            self._parameters = ParameterVector(self.layers, dtype)
            self._finalized_layers = list(self.layers)
            self.input_shape = None  # what was seen was seen by another model
        for layer in self.layers:
            for name in state_names(layer):
                bind(layer, name, getattr(layer, name).astype(dtype))
        self.accelerated = bool(accelerated)
        self._connect()

    @property
    def finalized(self) -> bool:
        """Whether ``finalize`` has been called, and ``layers`` are still what they were then."""
        return self._parameters is not None and self.layers == self._finalized_layers

    @property
    def parameters(self) -> ParameterVector:
        """All parameters in one vector: ``optimizer.update_params(model.parameters)``."""
        if self._parameters is None:
            raise RuntimeError("the model is not finalized: call finalize() first")
        if self.layers != self._finalized_layers:
            raise RuntimeError(
                "the model is not finalized: its operations changed, so call finalize() again"
            )
        return self._parameters

    @property
    def updater(self) -> Any:
        """What has ``update_params`` for ``parameters``: the optimizer, or its compiled twin."""
        if not self.accelerated:
            return self.optimizer
        from framework.accelerated import updater_of

        return updater_of(self.optimizer)

    @property
    def trainer(self) -> Any:
        """What takes whole steps of training in one compiled call, or None if nothing does."""
        if not self.accelerated:
            return None
        parts = (self._fused, self.optimizer, self.accuracy)
        if self._trainer is None or self._trainer[0] != parts:
            from framework.accelerated import trainer_of

            self._trainer = (parts, trainer_of(self, self.layers[: self._before_loss], self._fused))
        return self._trainer[1]

    @property
    def trained_layers(self) -> list[Any]:
        """The operations that have parameters, in order."""
        return [layer for layer in self.layers if parameter_names(layer)]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype in which the model computes."""
        return self.parameters.dtype if self.finalized else self._common_dtype()

    @property
    def operations_of_predict(self) -> list[Any]:
        """What ``predict`` applies: the operations, and the activation of a fused loss."""
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

    # Using it

    def train(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        sample_weight: ArrayLike | None = None,
        validation_data: ValidationData | None = None,
        validation_split: float = 0.0,
        shuffle: bool = True,
        transform: Transform | None = None,
        callbacks: Iterable[Callback] = (),
        progress: bool = True,
        print_every: int | None = None,
        resume_from: str | PathLike[str] | None = None,
        communicator: Any = None,
        sharded: bool = False,
    ) -> History:
        """Train on ``X`` and ``y`` and return the ``History`` of this call.

        Called again, training goes on from where it was. Ctrl-C ends it after the current
        batch, with a warning, and the history so far is returned (in the main thread, where
        Python's own handler of Ctrl-C is in place; elsewhere it is left to the handler).

        An ``Optimizer`` updates all parameters at once; one of another class is given each
        layer with parameters in turn, as in a loop by hand.

        The data need not fit into memory: arrays mapped from a file (``np.load(path,
        mmap_mode="r")``) are read batch by batch, and large ones of another dtype are converted
        batch by batch. Or leave out ``y`` and give, as ``X``, a list, a data loader or another
        object that gives ``(X, y)`` or ``(X, y, sample_weight)`` for each batch whenever it is
        gone through; an accuracy that learns from the targets then learns from the first batch.

        A batch of thousands of samples goes through the operations in slices whose gradients add
        up, which takes less memory and time, and makes the same update. Where an operation or the
        loss does not say that it treats each sample on its own (``Operation.samplewise``), as
        batch normalization cannot, the batch stays whole.

        Args:
            X: ``(samples, ...)``, finite real numbers of any dtype; or batches.
            y: targets that fit the loss.
            epochs: how often to go through the data, at least 1.
            batch_size: samples per update; None takes all of them at once. The last batch of
                an epoch may be shorter. Batches that are given have their own sizes.
            sample_weight: how much each sample counts, ``(samples,)``, at least 0. The data loss
                of a batch is then ``Σ w·loss / Σ w``, and what ``History`` has is weighted
                likewise. A sample of weight 0 is left out. Batch normalization takes its
                statistics without weights.
            validation_data: ``(X_val, y_val)`` or ``(X_val, y_val, sample_weight)``, evaluated
                after each epoch; or an object that gives such batches, other than a list or
                tuple.
            validation_split: the share of the samples to set aside for that instead: a random
                one, but the same in every call with as many samples, so that none is trained on
                before; or the last ones with ``shuffle=False``.
            shuffle: whether to go through the samples in a new random order each epoch. Batches
                that are given come in their own order.
            transform: a function that turns the ``X`` of a batch, as it is in the data, into
                what goes into the network, such as scaled images; it keeps the number of
                samples. It is applied to the validation data too. ``predict`` does not know of
                it; an operation that does the same, such as ``Scale``, belongs to the model.
            callbacks: see ``Callback``.
            progress: whether to show a progress bar for each epoch.
            print_every: print a line every so many epochs, in place of the bar.
            resume_from: the file of a ``Checkpoint``. The model and the history become what they
                were, and training goes on to ``epochs`` as if it had never stopped: the same
                numbers, bit for bit, but for ``seconds`` (with a communicator, as many processes,
                and batch normalization ``synchronized`` if it stopped amid an epoch). Model,
                data and all other arguments have to be the same, and are compared, except for
                ``transform`` and for what is in batches that are given. The model is compared
                with what it was as training began; what callbacks changed since then, such as
                ``optimizer.learning_rate``, is set again. If there is no such file yet, but one
                of the ``callbacks`` is going to write it, training starts from the beginning, so
                that a script can simply be started again.
            communicator: of mpi4py, such as ``MPI.COMM_WORLD``: all of its processes, each of
                which must call ``train``, train the model together, from the parameters of the
                first (see ``framework.distributed``). ``batch_size`` is that of all together,
                and so is the history, which all of them return; the first one reports. A
                callback that changes the model or the optimizer must be given to all of them; at
                the end they have the parameters that the first one has, so that it is its
                ``EarlyStopping`` that restores the best. That all were given the same is seen
                of the model, the optimizer, the shapes and the first thousand samples.
            sharded: whether the data are this process's own, and not the same for each. Such a
                training goes on from a checkpoint with as many processes alone.

        Raises:
            RuntimeError: ``set`` or ``finalize`` has not been called.
            TypeError, ValueError: data or arguments that do not fit; nothing has changed then.
                With a communicator, every process raises what one of them does.
            OSError: ``resume_from`` cannot be read, or a checkpoint cannot be written.
            SavedFileError: ``resume_from`` is damaged, or of a training of another model, on
                other data or in other batches; the model has not changed then.
            BatchError: a later batch of those that are given does not fit (a ValueError).
            DivergenceError: the loss became NaN or infinite (a FloatingPointError); its
                ``history`` has the epochs up to there. After either of these two the
                parameters, running statistics and optimizer are as they were after the last
                completed epoch, or as ``resume_from`` has them from the middle of this one.
        """
        run: Callable[..., History] = train
        if communicator is None:
            if sharded:
                raise ValueError("sharded=True needs a communicator, such as MPI.COMM_WORLD")
        elif check_communicator(communicator).size > 1:
            from framework.distributed import train_together

            run = partial(train_together, communicator=communicator, sharded=sharded)
        return run(
            self,
            X,
            y,
            epochs=epochs,
            batch_size=batch_size,
            sample_weight=sample_weight,
            validation_data=validation_data,
            validation_split=validation_split,
            shuffle=shuffle,
            transform=transform,
            callbacks=callbacks,
            progress=progress,
            print_every=print_every,
            resume_from=resume_from,
        )

    def evaluate(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        batch_size: int | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> tuple[float, float | None]:
        """Return the mean data loss and the accuracy (None without one) on ``X`` and ``y``.

        Dropout is off, and batch normalization uses its running statistics. Penalties are not
        part of the loss. With ``sample_weight`` both means are weighted: see ``train``. Without
        ``y``, ``X`` gives batches, as in ``train``.

        ``batch_size`` is how many samples are computed at once; None chooses a number that
        takes little memory.

        Raises:
            RuntimeError: no loss, or ``finalize`` has not been called.
            TypeError, ValueError: data that do not fit.
        """
        if y is None:
            if sample_weight is not None:
                raise ValueError("batches bring their weights themselves: (X, y, sample_weight)")
            return self.evaluate_batches(Stream(self, X).epoch())
        X, y, weights = self.check_weighted_data(X, y, sample_weight)
        at_once = self._at_once(X, batch_size)
        return self.evaluate_batches(Samples(X, y, weights, batch_size=at_once).epoch())

    def evaluate_batches(self, batches: Iterable[Batch]) -> tuple[float, float | None]:
        """Return what ``evaluate`` does, of batches that have been checked."""
        loss = right = total = 0.0
        for batch in batches:
            total += batch.amount
            for X, y, weight, _ in batch.parts():
                batch_loss = self.calculate_loss(X, y, training=False, sample_weight=weight)
                loss += batch.amount * batch_loss
                if self.accuracy is not None:
                    right += batch.amount * self.calculate_accuracy(y, sample_weight=weight)
        return loss / total, None if self.accuracy is None else right / total

    def evaluated_at_once(self, sample: Array) -> int:
        """Return how many samples like ``sample`` to evaluate at once."""
        self.forward(sample, training=False)
        return samples_at_once(self.layers, sample)

    def predict(self, X: ArrayLike, *, batch_size: int | None = None) -> Array:
        """Return the outputs for ``X``: probabilities, or values where the output is linear.

        ``batch_size`` is how many samples are computed at once; None chooses a number that
        takes little memory.

        Raises:
            RuntimeError: ``finalize`` has not been called.
            TypeError, ValueError: data that do not fit.
        """
        X = self._check_samples(X)
        parts = []
        for rows in _slices(len(X), self._at_once(X, batch_size)):
            parts.append(_kept(self.forward(X[rows], training=False)))
            release_pages(X)
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
        return self.classes_of(self.predict(X, batch_size=batch_size))

    def classes_of(self, outputs: Array) -> Array:
        """Return what ``predict_classes`` does, of what ``predict`` has returned."""
        activation = self._output_activation
        reader = self.accuracy if isinstance(self.accuracy, CategoricalAccuracy) else activation
        if not isinstance(reader, (CategoricalAccuracy, Softmax, Sigmoid)):
            raise ValueError(
                f"predict_classes needs Softmax() or Sigmoid() last, or CategoricalAccuracy(); "
                f"the model ends with {describe(self.layers[-1])}"
            )
        classes = reader.predictions(outputs)
        return classes[:, 0] if classes.ndim == 2 and classes.shape[1] == 1 else classes

    # The steps of training, for loops of your own. Weights are those of the batch: at least 0,
    # not all 0, and the same for the loss, its gradient and the accuracy.

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
        self._check_ready()
        hidden = self._forward(X, self._hidden, training)
        if self._fused is not None:
            if sample_weight is None:
                loss = self._fused.forward(hidden, y)
            else:
                loss = weighted_mean(self._fused.losses(hidden, y), sample_weight)
            self._output = self._fused.output
        else:
            losses = self.loss.forward(hidden, y)
            loss = (
                np.mean(losses) if sample_weight is None else weighted_mean(losses, sample_weight)
            )
            self._output = hidden
        return float(loss)

    @property
    def output(self) -> Array:
        """The outputs of the last ``calculate_loss``; RuntimeError if there was none."""
        if not self.finalized or self._output is None:
            raise RuntimeError("the model has no outputs yet: call calculate_loss first")
        return self._output

    def calculate_accuracy(self, y: ArrayLike, *, sample_weight: Array | None = None) -> float:
        """Return the accuracy of ``model.output`` against ``y``."""
        predictions = self._predictions(self.output)
        if sample_weight is None:
            return float(self.accuracy.calculate(predictions, y))
        return weighted_mean(self.accuracy.compare(predictions, y), sample_weight)

    def regularization_loss(self) -> float:
        """Return the penalties on all parameters: see ``Loss.regularization_loss``."""
        return sum(map(self._penalty, self._penalized), 0.0)

    def backward(
        self,
        y: ArrayLike,
        *,
        all_operations: bool = True,
        sample_weight: Array | None = None,
        scale: float = 1.0,
    ) -> None:
        """Go back from the loss against ``y`` through the operations, in reverse.

        Call it after ``calculate_loss`` on the same batch. Every operation then has its
        ``dinputs``, and every parameter its gradient. With ``all_operations=False`` what no
        parameter needs is left out: the gradient of the data, and all before the first layer.
        ``scale`` multiplies the gradient of the data loss, but not that of the penalties.

        Raises RuntimeError before ``calculate_loss``.
        """
        self._check_ready()
        outputs = self.output
        loss = self.loss if self._fused is None else self._fused
        loss.backward(outputs, y)
        if sample_weight is not None:
            loss.dinputs = weighted_gradient(loss.dinputs, sample_weight)
        if scale != 1:
            loss.dinputs = loss.dinputs * scale
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

    def gradients(self) -> list[Array | None]:
        """Return the gradient of the loss by the output of each operation, after ``backward``.

        These are the arrays that the operations were given as ``dvalues``. None stands where
        there was nothing to compute: before the first trained operation, and for an activation
        that is fused with the loss.

        Raises RuntimeError if ``calculate_loss`` and ``backward`` have not been called since the
        model was put together, or last on batches of different sizes.
        """
        first = next((i for i, layer in enumerate(self.layers) if parameter_names(layer)), None)
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

    def diagnose(self, X: ArrayLike, y: ArrayLike) -> Diagnosis:
        """Send a batch forward and back, and say what is conspicuous.

        That is: gradients that vanish or explode on their way back, or signals on their way
        forward (a factor of 100 from the first trained operation to the last), gradients that
        are cut off or not finite, dead units (a quarter of an operation's) and saturated sigmoids
        (half of their outputs); inputs that are all 0, all the same or far from scaled; and a
        crossentropy of outputs that are no probabilities. Dropout and batch normalization act as
        in training. It is done on a copy: parameters, optimizer, running statistics, random
        numbers and what the operations have stored stay as they are.

        Args:
            X, y: as for ``train``. A few hundred samples are enough; with fewer than 20, units may
                look dead that are not, and are only counted, not named as conspicuous.

        Returns:
            A ``Diagnosis``. Print it; or read its ``findings`` and ``operations``.

        Raises:
            RuntimeError: no loss, or ``finalize`` has not been called.
            TypeError, ValueError: data that do not fit.
            NotImplementedError: an operation has no gradient, such as ``Step``.
        """
        return diagnose(self, X, y)

    def summary(self) -> None:
        """Print every operation with its output shape and its number of parameters."""
        names = [describe(layer) for layer in self.layers]
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
                    f"{describe(layer)} has {len(names)} arrays ({', '.join(names)}), "
                    f"received {len(arrays)}"
                )
            for name, values in zip(names, arrays, strict=True):
                array = as_array(values, name)
                if array.shape != getattr(layer, name).shape:
                    raise ValueError(
                        f"{describe(layer)}: {name} has shape {getattr(layer, name).shape}, "
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
                known = getattr(layer, "output_shape", None)
                shape = known(shape) if callable(known) else None
            except ValueError as error:
                raise ValueError(
                    f"{error}, received {_text_of_shape(received)}: "
                    f"{self._origin(position, received)}"
                ) from None
            shapes.append(shape)
        return shapes

    def stored_arrays(self) -> list[Array]:
        """Return the arrays that make the model what it is: the parameters, then the state."""
        return [
            self.parameters.weights,
            *(getattr(layer, name) for layer in self.layers for name in state_names(layer)),
        ]

    def check_data(
        self,
        X: ArrayLike,
        y: ArrayLike,
        transform: Transform | None = None,
        part: PartOf = whole,
    ) -> tuple[Array, Array]:
        """Return ``X`` and ``y`` as arrays that fit the model, the loss and each other.

        With ``transform``, ``X`` stays as it is, and its first sample must fit transformed.
        Otherwise all of it must be finite, of which ``part``, given the number of samples, says
        which to look at here.

        Raises:
            RuntimeError: no loss, or ``finalize`` has not been called.
            TypeError, ValueError: they do not fit; the message says what was expected.
        """
        self._check_ready()
        if transform is None:
            X = self._check_samples(X, part)
            first = X[:1]
        else:
            X = as_array(X, "X")
            if not X.size:
                raise ValueError(f"X is empty: its shape is {X.shape}")
            first = self._transformed(X[:1].copy(), transform)
        targets = as_array(y, "y")
        if targets.ndim == 0 or len(targets) != len(X):
            received = len(targets) if targets.ndim else "a single value"
            raise ValueError(
                f"X and y must have the same length, received {len(X)} samples and {received} "
                "targets"
            )
        if hasattr(self.loss, "check_targets"):
            shape = self.output_shapes(first.shape[1:])[-1]
            if shape is None:  # an operation of the user's own: one sample will tell
                shape = self.forward(first, training=False).shape[1:]
            targets = self.loss.check_targets(targets, (len(X), *shape))
            if targets.dtype.kind == "f":
                targets = targets.astype(self.dtype, copy=False)
        if isinstance(self.accuracy, Accuracy):
            # Whether it fits the outputs is better known now than after the first update.
            outputs = self.forward(first, training=False)
            float(self.accuracy.calculate(self._predictions(outputs), targets[:1]))
        return X, targets

    def check_weighted_data(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        transform: Transform | None = None,
        part: PartOf = whole,
    ) -> tuple[Array, Array, Array | None]:
        """Return what ``check_data`` does, and the weights as ``check_sample_weight`` does.

        Raises as these two do; also TypeError for an accuracy that cannot be weighted.
        """
        X, y = self.check_data(X, y, transform, part)
        if sample_weight is None:
            return X, y, None
        if self.accuracy is not None and not hasattr(self.accuracy, "compare"):
            raise TypeError(
                "with sample_weight, the accuracy needs a method compare(predictions, y) that "
                f"tells what is right, sample by sample; {describe(self.accuracy)} has none"
            )
        return X, y, check_sample_weight(sample_weight, len(X))

    # To a file, and back

    def save(self, path: str | PathLike[str], class_names: Iterable[str] | None = None) -> None:
        """Write the whole model to a file: operations, parameters, loss, optimizer, accuracy.

        It is a safetensors file, and holds no code. The optimizer is in it as it was made, without
        what it has remembered since: to go on exactly, see ``Checkpoint``. The file appears
        complete or not at all.

        An object of your own class is saved if the class keeps every constructor argument in an
        attribute of that name, as ``Operation`` asks for, or has ``configuration()``, which
        returns the arguments by name; a function of your own, by its name.

        Args:
            path: the file; an old one is replaced.
            class_names: a name for each class (two for a single output), kept as
                ``model.class_names``.

        Raises:
            RuntimeError: ``finalize`` has not been called.
            TypeError: a part of the model, or an argument of one, cannot be saved.
            ValueError: the class names do not fit the model.
            OSError: the file cannot be written; an old one is still there then.
        """
        from framework.saving import save_model

        if class_names is not None:
            self.class_names = class_names
        save_model(self, path)

    @classmethod
    def load(
        cls: type[AnyModel], path: str | PathLike[str], *, custom_operations: Iterable[Any] = ()
    ) -> AnyModel:
        """Return the model that ``save`` wrote to a file, finalized. It predicts the same bits.

        The file is not trusted: nothing in it is run, only the classes of this framework and
        those you give are made, and no memory is taken for parameters that are not there.

        Args:
            path: the file, which can also be one of a ``Checkpoint``.
            custom_operations: the classes and functions of your own that the model is made of:
                operations, losses, optimizers, initializers, and so on. They are found by their
                names.

        Raises:
            OSError: the file cannot be read.
            SavedFileError: it is damaged, not written by ``save``, of a newer format, or names a
                class that is not known; the message says which.
            TypeError, ValueError: ``custom_operations`` has something else, or two of one name.
        """
        from framework.saving import load_model

        return load_model(path, cls, custom_operations)

    def save_parameters(self, path: str | PathLike[str]) -> None:
        """Write all parameters and running statistics, and nothing else, to a file.

        Raises:
            RuntimeError: ``finalize`` has not been called.
            OSError: the file cannot be written; an old one is still there then.
        """
        from framework.saving import save_parameters

        save_parameters(self, path)

    def load_parameters(self, path: str | PathLike[str]) -> None:
        """Set all parameters to those in a file that an equal model has written.

        Any file of ``save_parameters``, ``save`` or ``Checkpoint`` will do.

        Raises:
            RuntimeError: ``finalize`` has not been called.
            OSError: the file cannot be read.
            SavedFileError: it is damaged, or has other parameters than this model; nothing has
                changed then.
        """
        from framework.saving import load_parameters

        load_parameters(self, path)

    # To other programs, and from them

    def export_onnx(
        self,
        path: str | PathLike[str],
        class_names: Iterable[str] | None = None,
        *,
        input_shape: Sequence[int] | None = None,
    ) -> None:
        """Write what ``predict`` computes to an ONNX file, for other programs to run.

        The graph takes ``input`` and gives ``output``, for any number of samples, in the dtype
        of the model. Dropout is left out, and batch normalization has its running statistics
        folded in. The file appears complete or not at all.

        Args:
            path: the file; an old one is replaced.
            class_names: a name for each class (two for a single output), kept as
                ``model.class_names``; None takes those. They are put into the metadata under
                ``class_names``, as a list in JSON.
            input_shape: the shape of one sample. None takes that of the data last seen; a model
                that has seen none gets rows of numbers.

        Raises:
            ImportError: onnx is not installed.
            RuntimeError: ``finalize`` has not been called.
            TypeError: an operation of your own, which has no form in ONNX.
            ValueError: ``class_names`` or ``input_shape`` do not fit the model.
            OSError: the file cannot be written; an old one is still there then.
        """
        from framework.onnx_export import export_onnx

        export_onnx(self, path, class_names, input_shape)

    @classmethod
    def from_onnx(cls: type[AnyModel], path: str | PathLike[str]) -> AnyModel:
        """Return the network in an ONNX file as a model, finalized.

        It reads what ``export_onnx`` writes, and networks of dense layers and activations that
        other programs wrote, PyTorch and scikit-learn among them. What was left out or folded
        stays so. Loss and optimizer are not in the file. No other file is read, and nothing in
        it is run.

        Raises:
            ImportError: onnx is not installed.
            OSError: the file cannot be read.
            OnnxError: it is damaged, no ONNX file, or has a node that is no operation of this
                framework; the message names it.
        """
        from framework.onnx_import import from_onnx

        return from_onnx(path, cls)

    # Details

    def _at_once(self, X: Array, batch_size: int | None) -> int:
        if batch_size is not None:
            return check_count("batch_size", batch_size)
        return len(X) if len(X) <= MOST_SAMPLES else self.evaluated_at_once(X[:1])

    def _check_samples(self, X: ArrayLike, part: PartOf = whole) -> Array:
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
        self.input_shape = samples.shape[1:]
        check_finite(samples, "X", dtype, rows=part(len(samples)))
        # What is large is converted batch by batch, and a mapped file only read then.
        return samples.astype(dtype, copy=False) if samples.size <= CONVERTED_AT_ONCE else samples

    def _transformed(self, X: Array, transform: Transform) -> Array:
        try:
            transformed = self._check_samples(transform(X))
        except (TypeError, ValueError) as error:
            raise type(error)(f"transform(X): {error}") from None
        if len(transformed) != len(X):
            raise ValueError(
                f"transform(X) must keep the samples, but makes {len(transformed)} of {len(X)}"
            )
        return transformed

    def _check_ready(self) -> None:
        if self.loss is None:
            raise RuntimeError("the model has no loss: call set(loss=...) first")
        self.parameters  # noqa: B018 - raises before finalize

    def _check_head(self, loss: Any) -> None:
        contained = next((act for act, _, fused in self.fused if isinstance(loss, fused)), None)
        if contained is not None and isinstance(self.layers[-1], contained):
            raise ValueError(
                f"{loss!r} contains the activation {self.layers[-1]!r}: leave that out, or use "
                f"{loss.loss!r}"
            )

    def _connect(self) -> None:
        """Decide how the loss is computed, and what the steps of training go through."""
        self._output = None
        self._penalty = getattr(self.loss, "regularization_loss", penalty)
        self._penalized = self.trained_layers
        if isinstance(self.loss, Loss):
            self.loss.remember_trainable_layers(self.trained_layers)
        self._fused: FusedLoss | None = None
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
        """Decide what is run, in which order: before the loss, and without one."""
        self._trainer = None
        before: list[Any] = self.layers[: self._before_loss]
        if self.accelerated:
            from framework.accelerated import stretches

            before = stretches(before, self.parameters)
        self._hidden = [(op, _training_argument(op)) for op in before]
        last = [] if self._fused is None else [(self._output_activation, "positional")]
        self._all = [*self._hidden, *last]
        trained = [i for i, op in enumerate(before) if parameter_names(op)]
        self._first_trained = trained[0] if trained else len(before)

    def __getstate__(self) -> dict[str, Any]:
        # Compiled code is lined up anew, where there is numba: a copy runs without it as well.
        return {k: v for k, v in self.__dict__.items() if k not in ("_hidden", "_all", "_trainer")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._parameters is None:
            return
        try:
            self._line_up()
        except ImportError:
            self.accelerated = False
            self._line_up()

    def _predictions(self, outputs: Array) -> Array:
        """What the outputs say: the accuracy knows best, then the last activation."""
        for authority in (self.accuracy, self._output_activation):
            read = getattr(authority, "predictions", None)
            if callable(read):
                predictions: Array = read(outputs)
                return predictions
        return outputs

    def _forward(
        self, X: ArrayLike, operations: Sequence[tuple[Any, str]], training: bool
    ) -> Array:
        values = np.asarray(X, dtype=self.parameters.dtype)
        for layer, argument in operations:
            if argument == "positional":
                layer.forward(values, training)
            elif argument == "keyword":
                layer.forward(values, training=training)
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
                f"{describe(first)} is {one} but {describe(second)} is {other}: give both the "
                "same dtype, or the model: Model(..., dtype=...)"
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
        after = "" if source is before else f", after {describe(source)}"
        return f"the operation before it, {describe(before)}{after}, gives {size} per sample"

    def _position(self, operation: Any) -> int:
        return next(i for i, layer in enumerate(self.layers, 1) if layer is operation)


def _check_methods(role: str, candidate: Any, methods: Sequence[str]) -> None:
    if candidate is None:
        return
    missing = [name for name in methods if not callable(getattr(candidate, name, None))]
    if missing or isinstance(candidate, type):
        needs = "an object, not its class" if isinstance(candidate, type) else ", ".join(methods)
        raise TypeError(f"the {role} needs {needs}, received {candidate!r}")


def _training_argument(layer: Any) -> str:
    """How ``layer.forward`` wants to be told the mode: "positional", "keyword" or "" (not)."""
    parameters = list(inspect.signature(layer.forward).parameters.values())
    kinds = {p.name: p.kind for p in parameters}
    if "training" in kinds:
        # By keyword unless it is second in line, since there may be others before it.
        second = len(parameters) > 1 and parameters[1].name == "training"
        keyword_only = kinds["training"] is inspect.Parameter.KEYWORD_ONLY
        return "positional" if second and not keyword_only else "keyword"
    required = [
        p
        for p in parameters
        if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return "positional" if len(required) > 1 else ""


def _kept(output: Array) -> Array:
    """Return ``output``, or a copy if it would keep more in memory than it is."""
    whole = output.base
    return output.copy() if isinstance(whole, np.ndarray) and whole.size > output.size else output


def _slices(samples: int, step: int) -> list[slice]:
    return [slice(start, start + step) for start in range(0, samples, step)]


def _text_of_shape(shape: Shape) -> str:
    return "(samples, …)" if shape is None else f"(samples, {', '.join(map(str, shape))})"
