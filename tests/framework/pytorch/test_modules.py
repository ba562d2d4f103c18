"""Networks from PyTorch and to it compute the same, forward and backward."""

import re
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import (
    BatchNormalization,
    Dense,
    Dropout,
    Flatten,
    Model,
    PReLU,
    ReLU,
    Sequential,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    Tanh,
)
from framework.pytorch import from_torch, to_torch
from framework.pytorch.modules import MODULES as MODULES_OF
from framework.pytorch.writers import WRITERS
from framework.utils import rng
from tests.every import WITHOUT_GRADIENT, operations_for
from tests.strategies import Array, batches, generator

torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to convert")
nn = torch.nn

MODULES = [
    nn.Identity(),
    nn.Sigmoid(),
    nn.Tanh(),
    nn.ReLU(),
    nn.LeakyReLU(),
    nn.LeakyReLU(0.3),
    nn.ELU(),
    nn.ELU(0.5),
    nn.Softplus(),
    nn.SiLU(),
    nn.SELU(),
    nn.Mish(),
    nn.GELU(approximate="tanh"),
    nn.GELU(approximate="none"),
    nn.Softmax(dim=-1),
]


def convertible(operations: Iterable[Any]) -> list[Any]:
    return [
        operation
        for operation in operations
        if type(operation) in (*MODULES_OF, *WRITERS)
        # PyTorch has no temperature, and penalties are no part of a module.
        and not re.search("temperature|regularizer", repr(operation))
    ]


def finalized(*operations: Any, dtype: str | None = None) -> Model:
    model = Model(operations, dtype=dtype)
    model.finalize()
    return model


def assert_same(model: Model, module: Any, X: Array, *, training: bool = False) -> None:
    """Outputs, and all gradients of the sum of their squares."""
    X = X.astype(model.dtype)
    inputs = torch.tensor(X, requires_grad=True)
    module.train(training)
    module.zero_grad()
    expected = module(inputs)
    (expected**2).sum().backward()

    outputs = model.forward(X, training)
    assert str(expected.dtype) == f"torch.{outputs.dtype}"
    np.testing.assert_allclose(outputs, expected.detach(), rtol=1e-5, atol=1e-5)
    dvalues = 2 * outputs
    for layer in reversed(model.operations_of_predict):
        dvalues = layer.backward(dvalues)
    np.testing.assert_allclose(dvalues, inputs.grad, rtol=1e-5, atol=1e-5)
    for layer, part in zip(model.operations_of_predict, module, strict=True):
        for ours, theirs in (("dweights", "weight"), ("dbiases", "bias")):
            if getattr(part, theirs, None) is not None:
                gradient = getattr(layer, ours)
                expected = getattr(part, theirs).grad.numpy().T.reshape(gradient.shape)
                np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=15)
@given(inputs=batches())
def test_modules_compute_the_same_on_rows(inputs: Array) -> None:
    for module in MODULES:
        assert_same(from_torch(nn.Sequential(module)), nn.Sequential(module), inputs)


@settings(max_examples=15)
@given(inputs=batches())
def test_every_operation_on_rows_there_and_back(inputs: Array) -> None:
    for operation in convertible(operations_for(inputs.shape[1])):
        if operation.example_axes:
            continue  # see test_images.py
        model = finalized(operation, dtype="float64")
        assert_same(model, to_torch(model), inputs)
        assert_same(from_torch(to_torch(model)), to_torch(model), inputs)


@st.composite
def sequentials(draw: st.DrawFn, features: int = 4) -> Any:
    """Linear modules with anything between them, and values as training might leave them."""
    torch.manual_seed(draw(st.integers(0, 1000)))
    between = st.sampled_from([*MODULES, nn.BatchNorm1d, nn.PReLU])
    modules: list[Any] = []
    for size in draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)):
        modules.append(nn.Linear(features, size, bias=draw(st.booleans())))
        drawn = draw(st.lists(between, max_size=3))
        modules += [kind(size) if isinstance(kind, type) else kind for kind in drawn]
        features = size
    sequential = nn.Sequential(*modules).double()
    with torch.no_grad():
        for module in sequential:
            if isinstance(module, nn.BatchNorm1d):
                for array in (module.weight, module.bias, module.running_mean, module.running_var):
                    array.uniform_(0.3, 1.5)
    return sequential


