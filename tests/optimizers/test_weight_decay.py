"""Which parameters decay: the argument decay_exclude."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import framework
from framework import Checkpoint, Dense, LayerNormalization, MeanSquaredError, Model, Tanh
from optimizers import AdamW, Lion
from optimizers.weight_decay import WeightDecay

random = np.random.default_rng(0)
X, Y = random.normal(size=(32, 3)), random.normal(size=(32, 2))
ALL_BUT_DENSE_WEIGHTS = ("biases", "LayerNormalization.weights")


def network(optimizer: Any) -> Model:
    framework.seed(0)
    operations = [Dense(3, 4), LayerNormalization(4), Tanh(), Dense(4, 2)]
    model = Model(operations, dtype="float64")
    model.set(loss=MeanSquaredError(), optimizer=optimizer)
    model.finalize()
    return model


def train(model: Model, epochs: int = 2, **options: Any) -> None:
    framework.seed(1)
    model.train(X, Y, epochs=epochs, batch_size=8, progress=False, **options)


def excluding(names: tuple[str, ...]) -> AdamW:
    return AdamW(0.01, weight_decay=0.3, decay_exclude=names)


def test_it_agrees_with_pytorch_whose_groups_have_different_decays() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: no comparison with it")
    model = network(excluding(ALL_BUT_DENSE_WEIGHTS))
    arrays = [array for arrays in model.get_parameters() for array in arrays]
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    weights, biases, scale, shift, last_weights, last_biases = tensors
    groups = [
        {"params": [weights, last_weights], "weight_decay": 0.3},
        {"params": [biases, scale, shift, last_biases], "weight_decay": 0.0},
    ]
    reference = torch.optim.AdamW(groups, lr=0.01, eps=1e-7)
    inputs, targets = torch.tensor(X), torch.tensor(Y)
    for _ in range(5):
        reference.zero_grad()
        hidden = torch.nn.functional.layer_norm(
            inputs @ weights + biases, (4,), scale[0], shift[0], model.layers[1].epsilon
        )
        outputs = torch.tanh(hidden) @ last_weights + last_biases
        torch.nn.functional.mse_loss(outputs, targets).backward()
        reference.step()
    model.train(X, Y, epochs=5, batch_size=None, progress=False)
    found = [array for arrays in model.get_parameters() for array in arrays]
    for array, tensor in zip(found, tensors, strict=True):
        np.testing.assert_allclose(array, tensor.detach().numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cls", [AdamW, Lion])
def test_a_layer_by_hand_decays_by_the_names_of_its_parameters(cls: type[WeightDecay]) -> None:
    layer, optimizer = Dense(2, 2), cls(0.1, weight_decay=0.5, decay_exclude=["biases"])
    layer.weights, layer.biases = np.full((2, 2), 4.0), np.full((1, 2), 4.0)
    layer.dweights, layer.dbiases = np.zeros((2, 2)), np.zeros((1, 2))
    optimizer.update_params(layer)
    np.testing.assert_allclose(layer.weights, 4 * (1 - 0.1 * 0.5))
    np.testing.assert_array_equal(layer.biases, 4)


def test_it_goes_on_from_a_checkpoint_and_is_saved(tmp_path: Path) -> None:
    whole, first, second = (network(excluding(("biases",))) for _ in range(3))
    train(whole, epochs=4)
    train(first, callbacks=[Checkpoint(tmp_path / "run")])
    train(second, epochs=4, resume_from=tmp_path / "run")
    np.testing.assert_array_equal(second.parameters.weights, whole.parameters.weights)
    with pytest.raises(ValueError, match="decay_exclude"):
        train(network(excluding(())), epochs=4, resume_from=tmp_path / "run")
    whole.save(tmp_path / "model")
    assert Model.load(tmp_path / "model").optimizer.decay_exclude == ("biases",)
    network(excluding(())).save(tmp_path / "as_before")
    assert b"decay_exclude" not in (tmp_path / "as_before").read_bytes()


def test_a_name_that_no_parameter_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"decay_exclude has 'bias', .* Dense.weights, .*biases"):
        network(excluding(("bias",)))
    model = network(excluding(("biases",)))
    before = model.optimizer
    with pytest.raises(ValueError, match=r"'Conv2D\.weights'"):
        model.set(optimizer=excluding(("Conv2D.weights",)))
    assert model.optimizer is before
    for names in ("biases", [1], None):
        with pytest.raises(TypeError, match=r"names of parameters, such as \(\"biases\",\)"):
            AdamW(decay_exclude=names)  # type: ignore[arg-type]
