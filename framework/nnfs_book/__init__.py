"""The book's names and signatures: its chapter scripts run when only the class definitions go.

    from framework.nnfs_book import *

takes the place of every class that *Neural Networks from Scratch* has written by the end of a
chapter. Layers, activations, losses, optimizers and accuracies are those of this framework under
the book's names. What the book draws at random is drawn from NumPy's global generator, number
for number, so ``nnfs.init()`` or ``np.random.seed`` decide it.

The last bit of a product is enough for two correct programs to print other digits after some
dozens of epochs. After ``nnfs.init()``, which has ``np.dot`` compute in float64 and round to
float32, we therefore round where the book rounds: products, and nothing else. Without it, and
after ``nnfs.init(dot_precision_workaround=False)``, all is float32, and faster.

What differs from the book:

- A method that stores its result returns it too. Shapes that do not fit are refused.
- Gradients of parameters, and what an optimizer remembers, are written in place: to compare them
  with later ones, keep a copy.
- What is remembered is the optimizer's. It can be changed by writing into ``weight_momentums`` and
  so on; another array assigned to them has no effect, and a copied layer starts anew.
- ``Layer_Dropout.rate`` is the rate that was given.
- ``Loss_CategoricalCrossentropy.backward`` clips, as ``forward`` does. The gradient of
  ``Loss_MeanAbsoluteError`` points uphill; the printed one, ``np.sign(y_true - dvalues)``, points
  downhill.
- An accumulated accuracy of several outputs is the share of all of them that is right, where the
  book divides by the samples.
- ``Model`` rounds its data to float32. A loss that becomes NaN ends ``train`` with an error. There
  are no ``dinputs`` of the first layer, and without ``nnfs.init()``, thousands of samples at once
  go through in slices, of which the layers keep the last. ``get_parameters`` returns copies. A
  saved model holds no pickle (see ``framework.saving.model_file``).

Source: Kinsley and Kukieła, *Neural Networks from Scratch in Python*, 2020.
"""

import math
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import framework
from framework.accuracies import BinaryAccuracy, CategoricalAccuracy, RegressionAccuracy
from framework.activations import Linear, ReLU, Sigmoid, Softmax
from framework.checks import as_floats, check_count, check_dvalues
from framework.containers.supervised import FUSED
from framework.layers import Dense, Dropout
from framework.layers.dense import add_penalty_gradient
from framework.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SoftmaxCategoricalCrossentropy,
)
from framework.model import AnyModel
from framework.operation import Array, KinkSides, Operation, smooth
from framework.parameters import ParameterVector, bind
from framework.saving.model_file import load_model, save_model
from framework.training.callbacks import Callback
from framework.training.history import History
from framework.training.loop import Training
from framework.training.progress import figures_line
from optimizers import SGD, Adagrad, Adam, Optimizer, RMSprop, State

__all__ = [
    "Accuracy",
    "Accuracy_Categorical",
    "Accuracy_Regression",
    "Activation_Linear",
    "Activation_ReLU",
    "Activation_Sigmoid",
    "Activation_Softmax",
    "Activation_Softmax_Loss_CategoricalCrossentropy",
    "Layer_Dense",
    "Layer_Dropout",
    "Layer_Input",
    "Loss",
    "Loss_BinaryCrossentropy",
    "Loss_CategoricalCrossentropy",
    "Loss_MeanAbsoluteError",
    "Loss_MeanSquaredError",
    "Model",
    "Optimizer_Adagrad",
    "Optimizer_Adam",
    "Optimizer_RMSprop",
    "Optimizer_SGD",
]


def _nnfs_multiplies() -> bool:
    """Whether ``nnfs.init()`` has put a function of its own for ``np.dot``.

    That one computes in float64 and rounds the product to float32.
    """
    return np.dot.__module__ == "nnfs.core" and np.dot.__name__ == "dot"