@given(sequential=sequentials(), data=st.data())
def test_a_network_from_pytorch_and_back_computes_the_same(sequential: Any, data: Any) -> None:
    X = generator(data.draw).normal(size=(6, 4))
    model = from_torch(sequential)
    again = to_torch(model)
    kinds = [type(module) for module in sequential]
    assert [type(module) for module in again] == kinds
    for module in (sequential, again):
        assert_same(model, module, X)
    for module in (sequential, again):
        assert_same(model, module, X, training=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_kept_both_ways(dtype: str) -> None:
    X = np.random.default_rng(0).normal(size=(5, 4))
    operations = [Flatten(), Dense(4, 3), BatchNormalization(3), Tanh(), Dropout(0.5), Dense(3, 2)]
    model = finalized(*operations, dtype=dtype)
    module = to_torch(model)
    assert_same(model, module, X)
    assert_same(from_torch(module), module, X)
    assert from_torch(module).dtype == dtype


@pytest.mark.parametrize("n_features", [1, 3])
def test_trained_slopes_are_kept_both_ways(n_features: int) -> None:
    X = np.random.default_rng(0).normal(size=(5, 3))
    operation = PReLU(n_features, dtype="float64")
    operation.weights = np.linspace(-0.5, 2, n_features).reshape(1, -1)
    module = to_torch(finalized(operation))
    np.testing.assert_array_equal(module[0].weight.detach(), operation.weights[0])
    assert_same(finalized(operation), module, X)
    again = from_torch(module)
    np.testing.assert_array_equal(again.layers[0].weights, operation.weights)
    assert_same(again, module, X)


def test_settings_are_kept_both_ways() -> None:
    operations = [BatchNormalization(3, momentum=0.75, epsilon=0.1), Dropout(0.25), ReLU()]
    module = to_torch(finalized(*operations))
    assert (module[0].momentum, module[0].eps, module[1].p) == (0.25, 0.1, 0.25)
    assert list(map(repr, from_torch(module).layers)) == list(map(repr, operations))


def test_the_two_networks_are_apart() -> None:
    model = finalized(Dense(2, 3), BatchNormalization(3))
    module = to_torch(model)
    copied = from_torch(module)
    with torch.no_grad():
        for array in [*module.parameters(), *module.buffers()]:
            array += 1
    for ours, also_ours in zip(model.get_parameters(), copied.get_parameters(), strict=True):
        for array, same in zip(ours, also_ours, strict=True):
            np.testing.assert_array_equal(array, same)


def test_a_module_is_ready_to_predict_and_then_to_train() -> None:
    model = finalized(Dense(2, 3), Dropout(0.5), BatchNormalization(3))
    module = to_torch(model)
    assert not any(part.training for part in module.modules())
    assert module[2].num_batches_tracked == 0
    module.train()(torch.ones(4, 2))
    assert module[2].num_batches_tracked == 1


def test_a_sequential_inside_a_model_is_replaced_by_its_modules() -> None:
    model = finalized(Sequential([Dense(4, 3), ReLU()]), Model([Dense(3, 2), Softmax()]))
    module = to_torch(model)
    assert [type(part).__name__ for part in module] == ["Linear", "ReLU", "Linear", "Softmax"]
    X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_allclose(module(torch.tensor(X)).detach(), model.predict(X), atol=1e-6)


def test_modules_in_modules_come_out_in_order() -> None:
    inner = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 2)))
    model = from_torch(nn.Sequential(nn.Flatten(), inner, nn.Softmax(1)))
    assert repr(model) == "Model([Flatten(), Dense(4, 3), ReLU(), Dense(3, 2), Softmax()])"


@pytest.mark.parametrize(
    "loss", [SoftmaxCategoricalCrossentropy(), SigmoidBinaryCrossentropy()], ids=repr
)
def test_the_activation_of_a_fused_loss_is_the_last_module(loss: Any) -> None:
    model = Model([Dense(4, 3)])
    model.set(loss=loss)
    model.finalize()
    module = to_torch(model)
    assert len(module) == 2
    X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_allclose(module(torch.tensor(X)).detach(), model.predict(X), atol=1e-6)


def test_a_scale_that_a_module_does_without_changes_nothing() -> None:
    module = nn.Sequential(nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3, affine=False)).double()
    X = np.random.default_rng(0).normal(size=(5, 4))
    assert_same(from_torch(module), module, X)
    assert_same(from_torch(module), module, X, training=True)


def test_no_random_numbers_are_used_up() -> None:
    module = nn.Sequential(nn.Linear(4, 3))
    before = rng.generator().bit_generator.state
    state = torch.get_rng_state()
    to_torch(from_torch(module))
    assert rng.generator().bit_generator.state == before
    assert torch.equal(torch.get_rng_state(), state)


class Twice(nn.Sequential):
    def forward(self, inputs: Any) -> Any:
        return 2 * super().forward(inputs)


