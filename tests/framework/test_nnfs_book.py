"""The book's names: its programs, its figures, its lines, and its ways of calling things.

``nnfs.init()`` replaces functions of NumPy, so everything that calls it runs in a process of its
own. The figures are what the book's code prints after ``nnfs.init()`` on NumPy 2.4.
"""

import contextlib
import copy
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nnfs.datasets import sine_data, spiral_data
from numpy.testing import assert_allclose, assert_array_equal

import framework
import optimizers
from framework import nnfs_book as book
from framework.saving import file_format

PROGRAMS = Path(__file__).parent / "nnfs_book_programs"
TOP = Path(__file__).parents[2]
# The columns of the figures below; a line that has fewer ends with the loss.
COLUMNS = ("acc", "loss", "data_loss", "reg_loss")


def run(*command: str) -> str:
    """Return what Python prints when it is given ``command``; its warnings are errors."""
    result = subprocess.run(
        [sys.executable, "-W", "error", *command],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not result.returncode, result.stderr
    return result.stdout


def run_program(name: str, *arguments: object) -> str:
    return run(str(PROGRAMS / f"{name}.py"), *map(str, arguments))


def figures(line: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"(\w+): ([-\d.e]+)", line)}


def line_of(output: str, epoch: int | str) -> str:
    """The line of an epoch, or the last one that begins with a word."""
    start = f"epoch: {epoch}," if isinstance(epoch, int) else epoch
    return next(line for line in reversed(output.splitlines()) if line.startswith(start))


# The figures of the programs, of which those up to epoch 300 are the book's to every digit. Later,
# last bits that two correct programs round differently have grown into digits that are printed, so
# that only figures within 0.03 can be expected.

EARLY: dict[str, dict[int, tuple[float, ...]]] = {
    "adam": {
        0: (0.360, 1.099),
        100: (0.670, 0.705),
        200: (0.797, 0.522),
        300: (0.847, 0.430),
        400: (0.887, 0.344),
    },
    "l2": {
        100: (0.690, 0.845, 0.807, 0.038),
        200: (0.773, 0.690, 0.614, 0.075),
        300: (0.817, 0.617, 0.526, 0.091),
    },
    "dropout": {
        0: (0.324, 1.099),
        100: (0.564, 0.917, 0.894, 0.023),
        200: (0.595, 0.870),
        300: (0.623, 0.844),
    },
    "binary": {
        0: (0.500, 0.693),
        100: (0.630, 0.674, 0.673, 0.001),
        200: (0.625, 0.669),
        300: (0.645, 0.665),
    },
    "regression": {
        0: (0.003, 0.496),
        100: (0.017, 0.048),
        200: (0.242, 0.001),
        300: (0.786, 0.000),
    },
    "model_spiral": {100: (0.720, 0.719, 0.658, 0.061)},
}
LATE: dict[str, dict[int | str, tuple[float, ...]]] = {
    "adam": {10_000: (0.967, 0.074)},
    "l2": {10_000: (0.950, 0.226, 0.165, 0.062), "validation": (0.840, 0.525)},
    "dropout": {1_000: (0.657, 0.811)},
    "binary": {10_000: (0.945, 0.260, 0.204, 0.056), "validation": (0.920, 0.237)},
    "regression": {10_000: (0.981, 0.000)},
    "model_spiral": {
        200: (0.788, 0.609, 0.530, 0.079),
        300: (0.796, 0.594, 0.513, 0.080),
        "validation": (0.810, 0.456),
    },
}


def assert_figures(output: str, expected: dict[Any, tuple[float, ...]]) -> None:
    for epoch, row in expected.items():
        printed = figures(line_of(output, epoch))
        early = isinstance(epoch, int) and epoch <= 300
        for name, value in zip(COLUMNS, row, strict=False):
            assert printed[name] == pytest.approx(value, abs=0.00101 if early else 0.03), epoch


@pytest.mark.parametrize("program", EARLY)
def test_a_program_prints_the_figures_of_the_book(program: str) -> None:
    assert_figures(run_program(program, max(EARLY[program])), EARLY[program])


@pytest.mark.long
@pytest.mark.parametrize("program", LATE)
def test_a_program_ends_with_the_figures_of_the_book(program: str) -> None:
    epochs = max(epoch for epoch in LATE[program] if isinstance(epoch, int))
    assert_figures(run_program(program, epochs), LATE[program])


def test_one_pass_prints_every_digit_of_the_book() -> None:
    printed = run_program("one_pass")
    assert "loss: 1.0986104\nacc: 0.34\n" in printed
    rows = re.findall(r"\[+([^\[\]]+)\]+", printed)
    numbers = [np.array(row.split(), dtype=float) for row in rows]
    assert_array_equal(
        numbers[:3],
        [
            [0.33333334, 0.33333334, 0.33333334],
            [0.3333332, 0.3333332, 0.33333364],
            [0.3333329, 0.33333293, 0.3333342],
        ],
    )
    dweights1, dbiases1, dbiases2 = numbers[5], numbers[7], numbers[-1]
    assert_allclose(dweights1, [1.5766357e-04, 7.8368583e-05, 4.7324400e-05], rtol=1e-6)
    assert_allclose(dbiases1, [-3.60553473e-04, 9.66117223e-05, -1.03671395e-04], rtol=1e-6)
    assert_allclose(dbiases2, [-1.0729185e-05, -9.4610732e-06, 2.0027859e-05], rtol=1e-6)


