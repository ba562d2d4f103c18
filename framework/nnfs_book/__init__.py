"""The classes of *Neural Networks from Scratch* under the book's names, with its signatures.

    from framework.nnfs_book import *

replaces the class definitions in a chapter's script; the rest of the script runs unchanged. The
classes are derived from those of this framework. Random numbers are drawn from NumPy's global
generator, in the same order as in the book, so they depend on ``nnfs.init()`` or
``np.random.seed``.

A difference in the last bit of a product grows: after some dozens of epochs, two correct programs
print different digits. ``nnfs.init()`` makes ``np.dot`` compute in float64 and round to float32. So
after ``nnfs.init()`` these classes round where the book rounds, in products only. Without it, and
after ``nnfs.init(dot_precision_workaround=False)``, everything is float32, which is faster.

| module | contents |
|---|---|
| ``layers``, ``activations``, ``losses``, ``accuracies`` | the book's operations |
| ``optimizers`` | optimizers that show their state on the layers |
| ``model``, ``printing`` | ``Model``, and the lines that it prints |
| ``operation``, ``passes``, ``arithmetic`` | shared parts |

Differences from the book:

- A method that stores its result also returns it. Shapes that do not fit are refused.
- Gradients of parameters, and the state of an optimizer, are written in place: keep a copy to
  compare them with later ones.
- The state belongs to the optimizer. Writing into ``weight_momentums`` and the like changes it;
  assigning another array has no effect, and a copied layer starts without state.
- ``Layer_Dropout.rate`` is the rate that was given.
- ``Loss_CategoricalCrossentropy.backward`` clips, as ``forward`` does. The gradient of
  ``Loss_MeanAbsoluteError`` points uphill; the printed one, ``np.sign(y_true - dvalues)``, points
  downhill.
- The accumulated accuracy of several outputs is divided by the number of outputs; the book divides
  by the number of samples.
- ``Model`` rounds its data to float32. A loss that becomes NaN ends ``train`` with an error. The
  first layer has no ``dinputs``. Without ``nnfs.init()``, a batch of thousands of samples is
  divided into micro-batches, and the layers store the results of the last one.
  ``get_parameters`` returns copies. A saved model is not a pickle (see
  ``framework.saving.model_file``).

Source: Kinsley and Kukieła, *Neural Networks from Scratch in Python*, 2020.
"""

from framework.nnfs_book.accuracies import (
    Accuracy,
    Accuracy_Categorical,
    Accuracy_Regression,
)
from framework.nnfs_book.activations import (
    Activation_Linear,
    Activation_ReLU,
    Activation_Sigmoid,
    Activation_Softmax,
)
from framework.nnfs_book.layers import (
    Layer_Dense,
    Layer_Dropout,
    Layer_Input,
)
from framework.nnfs_book.losses import (
    Activation_Softmax_Loss_CategoricalCrossentropy,
    Loss,
    Loss_BinaryCrossentropy,
    Loss_CategoricalCrossentropy,
    Loss_MeanAbsoluteError,
    Loss_MeanSquaredError,
)
from framework.nnfs_book.model import Model
from framework.nnfs_book.optimizers import (
    Optimizer_Adagrad,
    Optimizer_Adam,
    Optimizer_RMSprop,
    Optimizer_SGD,
)
from framework.saving.registry import register

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

register(__name__, globals())
