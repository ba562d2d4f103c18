"""The model: a network with a loss, an optimizer and an accuracy, and all that is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeVar

from numpy.typing import ArrayLike

from framework.data.arguments import DataArguments, ValidationData
from framework.data.checks import Transform, check_data, check_weighted_data
from framework.data.class_weights import ClassWeight
from framework.inspection.diagnosis import Diagnosis, diagnose
from framework.inspection.summary import summary, summary_html
from framework.metrics.metric import Metric
from framework.saving import model_file
from framework.training.arguments import TrainingArguments
from framework.training.compiled_steps import CompiledSteps
from framework.training.distributed.train import train
from framework.training.evaluation import Evaluation, evaluate, predict
from framework.training.history import History
from framework.training.state import Callback
from optimizers.arrays import Array

AnyModel = TypeVar("AnyModel", bound="Model")


class Model(CompiledSteps):
    """A network: operations one after the other, with a loss, an optimizer and an accuracy.

    Any object with ``forward`` and ``backward`` that store ``output`` and ``dinputs`` can be an
    operation; if it has ``weights`` and ``dweights``, it is trained.

    Args:
        operations: the operations in order; more can be added with ``add``.
        dtype: float32 or float64, in which everything is computed. None takes the dtype of the
            operations, which must agree.

    Attributes:
        layers, parameters: see ``Sequential``.
        loss, optimizer, accuracy, metrics, input_shape: see ``Supervised``.
        accelerated: whether compiled code takes the place of NumPy: see ``finalize``.

    Several threads can call ``predict``, ``predict_classes`` and ``evaluate`` of one model at the
    same time, if the ``forward`` of each operation returns an array of its own, as those of this
    framework do. The arrays that operations store are then those of the last call of any thread.
    Nothing else may run beside ``train`` or a loop of your own, which go back through them.

    ``Supervised`` documents the steps of training, for loops of your own, the losses that are fused
    with the last activation, and how an operation of your own runs a model that it holds.

    Source: *Neural Networks from Scratch*, chapter 18.

    >>> from framework import CategoricalCrossentropy, Dense, ReLU, Softmax
    >>> from optimizers import Adam
    >>> model = Model([Dense(2, 64), ReLU(), Dense(64, 3), Softmax()])
    >>> model.set(loss=CategoricalCrossentropy(), optimizer=Adam(learning_rate=0.02))
    >>> model.finalize()
    >>> model.predict([[0.0, 0.0]]).shape
    (1, 3)
    """

    def finalize(self, *, accelerated: bool | None = None) -> None:
        """Check that the operations fit each other and move their parameters into one vector.

        Args:
            accelerated: whether compiled code takes whole steps of training. It has kernels for
                every loss, optimizer and accuracy, every activation but ``Step``, and most layers.
                A model with another part trains in plain NumPy, and a warning names the part,
                once; so do micro-batches, and several processes. Each step is the same up to
                rounding, and leaves the same attributes. As many threads as help share it, which
                changes no bit of the result. Compiling takes a while, the first time on a machine.
                A method that is set on an object (an operation, the optimizer, the model) is
                respected if it is there now, or after the next ``finalize``.

        Raises:
            ImportError: ``accelerated``, and numba is not installed (the extra ``[fast]``).
            ValueError: as ``Supervised.finalize``.
        """
        super().finalize(accelerated=accelerated)

    # Training and using it

    def train(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        epochs: int = 1,
        batch_size: int | None = 32,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight = None,
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

        Called again, training goes on from the present parameters. Ctrl-C ends it after the
        current batch, with a warning, and the history so far is returned. (This holds in the main
        thread while Python's own handler of Ctrl-C is installed; another handler is left alone.)

        An ``Optimizer`` updates all parameters at once; an optimizer of another class is given
        each layer in turn, as in a loop by hand. One that has trained another model begins anew
        after ``optimizer.reset()``.

        Afterwards every operation has ``output``, ``dinputs`` and gradients of the last batch that
        was trained on, from before its update; or of its last micro-batch.

        It warns of updates that change no parameter, outputs that are no probabilities for a
        crossentropy, batch normalization of single samples, and operations that predict as in
        training since they are not told.

        The data need not fit into memory: arrays mapped from a file (``np.load(path,
        mmap_mode="r")``) are read, and converted, batch by batch. Or leave out ``y`` and give, as
        ``X``, a list, a data loader or another iterable that yields ``(X, y)`` or ``(X, y,
        sample_weight)`` for each batch, and begins anew in each epoch.

        A batch of thousands of samples goes through the operations in micro-batches whose
        gradients are added up, which takes less memory and time; but whole where an operation
        or the loss does not treat each sample on its own (``Operation.independent_samples``).

        Args:
            X: ``(samples, ...)``, finite real numbers of any dtype; or batches.
            y: targets that fit the loss.
            epochs: how often to go through the data, at least 1.
            batch_size: samples per update; None takes all of them at once. The last batch of
                an epoch may be shorter. Batches that are given have their own sizes.
            sample_weight: how much each sample counts, ``(samples,)``, at least 0. The data loss
                of a batch is then ``Σ w·loss / (samples · w̄)``, with ``w̄`` the mean weight of all
                training samples; where batches are given, of those so far. The means in
                ``History`` are weighted, and a sample of weight 0 is left out, a batch of such
                samples too. Batch normalization ignores weights.
            class_weight: ``{class: weight}``, 1 for classes that are not in it, or "balanced" for
                the same total weight of every class. In the loss and the accuracy of the training
                data, the weight of each sample is multiplied by that of its class.
            validation_data: ``(X_val, y_val)`` or ``(X_val, y_val, sample_weight)``, evaluated
                after each epoch; or an iterable of such batches that is no list or tuple.
            validation_split: the share of the samples to set aside for that instead: drawn at
                random, but the same in every call with this number of samples, so that none was
                trained on before; the last ones with ``shuffle=False``.
            shuffle: whether to go through the samples in a new random order each epoch. Batches
                that are given come in their own order.
            transform: a function that turns the ``X`` of a batch into the network's inputs, such
                as those of ``framework.augmentation``; it keeps the number of samples. Applied to
                the validation data too (with ``training=False`` if it takes that), but not by
                ``predict``: what that needs, such as ``Scale``, belongs to the model.
            callbacks: see ``Callback``.
            progress: whether to show a progress bar for the whole training, and a line for each
                epoch, or about 20 lines for more than 50 epochs; on standard error, and only the
                lines if that is no terminal. In a notebook that is one bar and one table.
            print_every: print a line every so many epochs, in place of the bar.
            resume_from: the file of a ``Checkpoint``, which says what has to be the same. Training
                goes on from it to ``epochs`` as if it had never stopped: the same numbers, bit
                for bit, except ``seconds``. If there is no such file yet, but one of the
                ``callbacks`` is going to write it, training starts from the beginning.
            communicator: of mpi4py, such as ``MPI.COMM_WORLD``: all of its processes train the
                model together, and each must call ``train`` (see
                ``framework.training.distributed``). ``batch_size`` is that of all together.
            sharded: whether the data are this process's own, and not the same for each.

        Raises:
            RuntimeError: ``set`` or ``finalize`` has not been called; or the optimizer has
                trained another model.
            TypeError, ValueError: data or arguments that do not fit; nothing has changed then.
                With a communicator, an error of one process is raised by all.
            OSError: ``resume_from`` cannot be read, or a checkpoint cannot be written.
            SavedFileError: ``resume_from`` is damaged, or of another training.
            BatchError: a later batch of those that are given does not fit (a ValueError).
            DivergenceError: the loss became NaN or infinite (a FloatingPointError); its
                ``history`` has the epochs up to there. After either of these two the model and
                the optimizer are as they were after the last completed epoch.
        """
        data = DataArguments(
            X=X,
            y=y,
            batch_size=batch_size,
            sample_weight=sample_weight,
            class_weight=class_weight,
            validation_data=validation_data,
            validation_split=validation_split,
            shuffle=shuffle,
            transform=transform,
        )
        arguments = TrainingArguments(
            data=data,
            epochs=epochs,
            callbacks=callbacks,
            progress=progress,
            print_every=print_every,
            resume_from=resume_from,
            communicator=communicator,
            sharded=sharded,
        )
        return train(self, arguments)

    def evaluate(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        batch_size: int | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Evaluation:
        """Return the mean data loss and the accuracy (None without one) on ``X`` and ``y``.

        The result unpacks as these two, and has ``metrics``, the number of each metric by name.
        Dropout is off, and batch normalization uses its running statistics. Penalties are not
        part of the loss. An output of NaN makes the loss NaN, and counts as wrong. With
        ``sample_weight`` both means are weighted: see ``train``. Without ``y``, ``X`` gives
        batches, as in ``train``.

        ``batch_size`` is how many samples are computed at once; None chooses a number that
        takes little memory.

        Raises RuntimeError without a loss or before ``finalize``, TypeError or ValueError for data
        that do not fit.
        """
        return evaluate(self, X, y, batch_size, sample_weight)

    def predict(self, X: ArrayLike, *, batch_size: int | None = None) -> Array:
        """Return the outputs for ``X``: probabilities, or values where the output is linear.

        ``batch_size`` is how many samples are computed at once; None chooses a number that
        takes little memory. Outputs of NaN, which diverged parameters give, are returned as they
        are. Like ``evaluate``, it leaves ``output`` as it is.

        Raises RuntimeError before ``finalize``, TypeError or ValueError for data that do not fit.
        """
        return predict(self, X, batch_size)

    def predict_classes(
        self, X: ArrayLike, *, batch_size: int | None = None, threshold: float | None = None
    ) -> Array:
        """Return the class of each sample of ``X`` as an integer.

        After softmax, or with ``CategoricalAccuracy``, that is the largest output,
        ``(samples,)``. After sigmoid it is 1 where an output is above ``threshold``, ``(samples,
        outputs)``, or ``(samples,)`` for a single output; with ``Hinge`` too. None stands for one
        half, for ``Hinge`` for 0. With another threshold than one half, of two classes after
        softmax the second is predicted where its output is above it.

        Raises as ``predict``, and ValueError for outputs that are not classes, and for a threshold
        of probabilities that is not between 0 and 1 or, other than one half, is for more than two
        classes. NaN is no class, and the message names the row.
        """
        return self.classes_of(self.predict(X, batch_size=batch_size), threshold)

    # Looking into it

    def diagnose(self, X: ArrayLike, y: ArrayLike) -> Diagnosis:
        """Send a batch forward and back, and report signs of trouble.

        These are: gradients or signals that vanish or explode (by a factor of 100 from the first
        trained operation to the last), gradients that are cut off or not finite, dead units (a
        quarter of an operation's, or of the channels of images and sequences), saturated sigmoids
        (half of their outputs), inputs that are all 0, all the same or not scaled, and a
        crossentropy of outputs that are no probabilities. A copy is used, in training mode. With
        fewer than 20 samples, dead units are only counted.

        Raises RuntimeError without a loss or before ``finalize``, TypeError or ValueError for data
        that do not fit, NotImplementedError for an operation without a gradient, such as ``Step``.
        """
        return diagnose(self, X, y)

    def summary(self) -> None:
        """Print every operation with its output shape and its number of parameters.

        Shapes that depend on the data, such as that of ``Flatten``, are known after data were seen.
        """
        print(summary(self))

    def _repr_html_(self) -> str | None:
        return summary_html(self)

    def check_data(
        self, X: ArrayLike, y: ArrayLike, transform: Transform | None = None
    ) -> tuple[Array, Array]:
        """Return ``X`` and ``y`` as arrays that fit the model, the loss and each other.

        With ``transform``, ``X`` stays as it is, and its first sample must fit transformed.
        Otherwise all of it must be finite. Raises RuntimeError without a loss or before
        ``finalize``, TypeError or ValueError for data that do not fit.
        """
        return check_data(self, X, y, transform)

    def check_weighted_data(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        transform: Transform | None = None,
    ) -> tuple[Array, Array, Array | None]:
        """Return ``X`` and ``y`` as ``check_data`` does, and the weights as float64 or None.

        Raises as ``check_data``, also for weights or an accuracy that do not fit.
        """
        return check_weighted_data(self, X, y, sample_weight, transform)

    # To a file, and back

    def save(self, path: str | PathLike[str], class_names: Iterable[str] | None = None) -> None:
        """Write the whole model to a file: operations, parameters, loss, optimizer, accuracy.

        It is a safetensors file without code. It has the optimizer's arguments, but not its
        state: to go on exactly, see ``Checkpoint``. The file appears complete or not at all.

        An object of your own class is saved if the class keeps every constructor argument in an
        attribute of that name, or has ``configuration()``, which returns the arguments by name.
        Metrics of your own may be any functions: see ``load``.

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
        if class_names is not None:
            self.class_names = class_names
        model_file.save_model(self, path)

    @classmethod
    def load(
        cls: type[AnyModel],
        path: str | PathLike[str],
        *,
        custom_operations: Iterable[Any] = (),
        metrics: Mapping[str, Metric] | None = None,
    ) -> AnyModel:
        """Return the model that ``save`` wrote to a file, finalized. It predicts the same bits.

        The file is not trusted: nothing in it is run, and only the classes of this framework and
        those you give are made.

        Args:
            path: the file, which can also be one of a ``Checkpoint``.
            custom_operations: the classes and functions of your own that the model is made of,
                such as operations and losses. They are found by their names.
            metrics: those of your own that the model had, by name, as for ``set``. A metric of
                your own that is given neither here nor above is left behind, with a warning.

        Raises:
            OSError: the file cannot be read.
            SavedFileError: it is damaged, not written by ``save``, or names an unknown class.
            TypeError, ValueError: ``custom_operations`` has something else, or two of one name;
                or ``metrics`` does not fit ``set``.
        """
        return model_file.load_model(path, cls, custom_operations, metrics)

    def save_parameters(self, path: str | PathLike[str]) -> None:
        """Write all parameters and running statistics, and nothing else, to a file.

        Raises RuntimeError before ``finalize``, OSError if the file cannot be written; an old one
        is still there then.
        """
        model_file.save_parameters(self, path)

    def load_parameters(self, path: str | PathLike[str]) -> None:
        """Set all parameters to those in a file that an equal model has written.

        Any file of ``save_parameters``, ``save`` or ``Checkpoint`` will do.

        Raises RuntimeError before ``finalize``, OSError if the file cannot be read, SavedFileError
        if it is damaged or has other parameters; nothing has changed then.
        """
        model_file.load_parameters(self, path)

    # To other programs, and from them

    def export_onnx(
        self,
        path: str | PathLike[str],
        class_names: Iterable[str] | None = None,
        *,
        input_shape: Sequence[int] | None = None,
        opset: int | None = None,
    ) -> None:
        """Write the computation of ``predict`` to an ONNX file, for other programs to run.

        The graph takes ``input`` and gives ``output``, the arrays of ``predict``, for any number
        of samples: images have their channels last, and the graph turns them. It has the dtype of
        the model, no dropout, and the running statistics of batch normalization.

        Args:
            path: the file; an old one is replaced.
            class_names: as for ``save``; None takes ``model.class_names``. They are in the
                metadata under ``class_names``, as a list in JSON.
            input_shape: the shape of one sample. None takes that of the data last seen, or else
                rows of numbers, or images of any size.
            opset: the version of ONNX's operators. None takes the lowest in which the network can
                be written, from 13 on, for runtimes of any age.

        Raises:
            ImportError: onnx is not installed.
            RuntimeError: ``finalize`` has not been called.
            TypeError: an operation has no ONNX pattern, as one of your own.
            ValueError: ``class_names``, ``input_shape`` or ``opset`` do not fit the model.
            OSError: the file cannot be written; an old one is still there then.
        """
        from framework.interchange.onnx_export import export_onnx

        export_onnx(self, path, class_names, input_shape, opset)

    @classmethod
    def from_onnx(
        cls: type[AnyModel], path: str | PathLike[str], *, output: str | None = None
    ) -> AnyModel:
        """Return the network in an ONNX file as a model, finalized.

        It reads the files of ``export_onnx``, and what PyTorch, Keras and scikit-learn export of
        networks made of layers that are here. If it takes images channels first, as PyTorch does,
        the model takes and gives them channels last; ``input_shape`` tells. After a network that
        ends with classes, it gives the scores that they are made of, and ``predict_classes`` the
        classes. Dropout, loss and optimizer are not in such a file. No other file is read, and no
        code from it is run.

        Args:
            path: the file.
            output: the name of a value in the graph, where there are several outputs, or to read
                the network up to there.

        Raises:
            ImportError: onnx is not installed.
            OSError: the file cannot be read.
            OnnxError: it is damaged, no ONNX file, or has a node that is no operation of this
                framework; the message names it.
        """
        from framework.interchange.onnx_import import from_onnx

        return from_onnx(path, cls, output)