class _Operation(Operation):
    """Stores the last ``inputs``, and lets float64 be float64 after ``nnfs.init()``."""

    inputs: ArrayLike

    def __getstate__(self) -> dict[str, Any]:
        return _without_neighbours(self)

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        self.inputs = inputs
        return super().forward(inputs, training)

    def kink_sides(self) -> Any:
        return super().kink_sides()

    def backward(self, dvalues: ArrayLike) -> Array:
        if _nnfs_multiplies():
            # Gradients take the dtype of the output. The book rounds nothing but products.
            dvalues = check_dvalues(self, dvalues)
            self.output = self.output.astype(np.result_type(self.output, dvalues), copy=False)
        return super().backward(dvalues)


def _without_neighbours(layer: Any) -> dict[str, Any]:
    """What a copy of ``layer`` takes along: not the network around it, as its model sets that."""
    return {name: value for name, value in vars(layer).items() if name not in ("prev", "next")}


# Layers


class Layer_Dense(Dense):
    """``Dense`` with weights of ``weight_scale * np.random.randn(n_inputs, n_neurons)``.

    The book's regression chapter draws larger ones: ``Layer_Dense.weight_scale = 0.1``.
    """

    computes_as = Dense
    weight_scale = 0.01
    kink_sides = smooth

    def __init__(
        self,
        n_inputs: int,
        n_neurons: int,
        weight_regularizer_l1: float = 0,
        weight_regularizer_l2: float = 0,
        bias_regularizer_l1: float = 0,
        bias_regularizer_l2: float = 0,
    ) -> None:
        super().__init__(
            n_inputs,
            n_neurons,
            weight_initializer="zeros",
            weight_regularizer_l1=weight_regularizer_l1,
            weight_regularizer_l2=weight_regularizer_l2,
            bias_regularizer_l1=bias_regularizer_l1,
            bias_regularizer_l2=bias_regularizer_l2,
        )
        # Rounded before they are scaled, as after nnfs.init().
        draws = np.random.randn(self.n_inputs, self.n_neurons).astype(np.float32)
        self.weights = self.weight_scale * draws
        self._join()

    def forward(self, inputs: ArrayLike, training: bool = True) -> Array:
        if not self._multiplies_as_nnfs():
            return super().forward(inputs, training)
        self.inputs = inputs = self.check_inputs(inputs)
        self.output = output = np.dot(inputs, self.weights) + self.biases
        return output

    def backward(self, dvalues: ArrayLike) -> Array:
        if not self._multiplies_as_nnfs():
            return super().backward(dvalues)
        self.parameter_gradients(dvalues)
        self.dinputs = np.dot(as_floats(dvalues), self.weights.T)
        return self.dinputs

    def parameter_gradients(self, dvalues: ArrayLike) -> None:
        if not self._multiplies_as_nnfs():
            super().parameter_gradients(dvalues)
            return
        dvalues = check_dvalues(self, dvalues)
        self.dweights = np.dot(self.inputs.T, dvalues)
        dbiases = np.sum(dvalues, axis=0, keepdims=True)
        if dbiases.dtype == self.biases.dtype:
            self.dbiases = dbiases
        else:  # which assigning would round
            bind(self, "dbiases", dbiases)
        add_penalty_gradient(
            self.dweights, self.weights, self.weight_regularizer_l1, self.weight_regularizer_l2
        )
        add_penalty_gradient(
            self.dbiases, self.biases, self.bias_regularizer_l1, self.bias_regularizer_l2
        )

    @property
    def samplewise(self) -> bool:  # type: ignore[override]
        """Whether a large batch may go through in slices, which rounds in another order."""
        return not self._multiplies_as_nnfs()

    def get_parameters(self) -> tuple[Array, Array]:
        """Return ``(weights, biases)``, the arrays themselves."""
        return self.weights, self.biases

    def set_parameters(self, weights: ArrayLike, biases: ArrayLike) -> None:
        """Copy the values of ``weights`` and ``biases`` in."""
        self.weights, self.biases = weights, biases

    def _multiplies_as_nnfs(self) -> bool:
        # Whoever asks for float64, such as a gradient check, wants it throughout.
        return _nnfs_multiplies() and self.weights.dtype == np.float32

    def _join(self) -> None:
        """Lay the biases below the weights in one array, so one update does for both."""
        self.joined = np.concatenate([self.weights, self.biases])
        self.djoined = np.concatenate([self.dweights, self.dbiases])
        for prefix, array in (("", self.joined), ("d", self.djoined)):
            bind(self, prefix + "weights", array[:-1])
            bind(self, prefix + "biases", array[-1:])

    def __getstate__(self) -> dict[str, Any]:
        # In a copy, what was a view becomes an array of its own, so they are joined anew.
        state = _without_neighbours(self)
        return {name: value for name, value in state.items() if "joined" not in name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._join()


class Layer_Dropout(_Operation, Dropout):
    """``Dropout`` with the masks that ``np.random.binomial(1, 1 - rate, shape)`` would draw."""

    computes_as = Dropout

    @property
    def binary_mask(self) -> Array | None:
        """The last mask, already divided by ``1 - rate``."""
        return self.mask

    def _draw_mask(self, inputs: Array) -> Array:
        # A binomial of one trial compares one number from 0 to 1 with the chance of its rarer
        # outcome. Drawing these numbers at once gives the same masks in a third of the time.
        keep = 1 - self.rate
        chances = np.random.random_sample(inputs.shape)
        kept = chances <= keep if keep > 0.5 else chances > 1 - keep
        mask = kept.astype(np.float64 if _nnfs_multiplies() else inputs.dtype)
        mask *= 1 / keep
        return mask


class Layer_Input(_Operation, Linear):
    """Passes the data on."""

    computes_as = Linear


# Activations


class Activation_ReLU(_Operation, ReLU):
    """``ReLU`` under the book's name."""

    computes_as = ReLU


class Activation_Softmax(_Operation, Softmax):
    """``Softmax`` under the book's name."""

    computes_as = Softmax


class Activation_Sigmoid(_Operation, Sigmoid):
    """``Sigmoid`` under the book's name."""

    computes_as = Sigmoid


class Activation_Linear(_Operation, Linear):
    """``Linear`` under the book's name."""

    computes_as = Linear


# Losses and accuracies


class _Passes:
    """A mean over all that was calculated since ``new_pass``."""

    accumulated_sum = 0.0
    accumulated_count = 0

    def new_pass(self) -> None:
        """Forget what has been calculated."""
        self.accumulated_sum, self.accumulated_count = 0.0, 0

    def _accumulate(self, mean: float, samples: int) -> None:
        self.accumulated_sum += mean * samples
        self.accumulated_count += samples

    def _accumulated_mean(self) -> float:
        if not self.accumulated_count:
            raise RuntimeError("calculate_accumulated needs a calculate since the last new_pass")
        return self.accumulated_sum / self.accumulated_count


class Loss(_Passes, framework.Loss):
    """``framework.Loss``, whose mean has the dtype of the predictions and is accumulated."""

    def check(self, y_pred: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        y_pred = as_floats(y_pred, "y_pred")
        if _nnfs_multiplies() and getattr(y_true, "dtype", None) == np.float64:
            y_pred = y_pred.astype(np.float64)
        y_pred, targets = super().check(y_pred, y_true)
        return y_pred, (
            targets.astype(y_pred.dtype, copy=False) if targets.dtype.kind == "f" else targets
        )

    def calculate(
        self, y_pred: ArrayLike, y_true: ArrayLike, *, include_regularization: bool = False
    ) -> Any:
        y_pred = as_floats(y_pred, "y_pred")
        mean = super().calculate(y_pred, y_true)
        self._accumulate(mean, len(y_pred))
        data_loss = y_pred.dtype.type(mean)
        return (data_loss, self.regularization_loss()) if include_regularization else data_loss

    def calculate_accumulated(self, *, include_regularization: bool = False) -> Any:
        """Return the mean loss of all samples since ``new_pass``.

        With ``include_regularization=True`` it is a pair, as in ``calculate``. Raises
        RuntimeError if there were none.
        """
        data_loss = self._accumulated_mean()
        return (data_loss, self.regularization_loss()) if include_regularization else data_loss


class Loss_CategoricalCrossentropy(Loss, CategoricalCrossentropy):
    """``CategoricalCrossentropy`` under the book's name."""


class Loss_BinaryCrossentropy(Loss, BinaryCrossentropy):
    """``BinaryCrossentropy`` under the book's name."""


class Loss_MeanSquaredError(Loss, MeanSquaredError):
    """``MeanSquaredError`` under the book's name."""


class Loss_MeanAbsoluteError(Loss, MeanAbsoluteError):
    """``MeanAbsoluteError`` under the book's name."""


class Activation_Softmax_Loss_CategoricalCrossentropy(SoftmaxCategoricalCrossentropy):
    """Softmax, then the mean loss of its probabilities, clipped as in the book.

    ``backward`` is that of ``SoftmaxCategoricalCrossentropy``.
    """

    def __init__(self) -> None:
        self.activation: Softmax = Activation_Softmax()
        self.loss: framework.Loss = Loss_CategoricalCrossentropy()

    def forward(self, inputs: ArrayLike, y_true: ArrayLike) -> Any:
        self.output = output = self.activation.forward(inputs)
        return self.loss.calculate(output, y_true)

    def outputs_and_losses(self, inputs: ArrayLike, y_true: ArrayLike) -> tuple[Array, Array]:
        self.output = output = self.activation.forward(inputs)
        return output, self.loss.forward(output, y_true)

    def kink_sides(  # type: ignore[override]
        self, inputs: ArrayLike, y_true: ArrayLike
    ) -> KinkSides:
        return self.loss.kink_sides(self.output, y_true)


class Accuracy(_Passes, framework.Accuracy):
    """``framework.Accuracy``, accumulated."""

    def calculate(self, predictions: ArrayLike, y: ArrayLike) -> float:
        mean = super().calculate(predictions, y)
        self._accumulate(mean, len(np.asarray(y)))
        return mean

    def calculate_accumulated(self) -> float:
        """Return the accuracy on all samples since ``new_pass``.

        Raises RuntimeError if there were none.
        """
        return self._accumulated_mean()


class Accuracy_Categorical(Accuracy):
    """``CategoricalAccuracy``, or ``BinaryAccuracy`` for labels in columns of 0 and 1."""

    def __init__(self, *, binary: bool = False) -> None:
        self.binary = bool(binary)
        self._accuracy = BinaryAccuracy() if self.binary else CategoricalAccuracy()

    def compare(self, predictions: ArrayLike, y: ArrayLike) -> Array:
        return self._accuracy.compare(predictions, y)


class Accuracy_Regression(Accuracy, RegressionAccuracy):
    """``RegressionAccuracy``, with a ``precision`` of ``std(y) / 250`` after ``init(y)``."""

    def __init__(self) -> None:
        super().__init__()

    @property
    def precision(self) -> float | None:
        """How close is close enough; None before ``init``."""
        return self.current_precision

    @precision.setter
    def precision(self, precision: float | None) -> None:
        self.current_precision = precision

    def init(self, y: ArrayLike, reinit: bool = False) -> None:
        if reinit:
            self.precision = None
        super().init(y)


# Optimizers

# The book's name for what an optimizer remembers about a parameter.
_MEMORIES = {
    (parameter, memory): f"{owner}_{kind}"
    for parameter, owner in (("weights", "weight"), ("biases", "bias"))
    for memory, kind in (("velocity", "momentums"), ("momentum", "momentums"), ("cache", "cache"))
}


class _ShowsMemory(Optimizer):
    """Shows what it remembers on the layers that it updates, as ``weight_momentums`` and so on.

    The arrays shown are its own: what is done to them is done to it. It updates in one of four
    ways, each of which has names of its own for what it remembers (see ``Optimizer.state``):

    - a ``Layer_Dense`` by hand, weights and biases in one array: "joined". This is the fastest;
    - any other layer by hand; also a ``Layer_Dense`` that is in a model, whose gradients are wider
      than its parameters, or whose gradients are clipped: "weights", "biases";
    - the parameters of a model, in one vector: "weights";
    - the same with a gradient in float64, as after ``nnfs.init()``, which the vector would round:
      "weights 0", "biases 1" and so on, by the place of the parameter in the vector.
    """

    def pre_update_params(self) -> None:
        """Set ``current_learning_rate``; without decay it is left as it is, or has been set."""
        if self.decay or callable(self.learning_rate) or not hasattr(self, "current_learning_rate"):
            super().pre_update_params()

    def update_params(self, layer: Any) -> None:
        if isinstance(layer, ParameterVector):
            self._update_vector(layer)
        elif self._is_joined(layer):
            state = self.state(layer).setdefault("joined", State())
            self.update(layer.joined, layer.djoined, state)
            for memory, array in state.items():
                shown = getattr(layer, _MEMORIES["weights", memory], None)
                if shown is None or shown.base is not array:
                    _show(layer, "weights", memory, array[:-1])
                    _show(layer, "biases", memory, array[-1:])
        else:
            super().update_params(layer)
            for parameter, state in self.state(layer).items():
                for memory, array in state.items():
                    _show(layer, parameter, memory, array)

    def update(self, parameter: Array, gradient: Array, state: State) -> None:
        if gradient.dtype == parameter.dtype:
            super().update(parameter, gradient, state)
        else:
            wide = parameter.astype(gradient.dtype)
            super().update(wide, gradient, state)
            parameter[...] = wide

    def show_memory(self, vector: ParameterVector) -> None:
        """Show what is remembered about ``vector`` on the layers whose parameters are in it."""
        states = self.state(vector)
        for memory, array in states.get("weights", {}).items():
            for layer, parameter, view in vector.split(array):
                _show(layer, parameter, memory, view)
        for place, (layer, parameter, _) in enumerate(vector.split(vector.weights)):
            for memory, array in states.get(f"{parameter} {place}", {}).items():
                _show(layer, parameter, memory, array)

    def _is_joined(self, layer: Any) -> bool:
        return (
            isinstance(layer, Layer_Dense)
            and layer.weights.base is layer.joined
            and layer.dbiases.base is layer.djoined
            and self.max_gradient_norm is None
        )

    def _update_vector(self, vector: ParameterVector) -> None:
        parts = list(vector.split(vector.weights)) if _nnfs_multiplies() else []
        gradients = [getattr(layer, "d" + name) for layer, name, _ in parts]
        if all(gradient.dtype == vector.dtype for gradient in gradients):
            super().update_params(vector)
            return
        # Gradients in float64 would be rounded on their way into the vector.
        states = self.state(vector)
        for place, ((_, name, view), gradient) in enumerate(zip(parts, gradients, strict=True)):
            self.update(view, gradient, states.setdefault(f"{name} {place}", State()))


def _show(layer: Any, parameter: str, memory: str, array: Array) -> None:
    if (parameter, memory) in _MEMORIES:
        setattr(layer, _MEMORIES[parameter, memory], array)


class Optimizer_SGD(_ShowsMemory, SGD):
    """``SGD`` under the book's name; shows ``weight_momentums`` and ``bias_momentums``."""


class Optimizer_Adagrad(_ShowsMemory, Adagrad):
    """``Adagrad`` under the book's name; shows ``weight_cache`` and ``bias_cache``."""


class Optimizer_RMSprop(_ShowsMemory, RMSprop):
    """``RMSprop`` under the book's name; shows ``weight_cache`` and ``bias_cache``."""


class Optimizer_Adam(_ShowsMemory, Adam):
    """``Adam`` under the book's name; shows momentums and caches of weights and biases."""


# The model


class Model(framework.Model):
    """``framework.Model`` that trains, prints and saves as the book's does.

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
        """The last operation, whose ``predictions`` say what the outputs mean."""
        return self._output_activation

    @property
    def softmax_classifier_output(self) -> Any:
        """What computes softmax and its loss together, after ``finalize``, or None."""
        fused = getattr(self, "_fused", None)
        return fused if isinstance(fused, SoftmaxCategoricalCrossentropy) else None

    def backward(  # type: ignore[override]
        self,
        output: ArrayLike | None = None,
        y: ArrayLike | None = None,
        **options: Any,
    ) -> None:
        """Go back from the loss of ``output``, which ``forward`` has returned, against ``y``.

        ``backward(y)`` takes the outputs of the last ``calculate_loss``. Otherwise this is
        ``framework.Model.backward``, has its options, and raises what that raises; TypeError also
        without ``y``.
        """
        if y is None:
            output, y = None, output
        if y is None:
            raise TypeError("backward needs the targets: backward(output, y)")
        if output is not None:
            self._output = as_floats(output, "output")
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

        Without ``batch_size``, there is one line every ``print_every`` epochs, and one for the
        validation data at the end. With it, there is a heading for each epoch, a line every
        ``print_every`` steps and after the last, one for the whole epoch, and one for the
        validation data.

        Raises what ``framework.Model.train`` raises; TypeError or ValueError also for
        ``validation_data`` that are no pair ``(X_val, y_val)``.
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
            callbacks=[] if every_epoch else [_Steps(print_every, validation_data, batch_size)],
            print_every=print_every if every_epoch else None,
        )
        if every_epoch and validation_data is not None:
            self.evaluate(*validation_data)
        if isinstance(self.optimizer, _ShowsMemory):
            self.optimizer.show_memory(self.parameters)

    def save(self, path: str | PathLike[str], class_names: Iterable[str] | None = None) -> None:
        """Write the model, and what its optimizer remembers, to a file.

        Training goes on after ``load`` as if the model had never been saved. Otherwise this is
        ``framework.Model.save``, and raises what that raises.
        """
        if class_names is not None:
            self.class_names = class_names
        save_model(self, path, with_memory=True)

    @classmethod
    def load(
        cls: type[AnyModel], path: str | PathLike[str], *, custom_operations: Iterable[Any] = ()
    ) -> AnyModel:
        """Return the model that ``save`` wrote to a file, its optimizer as it was.

        Otherwise this is ``framework.Model.load``, and raises what that raises.
        """
        model = load_model(path, cls, custom_operations)
        if isinstance(model.optimizer, _ShowsMemory):
            model.optimizer.show_memory(model.parameters)
        return model

    def evaluate(  # type: ignore[override]
        self, X_val: ArrayLike, y_val: ArrayLike, *, batch_size: int | None = None
    ) -> None:
        """Print the accuracy and the data loss on ``X_val`` and ``y_val``.

        Raises what ``framework.Model.evaluate`` raises.
        """
        loss, accuracy = super().evaluate(X_val, y_val, batch_size=batch_size)
        measured = "" if accuracy is None else f"acc: {accuracy:.3f}, "
        print(f"validation, {measured}loss: {loss:.3f}")

    def _line_up(self) -> None:
        """Also tell each layer its neighbours, which no copy of a layer takes along."""
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


class _Steps(Callback):
    """Prints the lines of the book's chapters that train in batches."""

    def __init__(
        self,
        print_every: int,
        validation_data: Sequence[ArrayLike] | None,
        batch_size: int | None,
    ) -> None:
        self.print_every = check_count("print_every", print_every)
        self.validation_data = validation_data
        self.batch_size = batch_size

    def on_batch_end(self, training: Training) -> None:
        step = training.batch - 1
        if step == 0:
            print(f"epoch: {training.epoch}")
        if step % self.print_every == 0 or training.batch == training.batches:
            data_loss = training.batch_data_loss
            penalties = training.batch_loss - data_loss
            line = figures_line(training, training.batch_accuracy, data_loss, penalties)
            print(f"step: {step}, {line}")

    def on_epoch_end(self, training: Training) -> None:
        model, history = training.model, training.history
        # The losses are means over the epoch; the penalties are those that it ended with.
        penalties = model.regularization_loss()
        accuracy = history.accuracy[-1] if history.accuracy else math.nan
        print(f"training, {figures_line(training, accuracy, history.data_loss[-1], penalties)}")
        if self.validation_data is not None:
            model.evaluate(*self.validation_data, batch_size=self.batch_size)