@pytest.mark.data("fashion-mnist")
@pytest.mark.parametrize(
    ("epochs", "accuracy", "loss"),
    [(1, 0.824, 0.489), pytest.param(10, 0.873, 0.358, marks=pytest.mark.long)],
)
def test_fashion_mnist_is_learned_as_in_the_book(
    epochs: int, accuracy: float, loss: float, tmp_path: Path
) -> None:
    printed = run_program("model_fashion", epochs, tmp_path / "fashion.model")
    lines = printed.splitlines()
    assert [line for line in lines if line.startswith("epoch")] == [
        f"epoch: {epoch + 1}" for epoch in range(epochs)
    ]
    assert [line.split(",")[0] for line in lines if line.startswith("step")] == [
        f"step: {step}" for step in (0, 100, 200, 300, 400, 468)
    ] * epochs
    validation, *after_loading = [line for line in lines if line.startswith("validation")][-2:]
    assert figures(validation)["acc"] == pytest.approx(accuracy, abs=0.03)
    assert figures(validation)["loss"] == pytest.approx(loss, abs=0.03)
    assert after_loading == [validation]
    assert re.fullmatch(r"\[\d( \d){4}\]", lines[-1])


def test_without_nnfs_the_same_program_learns_as_well() -> None:
    program = (PROGRAMS / "adam.py").read_text()
    seeded = program.replace("nnfs.init()", "np.random.seed(0)")
    assert seeded != program
    printed = run("-c", seeded, "400")
    assert figures(line_of(printed, 0))["loss"] == 1.099
    assert figures(line_of(printed, 400))["acc"] > 0.8


# After nnfs.init()

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


# Layers


def test_draws_are_rounded_before_they_are_scaled_as_after_nnfs_init() -> None:
    np.random.seed(3)
    draws = np.random.randn(40, 50).astype(np.float32)
    np.random.seed(3)
    assert_array_equal(book.Layer_Dense(40, 50).weights, 0.01 * draws)


def test_weights_are_draws_of_the_global_generator_on_a_scale_that_can_be_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    np.random.seed(3)
    draws = np.random.randn(4, 5)
    np.random.seed(3)
    layer = book.Layer_Dense(4, 5)
    assert_allclose(layer.weights, 0.01 * draws, rtol=1e-6)
    assert layer.weights.dtype == np.float32
    assert not layer.biases.any()
    monkeypatch.setattr(book.Layer_Dense, "weight_scale", 0.1)
    np.random.seed(3)
    assert_allclose(book.Layer_Dense(4, 5).weights, 0.1 * draws, rtol=1e-6)


def test_regularizers_are_the_third_to_sixth_argument() -> None:
    layer = book.Layer_Dense(2, 3, 1, 2, 3, 4)
    assert layer.weight_regularizer_l1 == 1
    assert layer.weight_regularizer_l2 == 2
    assert layer.bias_regularizer_l1 == 3
    assert layer.bias_regularizer_l2 == 4


@pytest.mark.parametrize("shape", [(1,), (7, 3), (200, 33), (2, 3, 4)])
@pytest.mark.parametrize("rate", [0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.999])
def test_masks_are_those_of_the_global_binomial_and_leave_the_generator_as_it_does(
    rate: float, shape: tuple[int, ...]
) -> None:
    np.random.seed(5)
    dropout = book.Layer_Dropout(rate)
    dropout.forward(np.ones(shape, dtype=np.float32))
    following = np.random.random()
    np.random.seed(5)
    draws = np.random.binomial(1, 1 - rate, size=shape)
    assert dropout.binary_mask is not None
    assert_array_equal(dropout.binary_mask > 0, draws == 1)
    assert_allclose(dropout.binary_mask, draws / (1 - rate), rtol=1e-6)
    assert_allclose(dropout.output, dropout.binary_mask)
    assert following == np.random.random()


def test_dropout_passes_everything_when_it_does_not_train() -> None:
    inputs = np.ones((3, 4))
    dropout = book.Layer_Dropout(0.5)
    assert_array_equal(dropout.forward(inputs, training=False), inputs)
    assert_array_equal(dropout.forward(inputs, False), inputs)


@pytest.mark.parametrize(
    ("operation_class", "arguments"),
    [
        (book.Layer_Dense, (2, 2)),
        (book.Layer_Dropout, (0.5,)),
        (book.Layer_Input, ()),
        (book.Activation_ReLU, ()),
        (book.Activation_Softmax, ()),
        (book.Activation_Sigmoid, ()),
        (book.Activation_Linear, ()),
    ],
)
def test_an_operation_keeps_what_it_was_given(operation_class: Any, arguments: Any) -> None:
    operation = operation_class(*arguments)
    inputs = np.array([[1.0, -2.0], [3.0, 4.0]], dtype=np.float32)
    for forward in (operation.forward, lambda values: operation.forward(values, True)):
        forward(inputs)
        assert_array_equal(operation.inputs, inputs)
        operation.backward(operation.output)
        assert operation.dinputs.shape == inputs.shape


def test_activations_say_what_their_outputs_mean() -> None:
    outputs = np.array([[0.2, 0.7]])
    assert_array_equal(book.Activation_Softmax().predictions(outputs), [1])
    assert_array_equal(book.Activation_Sigmoid().predictions(outputs), [[0, 1]])
    assert_array_equal(book.Activation_ReLU().predictions(outputs), outputs)
    assert_array_equal(book.Activation_Linear().predictions(outputs), outputs)


# Losses and accuracies

PROBABILITIES = np.array([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]])
CLASSES = np.array([0, 1, 1])


def test_the_loss_of_three_samples_is_that_of_chapter_5() -> None:
    loss = book.Loss_CategoricalCrossentropy()
    assert loss.calculate(PROBABILITIES, CLASSES) == pytest.approx(0.38506088005216804)
    assert loss.calculate(PROBABILITIES, np.eye(3)[CLASSES]) == pytest.approx(0.38506088005216804)


