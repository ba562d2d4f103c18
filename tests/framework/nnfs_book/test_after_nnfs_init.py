"""After ``nnfs.init()`` every bit is that of the book's formulas."""

import re

import pytest

from tests.framework.nnfs_book.support import run

AGAINST_THE_BOOK = """
import nnfs
import numpy as np
from nnfs.datasets import sine_data
from framework.nnfs_book import *

nnfs.init()
X, y = sine_data(40)
inputs, hidden, output = 1, 5, 1
regularizers = (1e-3, 2e-3, 3e-3, 4e-3)
dense1, dense2 = Layer_Dense(inputs, hidden, *regularizers), Layer_Dense(hidden, output)
relu, dropout, linear = Activation_ReLU(), Layer_Dropout(0.3), Activation_Linear()
loss = Loss_MeanSquaredError()
adam = Optimizer_Adam(0.01, 1e-2)

w1, w2 = dense1.weights.copy(), dense2.weights.copy()
b1, b2 = dense1.biases.copy(), dense2.biases.copy()
memory = {}
for step in range(20):
    state = np.random.get_state()
    linear.forward(dense2.forward(dropout.forward(relu.forward(dense1.forward(X)))))
    loss.backward(linear.output, y)
    linear.backward(loss.dinputs)
    dense1.backward(relu.backward(dropout.backward(dense2.backward(linear.dinputs))))
    adam.pre_update_params()
    adam.update_params(dense1)
    adam.update_params(dense2)
    adam.post_update_params()

    # The same, written down as in the book.
    np.random.set_state(state)
    z1 = np.dot(X, w1) + b1
    mask = np.random.binomial(1, 0.7, size=z1.shape) / 0.7
    a1 = np.maximum(0, z1) * mask
    z2 = np.dot(a1, w2) + b2
    dz2 = -2 * (y - z2) / 1
    dz2 = dz2 / len(X)
    dw2, db2 = np.dot(a1.T, dz2), np.sum(dz2, axis=0, keepdims=True)
    dz1 = np.dot(dz2, w2.T) * mask
    dz1[z1 <= 0] = 0
    dw1, db1 = np.dot(X.T, dz1), np.sum(dz1, axis=0, keepdims=True)
    for d, p, l1, l2 in ((dw1, w1, 1e-3, 2e-3), (db1, b1, 3e-3, 4e-3)):
        signs = np.ones_like(p)
        signs[p < 0] = -1
        d += l1 * signs
        d += 2 * l2 * p
    rate = 0.01 * (1.0 / (1.0 + 1e-2 * step))
    for name, p, d in (("w1", w1, dw1), ("b1", b1, db1), ("w2", w2, dw2), ("b2", b2, db2)):
        m, c = memory.get(name, (np.zeros_like(p), np.zeros_like(p)))
        m, c = 0.9 * m + (1 - 0.9) * d, 0.999 * c + (1 - 0.999) * d**2
        memory[name] = m, c
        corrected_m, corrected_c = m / (1 - 0.9 ** (step + 1)), c / (1 - 0.999 ** (step + 1))
        p += -rate * corrected_m / (np.sqrt(corrected_c) + 1e-7)

    assert adam.current_learning_rate == rate
    pairs = [
        (dense1.output, z1), (dropout.output, a1), (linear.output, z2), (loss.dinputs, dz2),
        (relu.dinputs, dz1), (dense1.dweights, dw1), (dense1.dbiases, db1),
        (dense1.weights, w1), (dense1.biases, b1), (dense2.weights, w2), (dense2.biases, b2),
        (dense1.weight_momentums, memory["w1"][0]), (dense2.bias_cache, memory["b2"][1]),
    ]
    for ours, books in pairs:
        assert np.array_equal(ours, books), (step, ours, books)
print("the same bits")
"""


def test_after_nnfs_init_every_bit_is_that_of_the_formulas_in_the_book() -> None:
    assert run("-c", AGAINST_THE_BOOK) == "the same bits\n"