def doubled(module: Any, inputs: Any, output: Any) -> Any:
    return 2 * output


def doubled_before(module: Any, inputs: Any) -> Any:
    return (2 * inputs[0],)


def hooked(module: Any) -> Any:
    module.register_forward_hook(doubled)
    return module


def pre_hooked(module: Any) -> Any:
    module.register_forward_pre_hook(doubled_before)
    return module


def patched(module: Any) -> Any:
    module.forward = torch.sigmoid
    return module


LINEAR = nn.Linear(2, 2)
REFUSED = [
    (nn.Linear(2, 2), TypeError, "needs a torch.nn.Sequential, received Linear"),
    (Twice(nn.Linear(2, 2)), TypeError, "but Twice has a forward of its own"),
    (nn.Sequential(nn.Sequential(Twice(nn.ReLU()))), TypeError, "module 0.0, Twice"),
    (hooked(nn.Sequential(nn.Linear(2, 2))), TypeError, "Sequential has a forward hook, doubled"),
    (nn.Sequential(nn.ReLU(), hooked(nn.Linear(2, 2))), TypeError, "module 1, .* hook, doubled"),
    (nn.Sequential(hooked(nn.Sequential(nn.Tanh()))), TypeError, "module 0, Sequential"),
    (nn.Sequential(pre_hooked(nn.Tanh())), TypeError, "module 0, .* hook, doubled_before"),
    (nn.Sequential(patched(nn.Tanh())), TypeError, "module 0, .* was given another forward"),
    (nn.Sequential(nn.Conv3d(1, 1, 1)), TypeError, "module 0, Conv3d.*: this framework has no"),
    (nn.Sequential(nn.Dropout2d()), TypeError, "module 0, Dropout2d.* Model.from_onnx may read"),
    (nn.Sequential(nn.Sequential(nn.ReLU6())), TypeError, r"module 0.0, ReLU6\(\)"),
    (nn.Sequential(type("Own", (nn.Linear,), {})(2, 2)), TypeError, "module 0, Own"),
    (nn.Sequential(nn.Softplus(beta=2)), ValueError, "beta=1, not 2"),
    (nn.Sequential(nn.Softplus(threshold=1)), ValueError, "threshold=20, not 1"),
    (nn.Sequential(nn.Softmax(dim=1)), ValueError, "dim=-1, not 1"),
    (nn.Sequential(nn.Flatten(), nn.Softmax(dim=0)), ValueError, "dim=-1, not 0"),
    (nn.Sequential(nn.Flatten(0)), ValueError, "start_dim=1, not 0"),
    (nn.Sequential(nn.Dropout(1.0)), ValueError, r"module 0, Dropout\(p=1.0.*: rate must be"),
    (nn.Sequential(nn.ELU(-1.0)), ValueError, "alpha must be 0 or greater"),
    (nn.Sequential(nn.BatchNorm1d(2, momentum=None)), ValueError, "needs a momentum"),
    (nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False)), ValueError, "a running_mean"),
    (nn.Sequential(nn.Linear(2, 2).bfloat16()), ValueError, "float32 or .*, found torch.bfloat16"),
    (nn.Sequential(LINEAR, nn.ReLU(), LINEAR), ValueError, "module 2, Linear.*: it shares its"),
    (nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 3)), ValueError, "module 1, .* for 2 values"),
    (nn.Sequential(), ValueError, "the model has no operations"),
]


@pytest.mark.parametrize(("module", "error", "message"), REFUSED)
def test_modules_that_no_operation_computes_are_refused_by_name(
    module: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        from_torch(module)


@pytest.mark.parametrize(
    "operation",
    [
        operation
        for operation in [*operations_for(3), *WITHOUT_GRADIENT]
        if type(operation) not in (*MODULES_OF, *WRITERS)
    ],
    ids=repr,
)
def test_an_operation_without_a_module_is_refused_by_name(operation: Any) -> None:
    with pytest.raises(TypeError, match=f"{type(operation).__name__}.* has no PyTorch module"):
        to_torch(finalized(operation))


def test_a_temperature_or_a_model_that_is_not_finalized_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Softmax\(temperature=2.0\): .* has no temperature"):
        to_torch(finalized(Dense(2, 3), Softmax(temperature=2)))
    with pytest.raises(RuntimeError, match="call finalize"):
        to_torch(Model([Dense(2, 3)]))


def test_without_pytorch_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Sequential(nn.ReLU())
    monkeypatch.setitem(sys.modules, "torch", None)
    for use in (lambda: from_torch(module), lambda: to_torch(finalized(ReLU()))):
        with pytest.raises(ImportError, match="this needs torch: pip install torch"):
            use()