def test_softmax_and_loss_have_the_same_gradient_apart_and_together() -> None:
    together = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    together.backward(PROBABILITIES, CLASSES)
    activation, loss = book.Activation_Softmax(), book.Loss_CategoricalCrossentropy()
    activation.output = PROBABILITIES
    loss.backward(PROBABILITIES, CLASSES)
    activation.backward(loss.dinputs)
    # Chapter 9 prints these figures.
    assert_allclose(
        together.dinputs,
        [
            [-0.1, 0.03333333, 0.06666667],
            [0.03333333, -0.16666667, 0.13333333],
            [0.00666667, -0.03333333, 0.02666667],
        ],
        atol=1e-8,
    )
    assert_allclose(activation.dinputs, together.dinputs, atol=1e-15)


@pytest.mark.parametrize("one_hot", [False, True])
def test_softmax_with_loss_stores_what_its_two_parts_do(one_hot: bool) -> None:
    logits = np.random.normal(size=(6, 4)).astype(np.float32)
    classes = np.array([0, 3, 2, 1, 1, 0])
    targets = np.eye(4)[classes] if one_hot else classes
    both = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    value = both.forward(logits, targets)
    assert_array_equal(both.output, book.Activation_Softmax().forward(logits))
    assert_array_equal(both.activation.output, both.output)
    assert value == book.Loss_CategoricalCrossentropy().calculate(both.output, targets)
    both.backward(both.output, targets)
    assert_allclose(both.dinputs, (both.output - np.eye(4)[classes]) / 6, atol=1e-7)


def test_a_loss_of_float32_is_printed_with_the_digits_of_float32() -> None:
    loss = book.Loss_CategoricalCrossentropy().calculate(PROBABILITIES.astype("f"), CLASSES)
    assert str(loss) == "0.38506088"


def test_a_loss_clips_certainty_as_the_book_does() -> None:
    certain = np.array([[0.0, 1.0]])
    both = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    expected = -np.log(1e-7)
    assert book.Loss_CategoricalCrossentropy().calculate(certain, [0]) == pytest.approx(expected)
    assert both.forward(1e4 * certain, [0]) == pytest.approx(expected)


def test_penalties_are_those_of_a_layer_or_of_the_remembered_layers() -> None:
    first, second = book.Layer_Dense(1, 2, 0.1, 0.2, 0.3, 0.4), book.Layer_Dense(2, 1, 0, 0.5)
    first.weights, first.biases, second.weights = [[1, -2]], [[3, -4]], [[2], [0]]
    loss = book.Loss_MeanSquaredError()
    penalties = [0.1 * 3 + 0.2 * 5 + 0.3 * 7 + 0.4 * 25, 0.5 * 4]
    assert loss.regularization_loss() == 0
    assert loss.regularization_loss(first) == pytest.approx(penalties[0])
    assert loss.regularization_loss(second) == pytest.approx(penalties[1])
    loss.remember_trainable_layers([first, second])
    assert loss.regularization_loss() == pytest.approx(sum(penalties))
    data_loss, penalty = loss.calculate(np.ones((2, 1)), [0, 0], include_regularization=True)
    assert data_loss == 1
    assert penalty == pytest.approx(sum(penalties))


def test_losses_and_accuracies_are_accumulated_sample_by_sample() -> None:
    loss, accuracy = book.Loss_CategoricalCrossentropy(), book.Accuracy_Categorical()
    for measure in (loss, accuracy):
        measure.new_pass()
        with pytest.raises(RuntimeError, match="new_pass"):
            measure.calculate_accumulated()
    for _ in range(2):
        for rows in (slice(0, 2), slice(2, 3)):
            loss.calculate(PROBABILITIES[rows], CLASSES[rows])
            accuracy.calculate(np.argmax(PROBABILITIES[rows], axis=1), [0, 0, 0][rows])
        assert loss.calculate_accumulated() == pytest.approx(0.38506088005216804)
        assert accuracy.calculate_accumulated() == pytest.approx(1 / 3)
        for measure in (loss, accuracy):
            measure.new_pass()
    loss.remember_trainable_layers([])
    loss.calculate(PROBABILITIES, CLASSES)
    pair = loss.calculate_accumulated(include_regularization=True)
    assert pair == (pytest.approx(0.38506088005216804), 0)


def test_accuracies_compare_classes_columns_and_values() -> None:
    categorical = book.Accuracy_Categorical()
    categorical.init(CLASSES)
    assert_array_equal(categorical.compare([0, 1, 2], CLASSES), [True, True, False])
    assert_array_equal(categorical.compare([0, 1, 2], np.eye(3)[CLASSES]), [True, True, False])
    binary = book.Accuracy_Categorical(binary=True)
    assert binary.calculate(np.array([[0], [1]]), np.array([[0], [0]])) == 0.5

    regression = book.Accuracy_Regression()
    values = np.array([[0.0], [500.0]])
    assert regression.precision is None
    regression.init(values)
    assert regression.precision == 1
    assert_array_equal(regression.compare([[0.9], [501.1]], values), [[True], [False]])
    regression.init(2 * values)
    assert regression.precision == 1
    regression.init(2 * values, reinit=True)
    assert regression.precision == 2


# Optimizers