MODEL_AGAINST_BY_HAND = """
import nnfs
import numpy as np
from nnfs.datasets import spiral_data
from framework.nnfs_book import *

nnfs.init()
X, y = spiral_data(2000, 3)

def network():
    np.random.seed(1)
    layers = [Layer_Dense(2, 8, 0, 5e-4, 0, 5e-4), Activation_ReLU(), DROPOUT, Layer_Dense(8, 3)]
    return layers, Optimizer_Adam(learning_rate=0.05, decay=5e-5)

layers, optimizer = network()
model = Model()
for layer in [*layers, Activation_Softmax()]:
    model.add(layer)
model.set(loss=Loss_CategoricalCrossentropy(), optimizer=optimizer)
model.finalize()
model.train(X, y, epochs=5)

others, optimizer = network()
both = Activation_Softmax_Loss_CategoricalCrossentropy()
for epoch in range(5):
    values = X
    for layer in others:
        values = layer.forward(values)
    both.forward(values, y)
    dvalues = both.backward(both.output, y)
    for layer in reversed(others):
        dvalues = layer.backward(dvalues)
    optimizer.pre_update_params()
    for layer in (others[0], others[-1]):
        optimizer.update_params(layer)
    optimizer.post_update_params()

for layer, other in ((layers[0], others[0]), (layers[-1], others[-1])):
    for name in ("weights", "biases", "weight_momentums", "bias_momentums", "bias_cache"):
        ours, books = getattr(layer, name), getattr(other, name)
        assert np.array_equal(ours, books) and ours.dtype == books.dtype, name
print("the same bits")
"""


@pytest.mark.parametrize("between", ["Layer_Dropout(0.1)", "Activation_Linear()"])
def test_after_nnfs_init_a_model_and_a_loop_by_hand_have_the_same_bits(between: str) -> None:
    # 6,000 samples are more than go through a model at once without nnfs.init().
    program = MODEL_AGAINST_BY_HAND.replace("DROPOUT", between)
    assert run("-c", program).endswith("the same bits\n")


def test_a_layer_that_does_not_fit_is_refused_after_nnfs_init_too() -> None:
    printed = run(
        "-c",
        "import nnfs\n"
        "from framework.nnfs_book import *\n"
        "nnfs.init()\n"
        "layer = Layer_Dense(2, 3)\n"
        "for call in (\n"
        "    lambda: layer.backward([[1.0]]),\n"
        "    lambda: layer.forward([[1.0]]),\n"
        "    lambda: (layer.forward([[1.0, 2.0]]), layer.backward([[1.0]])),\n"
        "):\n"
        "    try:\n"
        "        call()\n"
        "    except (RuntimeError, ValueError) as error:\n"
        "        print(type(error).__name__, error)\n",
    )
    assert re.findall(r"^\w+", printed, re.MULTILINE) == [
        "RuntimeError",
        "ValueError",
        "ValueError",
    ]


@pytest.mark.parametrize("arguments", ["", "dot_precision_workaround=False", "default_dtype=None"])
def test_any_nnfs_init_gives_float32_parameters_and_the_draws_of_the_book(arguments: str) -> None:
    run(
        "-c",
        "import nnfs\n"
        "import numpy as np\n"
        "from framework.nnfs_book import *\n"
        f"nnfs.init({arguments})\n"
        "layer = Layer_Dense(3, 4)\n"
        "following = np.random.randn(2)\n"
        "np.random.seed(0)\n"
        "assert np.allclose(layer.weights, 0.01 * np.random.randn(3, 4), rtol=1e-6)\n"
        "assert np.array_equal(following, np.random.randn(2))\n"
        "layer.forward(np.ones((5, 3)))\n"
        "layer.backward(np.ones((5, 4), dtype='float32'))\n"
        "arrays = (layer.weights, layer.biases, layer.output, layer.dinputs, layer.dweights)\n"
        "assert {array.dtype.name for array in arrays} == {'float32'}\n",
    )


def test_gradients_can_be_checked_after_nnfs_init() -> None:
    printed = run(
        "-c",
        "import nnfs\n"
        "import numpy as np\n"
        "from framework import check_gradients\n"
        "from framework.nnfs_book import *\n"
        "nnfs.init()\n"
        "inputs = np.random.normal(size=(4, 3))\n"
        "operations = Activation_ReLU(), Activation_Softmax(), Activation_Sigmoid()\n"
        "for operation in (Layer_Dense(3, 2, 0.1, 0.1, 0.1, 0.1), *operations):\n"
        "    print(check_gradients(operation, inputs).passed)\n",
    )
    assert printed.split() == ["True"] * 4
