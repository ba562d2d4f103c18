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