@pytest.mark.parametrize(
    ("name", "arguments", "defaults", "memory"),
    [
        ("SGD", {}, {"learning_rate": 1.0, "decay": 0.0, "momentum": 0.0}, set()),
        ("SGD", {"momentum": 0.9}, {}, {"momentums"}),
        ("Adagrad", {}, {"learning_rate": 1.0, "decay": 0.0, "epsilon": 1e-7}, {"cache"}),
        ("RMSprop", {}, {"learning_rate": 0.001, "decay": 0.0, "rho": 0.9}, {"cache"}),
        (
            "Adam",
            {},
            {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999},
            {"momentums", "cache"},
        ),
    ],
)
def test_optimizers_have_the_defaults_of_the_book_and_show_what_they_remember(
    name: str, arguments: Any, defaults: Any, memory: set[str]
) -> None:
    optimizer = getattr(book, f"Optimizer_{name}")(**arguments)
    assert {key: getattr(optimizer, key) for key in defaults} == defaults
    assert optimizer.current_learning_rate == optimizer.learning_rate
    layer = book.Layer_Dense(2, 3)
    layer.forward([[1.0, 2.0]])
    layer.backward([[1.0, 2.0, 3.0]])
    optimizer.pre_update_params()
    optimizer.update_params(layer)
    optimizer.post_update_params()
    assert optimizer.iterations == 1
    for owner, parameter in (("weight", layer.weights), ("bias", layer.biases)):
        for kind in ("momentums", "cache"):
            shown = getattr(layer, f"{owner}_{kind}", None)
            assert (shown is not None) == (kind in memory)
            if shown is not None:
                assert shown.shape == parameter.shape
                assert shown.all()


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam"])
def test_a_layer_of_the_book_is_updated_like_any_other(name: str) -> None:
    layer = book.Layer_Dense(4, 3, 0.1, 0.1, 0.1, 0.1)
    other = framework.Dense(
        4,
        3,
        weight_regularizer_l1=0.1,
        weight_regularizer_l2=0.1,
        bias_regularizer_l1=0.1,
        bias_regularizer_l2=0.1,
    )
    other.weights = layer.weights
    arguments = {"decay": 1e-2, **({"momentum": 0.5} if name == "SGD" else {})}
    pairs = (
        (getattr(book, f"Optimizer_{name}")(**arguments), layer),
        (getattr(optimizers, name)(**arguments), other),
    )
    for _ in range(3):
        inputs, dvalues = np.random.normal(size=(5, 4)), np.random.normal(size=(5, 3))
        for optimizer, trained in pairs:
            trained.forward(inputs)
            trained.backward(dvalues)
            optimizer.pre_update_params()
            optimizer.update_params(trained)
            optimizer.post_update_params()
    assert_array_equal(layer.weights, other.weights)
    assert_array_equal(layer.biases, other.biases)


def sgd(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["m"] = 0.9 * memory.get("m", 0 * p) - rate * d
    p += memory["m"]


def adagrad(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["c"] = memory.get("c", 0 * p) + d**2
    p += -rate * d / (np.sqrt(memory["c"]) + 1e-7)


def rmsprop(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["c"] = 0.9 * memory.get("c", 0 * p) + (1 - 0.9) * d**2
    p += -rate * d / (np.sqrt(memory["c"]) + 1e-7)


def adam(p: Any, d: Any, rate: float, t: int, memory: Any) -> None:
    memory["m"] = 0.9 * memory.get("m", 0 * p) + (1 - 0.9) * d
    memory["c"] = 0.999 * memory.get("c", 0 * p) + (1 - 0.999) * d**2
    momentum, cache = memory["m"] / (1 - 0.9**t), memory["c"] / (1 - 0.999**t)
    p += -rate * momentum / (np.sqrt(cache) + 1e-7)


@pytest.mark.parametrize(
    ("optimizer", "formula"),
    [
        (book.Optimizer_SGD(0.1, momentum=0.9), sgd),
        (book.Optimizer_Adagrad(0.1), adagrad),
        (book.Optimizer_RMSprop(0.1), rmsprop),
        (book.Optimizer_Adam(0.1), adam),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_optimizers_round_where_the_formulas_of_the_book_do(optimizer: Any, formula: Any) -> None:
    layer = book.Layer_Dense(5, 4)
    layer.weights = np.random.normal(size=(5, 4))
    expected, memory = layer.weights.copy(), {}
    for step in range(20):
        layer.dweights = np.random.normal(size=(5, 4))
        optimizer.update_params(layer)
        optimizer.post_update_params()
        formula(expected, layer.dweights, 0.1, step + 1, memory)
        assert_array_equal(layer.weights, expected)


def test_the_rate_is_printed_with_every_digit_of_the_book() -> None:
    optimizer = book.Optimizer_Adam(learning_rate=0.05, decay=5e-7)
    optimizer.iterations = 99
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == 0.04999752512250644


def test_gradients_of_a_layer_are_clipped_to_their_norm() -> None:
    layer = book.Layer_Dense(4, 3)
    layer.weights = np.zeros((4, 3))
    layer.forward(np.ones((5, 4)))
    layer.backward(np.ones((5, 3)))
    book.Optimizer_SGD(learning_rate=1.0, max_gradient_norm=0.5).update_params(layer)
    assert np.linalg.norm([*layer.weights.ravel(), *layer.biases.ravel()]) == pytest.approx(0.5)


def test_a_layer_shows_what_the_optimizer_remembers_that_updated_it_last() -> None:
    layer = book.Layer_Dense(2, 3)
    layer.forward(np.ones((5, 2)))
    layer.backward(np.ones((5, 3)))
    for rate in (1.0, 0.5):
        optimizer = book.Optimizer_SGD(learning_rate=rate, momentum=0.9)
        optimizer.update_params(layer)
        assert_array_equal(layer.weight_momentums, -rate * layer.dweights)
        assert_array_equal(layer.bias_momentums, -rate * layer.dbiases)


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_without_decay_the_current_rate_stays_what_a_reader_has_set(decay: float) -> None:
    optimizer = book.Optimizer_SGD(learning_rate=0.5, decay=decay)
    optimizer.current_learning_rate = 0.125
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == (0.5 if decay else 0.125)


def test_a_schedule_decides_the_rate_of_every_step() -> None:
    optimizer = book.Optimizer_SGD(learning_rate=lambda iterations: 1 / (1 + iterations))
    optimizer.iterations = 3
    optimizer.pre_update_params()
    assert optimizer.current_learning_rate == 0.25


def test_arrays_of_a_layer_can_be_changed_in_place_assigned_and_copied() -> None:
    layer = book.Layer_Dense(2, 3)
    best = layer.weights.copy()
    layer.weights += 0.05 * np.random.randn(2, 3)
    layer.biases += 0.05 * np.random.randn(1, 3)
    assert (layer.forward([[0, 0]]) == layer.biases).all()
    layer.weights = best.copy()
    assert_array_equal(layer.weights, best)
    layer.set_parameters(*(1 + array for array in layer.get_parameters()))
    assert_array_equal(layer.weights, 1 + best)

    optimizer = book.Optimizer_SGD()
    layer.backward([[1, 1, 1]])
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        before = layer.weights.copy(), layer.biases.copy()
        optimizer.update_params(other)
        assert_array_equal(other.biases, layer.biases - 1)
        assert_array_equal((layer.weights, layer.biases)[0], before[0])
        assert_array_equal(layer.biases, before[1])


def test_layers_are_trained_by_hand_before_and_after_they_are_in_a_model() -> None:
    layer = book.Layer_Dense(1, 1)
    layer.weights = [[0.0]]
    optimizer = book.Optimizer_SGD(learning_rate=0.5)

    def step() -> None:
        layer.forward([[1.0]])
        layer.backward([[1.0]])
        optimizer.update_params(layer)

    step()
    model = book.Model()
    model.add(layer)
    model.finalize()
    step()
    assert layer.weights.item() == layer.biases.item() == -1
    assert_array_equal(model.parameters.weights, [-1, -1])
    assert model.predict([[2.0]]).item() == -3


# The model


def spiral(points: int = 40, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    X, y = spiral_data(points, classes)
    order = np.random.permutation(len(X))
    return X[order], y[order]


def classifier(neurons: int = 16) -> book.Model:
    model = book.Model()
    model.add(book.Layer_Dense(2, neurons, weight_regularizer_l2=5e-4, bias_regularizer_l2=5e-4))
    model.add(book.Activation_ReLU())
    model.add(book.Layer_Dropout(0.1))
    model.add(book.Layer_Dense(neurons, 3))
    model.add(book.Activation_Softmax())
    model.set(
        loss=book.Loss_CategoricalCrossentropy(),
        optimizer=book.Optimizer_Adam(learning_rate=0.05, decay=5e-5),
        accuracy=book.Accuracy_Categorical(),
    )
    model.finalize()
    return model


NUMBER = r"\d\.\d{3}"
MEASURES = rf"acc: {NUMBER}, loss: {NUMBER} \(data_loss: {NUMBER}, reg_loss: {NUMBER}\), lr: 0\.\d+"
VALIDATION = rf"validation, acc: {NUMBER}, loss: {NUMBER}"


def assert_lines(printed: str, patterns: list[str]) -> None:
    lines = printed.splitlines()
    assert len(lines) == len(patterns), printed
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), line


def test_without_a_batch_size_there_is_a_line_for_epochs_and_one_for_validation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    classifier().train(X, y, validation_data=(X, y), epochs=5, print_every=2)
    lines = [f"epoch: 2, {MEASURES}", f"epoch: 4, {MEASURES}", VALIDATION]
    assert_lines(capsys.readouterr().out, lines)


def test_with_a_batch_size_there_are_lines_for_steps_epochs_and_validation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    classifier().train(X, y, validation_data=(X, y), epochs=2, batch_size=25, print_every=2)
    steps = [f"step: {step}, {MEASURES}" for step in (0, 2, 4)]
    lines = [*steps, f"training, {MEASURES}", VALIDATION]
    assert_lines(capsys.readouterr().out, ["epoch: 1", *lines, "epoch: 2", *lines])


def test_the_last_step_is_printed_though_it_is_not_due(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = spiral()
    classifier().train(X, y, batch_size=50, print_every=100)
    lines = ["epoch: 1", f"step: 0, {MEASURES}", f"step: 2, {MEASURES}", f"training, {MEASURES}"]
    assert_lines(capsys.readouterr().out, lines)


def test_the_figures_of_an_epoch_are_means_over_its_samples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    model = classifier()
    model.optimizer.learning_rate = 1e-12
    model.layers[2].rate = 0.0
    model.train(X, y, batch_size=50)
    printed = capsys.readouterr().out
    model.evaluate(X, y)
    model.evaluate(X, y, batch_size=7)
    whole = capsys.readouterr().out.splitlines()
    assert whole[0] == whole[1]
    epoch = figures(line_of(printed, "training"))
    assert epoch["acc"] == figures(whole[0])["acc"]
    assert epoch["data_loss"] == figures(whole[0])["loss"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: X, TypeError, r"pair \(X_val, y_val\), received ndarray"),
        (lambda X, y: (X, y, y), ValueError, r"pair \(X_val, y_val\), received 3 objects"),
        (lambda X, y: (X[:, :1], y), ValueError, r"expects inputs of shape \(samples, 2\)"),
        (lambda X, y: (X, y[:-1]), ValueError, "X and y must have the same length"),
        (lambda X, y: (X, y + 1), ValueError, "class numbers from 0 to 2"),
    ],
)
@pytest.mark.parametrize("batch_size", [None, 50])
def test_validation_data_that_do_not_fit_are_refused_before_anything_is_trained(
    change: Any, error: type[Exception], message: str, batch_size: int | None
) -> None:
    X, y = spiral()
    model = classifier()
    before = model.parameters.weights.copy()
    with pytest.raises(error, match=message):
        model.train(X, y, batch_size=batch_size, validation_data=change(X, y))
    assert_array_equal(model.parameters.weights, before)
    assert model.optimizer.iterations == 0


def test_the_penalties_of_an_epoch_are_those_that_it_ends_with(
    capsys: pytest.CaptureFixture[str],
) -> None:
    X, y = spiral()
    model = classifier()
    model.layers[0].weights = np.ones((2, 16))
    model.optimizer.learning_rate = 0.1
    model.train(X, y, batch_size=20)
    printed = figures(line_of(capsys.readouterr().out, "training"))["reg_loss"]
    assert printed == pytest.approx(model.regularization_loss(), abs=0.00051)
    assert printed != pytest.approx(model.history.regularization_loss[-1], abs=0.00051)


def test_training_goes_through_the_data_in_order() -> None:
    X = np.arange(7.0).reshape(-1, 1)
    seen = []

    class Watched(book.Layer_Dense):
        def forward(self, inputs: Any, training: bool = True) -> Any:
            if training:
                seen.append(inputs[:, 0].tolist())
            return super().forward(inputs, training)

    model = book.Model()
    model.add(Watched(1, 1))
    model.add(book.Activation_Linear())
    model.set(
        loss=book.Loss_MeanSquaredError(),
        optimizer=book.Optimizer_SGD(learning_rate=1e-3),
        accuracy=book.Accuracy_Regression(),
    )
    model.finalize()
    model.train(X, X, epochs=2, batch_size=3)
    assert seen == [[0, 1, 2], [3, 4, 5], [6]] * 2


def test_a_model_computes_what_the_loop_by_hand_does() -> None:
    X, y = spiral()
    model = classifier()
    dense1, dense2 = book.Layer_Dense(2, 16, 0, 5e-4, 0, 5e-4), book.Layer_Dense(16, 3)
    for layer, parameters in zip((dense1, dense2), model.get_parameters(), strict=True):
        layer.set_parameters(*parameters)
    relu, dropout = book.Activation_ReLU(), book.Layer_Dropout(0.1)
    both = book.Activation_Softmax_Loss_CategoricalCrossentropy()
    adam = book.Optimizer_Adam(learning_rate=0.05, decay=5e-5)

    np.random.seed(1)
    for _ in range(5):
        dense2.forward(dropout.forward(relu.forward(dense1.forward(X))))
        both.forward(dense2.output, y)
        both.backward(both.output, y)
        dense1.backward(relu.backward(dropout.backward(dense2.backward(both.dinputs))))
        adam.pre_update_params()
        adam.update_params(dense1)
        adam.update_params(dense2)
        adam.post_update_params()
    np.random.seed(1)
    model.train(X, y, epochs=5)

    for layer, other in zip(model.trainable_layers, (dense1, dense2), strict=True):
        for name in ("weights", "biases", "weight_momentums", "bias_cache"):
            assert_allclose(getattr(layer, name), getattr(other, name), rtol=1e-4, atol=1e-7)


def assert_linked(model: book.Model) -> None:
    assert type(model.input_layer) is book.Layer_Input
    row = [model.input_layer, *model.layers, model.loss]
    for before, layer, after in zip(row, model.layers, row[2:], strict=False):
        assert layer.prev is before
        assert layer.next is after


def through_a_file(model: book.Model, path: Path) -> book.Model:
    model.save(path)
    return book.Model.load(path)


@pytest.mark.parametrize(
    "duplicate",
    [
        lambda model, path: model,
        lambda model, path: copy.deepcopy(model),
        lambda model, path: pickle.loads(pickle.dumps(model)),
        through_a_file,
    ],
    ids=["itself", "deepcopy", "pickle", "file"],
)
def test_layers_know_their_neighbours(duplicate: Any, tmp_path: Path) -> None:
    X, y = spiral()
    model = duplicate(classifier(), tmp_path / "book.model")
    assert_linked(model)
    model.train(X, y)
    assert_array_equal(model.input_layer.output, X.astype(np.float32))
    model.set(loss=book.Loss_CategoricalCrossentropy())
    assert_linked(model)


def test_a_copy_of_a_layer_leaves_the_network_around_it() -> None:
    model = classifier()
    for layer in model.layers:
        assert not {"prev", "next"} & vars(copy.deepcopy(layer)).keys()
        assert len(pickle.dumps(layer)) < 2000


def test_softmax_and_its_loss_are_one_object_where_they_are_fused() -> None:
    assert book.Model().softmax_classifier_output is None
    assert regression().softmax_classifier_output is None
    assert binary().softmax_classifier_output is None
    X, y = spiral()
    model = classifier()
    model.train(X, y)
    both = model.softmax_classifier_output
    assert isinstance(both, book.Activation_Softmax_Loss_CategoricalCrossentropy)
    assert both.dinputs is model.output_layer_activation.dinputs


def test_backward_takes_the_output_and_the_targets_or_the_targets_alone() -> None:
    X, y = spiral()
    model = classifier()
    model.calculate_loss(X, y)
    gradients = []
    for call in (
        lambda: model.backward(y),
        lambda: model.backward(y=y),
        lambda: model.backward(model.output, y),
        lambda: model.backward(output=model.output, y=y),
    ):
        model.layers[0].dweights[...] = 0
        call()
        gradients.append(model.layers[0].dweights.copy())
        assert_array_equal(gradients[-1], gradients[0])
    assert gradients[0].any()
    with pytest.raises(TypeError, match="needs the targets"):
        model.backward()


def test_softmax_and_its_loss_are_computed_together() -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y)
    # Not gone through, as the gradient by the logits comes from both at once.
    assert model.gradients()[-1] is None
    assert_allclose(model.layers[-1].dinputs.sum(), 0, atol=1e-6)


def binary() -> book.Model:
    model = book.Model()
    model.add(book.Layer_Dense(2, 8))
    model.add(book.Activation_ReLU())
    model.add(book.Layer_Dense(8, 1))
    model.add(book.Activation_Sigmoid())
    model.set(
        loss=book.Loss_BinaryCrossentropy(),
        optimizer=book.Optimizer_Adam(decay=5e-7),
        accuracy=book.Accuracy_Categorical(binary=True),
    )
    model.finalize()
    return model


def regression() -> book.Model:
    model = book.Model()
    model.add(book.Layer_Dense(1, 8))
    model.add(book.Activation_ReLU())
    model.add(book.Layer_Dense(8, 1))
    model.add(book.Activation_Linear())
    model.set(
        loss=book.Loss_MeanSquaredError(),
        optimizer=book.Optimizer_Adam(learning_rate=0.005, decay=1e-3),
        accuracy=book.Accuracy_Regression(),
    )
    model.finalize()
    return model


class Loss_Huber(book.Loss):
    """As a reader would write it: nothing but the two methods of the book."""

    def forward(self, y_pred: Any, y_true: Any) -> Any:
        errors = np.abs(y_true - y_pred)
        return np.mean(np.where(errors < 1, errors**2 / 2, errors - 0.5), axis=-1)

    def backward(self, dvalues: Any, y_true: Any) -> None:
        self.dinputs = np.clip(dvalues - y_true, -1, 1) / dvalues.size


def test_a_loss_of_the_readers_own_trains_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = sine_data(50)
    predictions = []
    for loss in (Loss_Huber(), framework.Huber()):
        np.random.seed(4)
        model = regression()
        model.set(loss=loss)
        model.train(X, y, epochs=5, batch_size=20)
        predictions.append(model.predict(X))
    assert_allclose(*predictions, rtol=1e-5, atol=1e-8)


def data_for(model: book.Model) -> tuple[Any, Any]:
    if isinstance(model.loss, book.Loss_MeanSquaredError):
        return sine_data(50)
    if isinstance(model.loss, book.Loss_BinaryCrossentropy):
        X, y = spiral(classes=2)
        return X, y.reshape(-1, 1)
    return spiral()


@pytest.mark.parametrize("make", [classifier, binary, regression])
def test_the_steps_of_the_books_own_train_do_what_ours_does(make: Any) -> None:
    results = []
    for own in (True, False):
        np.random.seed(3)
        model = make()
        X, y = data_for(model)
        if own:
            model.train(X, y, epochs=3)
        else:
            for _ in range(3):
                output = model.forward(X, training=True)
                model.loss.calculate(output, y, include_regularization=True)
                model.backward(output, y)
                model.optimizer.pre_update_params()
                for layer in model.trainable_layers:
                    model.optimizer.update_params(layer)
                model.optimizer.post_update_params()
        results.append(model.predict(X))
    assert_allclose(*results, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("make", [classifier, binary, regression])
def test_a_saved_model_comes_back_as_it_was(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make()
    X, y = data_for(model)
    model.train(X, y, epochs=3)
    model.save(tmp_path / "book.model")
    with randomness_unchanged():
        loaded = book.Model.load(tmp_path / "book.model")
    capsys.readouterr()
    for network in (model, loaded):
        assert type(network) is book.Model
        network.evaluate(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == lines[1]
    assert list(map(type, loaded.layers)) == list(map(type, model.layers))
    assert_array_equal(loaded.predict(X), model.predict(X))
    for layer, other in zip(loaded.trainable_layers, model.trainable_layers, strict=True):
        assert layer.configuration() == other.configuration()
    loaded.train(X, y)


TRAINING_ON = """
import sys
import numpy as np
from nnfs.datasets import spiral_data
from framework.nnfs_book import *
INITIALIZE
np.random.seed(0)
X, y = spiral_data(30, 3)
for optimizer in (
    Optimizer_SGD(0.5, decay=1e-2, momentum=0.9),
    Optimizer_SGD(0.5),
    Optimizer_Adagrad(0.1),
    Optimizer_RMSprop(0.01, decay=1e-3),
    Optimizer_Adam(0.05, decay=1e-3),
):
    model = Model()
    for layer in (Layer_Dense(2, 8, 0, 1e-3), Activation_ReLU(), Layer_Dense(8, 3)):
        model.add(layer)
    model.add(Activation_Softmax())
    accuracy = Accuracy_Categorical()
    model.set(loss=Loss_CategoricalCrossentropy(), optimizer=optimizer, accuracy=accuracy)
    model.finalize()
    model.train(X, y, epochs=7, print_every=100)
    if not optimizer.decay:
        optimizer.current_learning_rate *= 0.5
    model.save(sys.argv[1])
    loaded = Model.load(sys.argv[1])
    assert loaded.optimizer.current_learning_rate == optimizer.current_learning_rate
    for network in (loaded, model):  # and so, in between, the one is not part of the other
        network.train(X, y, epochs=3)
        for layer in network.trainable_layers:
            names = sorted(name for name in vars(layer) if name.endswith(("momentums", "cache")))
            print([(name, vars(layer)[name].tolist()) for name in names])
        print(network.predict(X).tolist())
"""


@pytest.mark.parametrize("initialize", ["", "import nnfs; nnfs.init()"], ids=["", "nnfs.init"])
def test_a_loaded_model_trains_on_as_if_it_had_never_been_saved(
    initialize: str, tmp_path: Path
) -> None:
    program = TRAINING_ON.replace("INITIALIZE", initialize)
    lines = run("-c", program, str(tmp_path / "book.model")).splitlines()
    assert len(lines) == 5 * 2 * 6
    for start in range(0, len(lines), 12):
        loaded, never_saved = lines[start : start + 6], lines[start + 6 : start + 12]
        assert loaded == never_saved
        assert "lr: " in loaded[2]


def test_a_saved_model_shows_what_its_optimizer_remembers(tmp_path: Path) -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y, epochs=2)
    model.save(tmp_path / "book.model")
    loaded = book.Model.load(tmp_path / "book.model")
    for layer, other in zip(loaded.trainable_layers, model.trainable_layers, strict=True):
        for name in ("weight_momentums", "weight_cache", "bias_momentums", "bias_cache"):
            assert_array_equal(getattr(layer, name), getattr(other, name))
    # Loaded as a model of the framework, it goes on as well.
    assert framework.Model.load(tmp_path / "book.model").optimizer.iterations == 2


def arrays_of_memory(**arrays: Any) -> Any:
    def change(description: Any, tensors: Any) -> None:
        states = description["remembered"]["dict"]["memory"]["dict"]
        for key, array in arrays.items():
            name = key.replace("_", " ")
            states[name] = {"dict": {"cache": {"array": f"remembered.{name}"}}}
            tensors[f"remembered.{name}"] = array

    return change


def counted(value: Any) -> Any:
    return lambda description, tensors: description["remembered"]["dict"].update(iterations=value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (counted(-1), "iterations must be at least 0"),
        (counted("1"), "iterations must be a whole number"),
        (
            lambda d, a: d["model"].update(optimizer=None),
            "it has the state of an optimizer, but no optimizer",
        ),
        (arrays_of_memory(weights=np.ones(3, np.float32)), "does not fit its model"),
        (arrays_of_memory(weights=np.ones(99, np.float64)), "does not fit its model"),
        (arrays_of_memory(weights_0=np.ones((2, 15))), "does not fit its model"),
        (arrays_of_memory(weights_0=np.ones((2, 16), int)), "does not fit its model"),
        (lambda d, a: d.pop("remembered"), "nothing in it needs the tensor 'remembered"),
    ],
)
def test_a_file_whose_optimizer_remembers_something_else_is_refused(
    change: Any, message: str, tmp_path: Path
) -> None:
    X, y = spiral()
    model = classifier()
    assert len(model.parameters) == 99
    model.train(X, y)
    model.save(tmp_path / "it")
    description, arrays = file_format.read(tmp_path / "it")
    change(description, arrays)
    (tmp_path / "it").write_bytes(file_format.encode(description, arrays))
    with pytest.raises(framework.SavedFileError, match=message):
        book.Model.load(tmp_path / "it")


@contextlib.contextmanager
def randomness_unchanged() -> Iterator[None]:
    before = np.random.get_state()[1:3]
    yield
    after = np.random.get_state()[1:3]
    assert_array_equal(before[0], after[0])
    assert before[1] == after[1]


@pytest.mark.parametrize("make", [classifier, binary, regression])
def test_a_model_is_handed_over_to_other_programs(make: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    model = make()
    X, _ = data_for(model)
    model.export_onnx(tmp_path / "book.onnx")
    back = framework.Model.from_onnx(tmp_path / "book.onnx")
    assert_allclose(back.predict(X), model.predict(X), rtol=1e-5)
    kinds = [type(layer).__name__ for layer in back.layers]
    assert kinds == [
        type(layer).__name__.partition("_")[2]
        for layer in model.layers
        if not isinstance(layer, framework.Dropout)
    ]


def test_parameters_go_to_a_model_without_an_optimizer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    X, y = spiral()
    trained = classifier()
    trained.train(X, y, epochs=3)
    trained.save_parameters(tmp_path / "book.parms")
    capsys.readouterr()
    trained.evaluate(X, y)
    model = book.Model()
    for layer in (
        book.Layer_Dense(2, 16),
        book.Activation_ReLU(),
        book.Layer_Dropout(0.1),
        book.Layer_Dense(16, 3),
        book.Activation_Softmax(),
    ):
        model.add(layer)
    model.set(loss=book.Loss_CategoricalCrossentropy(), accuracy=book.Accuracy_Categorical())
    model.finalize()
    for bring in (
        lambda: model.load_parameters(tmp_path / "book.parms"),
        lambda: model.set_parameters(trained.get_parameters()),
    ):
        bring()
        model.evaluate(X, y)
        model.set_parameters([[0 * array for array in pair] for pair in model.get_parameters()])
    for parameters, layer in zip(trained.get_parameters(), model.trainable_layers, strict=True):
        layer.set_parameters(*parameters)
    model.evaluate(X, y)
    assert len(set(capsys.readouterr().out.splitlines())) == 1


def test_parameters_that_were_got_stay_as_they_are() -> None:
    X, y = spiral()
    model = classifier()
    parameters = model.get_parameters()
    kept = copy.deepcopy(parameters)
    model.train(X, y)
    assert_array_equal(parameters[0][0], kept[0][0])


def test_predictions_are_outputs_that_the_last_activation_reads() -> None:
    X, _ = spiral()
    model = classifier()
    confidences = model.predict(X[:5])
    assert_allclose(confidences.sum(axis=1), np.ones(5), rtol=1e-6)
    assert_array_equal(confidences, model.predict(X[:5], batch_size=2))
    classes = model.output_layer_activation.predictions(confidences)
    assert_array_equal(classes, confidences.argmax(axis=1))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_a_model_goes_on_as_the_model_itself(duplicate: Any) -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y, epochs=2)
    other = duplicate(model)
    results = []
    for network in (model, other):
        np.random.seed(2)
        network.train(X, y, epochs=2)
        results.append(network.predict(X))
    assert_array_equal(*results)


def test_a_model_shows_what_its_optimizer_remembers() -> None:
    X, y = spiral()
    model = classifier()
    model.train(X, y, epochs=2)
    for layer in model.trainable_layers:
        for name in ("momentums", "cache"):
            assert getattr(layer, f"weight_{name}").shape == layer.weights.shape
            assert getattr(layer, f"bias_{name}").shape == layer.biases.shape
            assert getattr(layer, f"weight_{name}").any()


def test_every_public_class_is_exported_and_documented() -> None:
    own = {
        name: value
        for name, value in vars(book).items()
        if getattr(value, "__module__", "") == book.__name__ and not name.startswith("_")
    }
    assert book.__all__ == sorted(own)
    for name, value in own.items():
        assert vars(value)["__doc__"], name
