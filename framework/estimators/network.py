"""The network and the optimizer of an estimator, built from its arguments."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from framework.accuracies import Accuracy
from framework.activations import Activation
from framework.checks import check_count, check_fraction, check_non_negative
from framework.estimators.names import ACTIVATIONS, LEARNING_RATES, OPTIMIZERS, by_name
from framework.layers import BatchNormalization, Dense, Dropout
from framework.losses import Loss
from framework.model import Model
from framework.operation import describe
from optimizers import Optimizer
from optimizers.arrays import Array
from optimizers.configuration import constructor_arguments


def new_network(
    estimator: Any, X: Array, head: tuple[int, Activation, Loss, Accuracy | None]
) -> Model:
    """Return a finalized network for ``X``.

    ``head`` is the number of outputs, the last activation, the loss and the accuracy.
    """
    sizes = _hidden_sizes(estimator)
    dropout = check_fraction("dropout", estimator.dropout)
    n_outputs, last, loss, accuracy = head
    model, width = Model(dtype=X.dtype), X.shape[1]
    for size, activation in zip(sizes, _activations(estimator, sizes), strict=True):
        initializer = getattr(activation, "preferred_initializer", Activation.preferred_initializer)
        model.add(_dense(estimator, width, size, initializer))
        if estimator.batch_normalization:
            model.add(BatchNormalization(size))
        model.add(activation)
        if dropout:
            model.add(Dropout(dropout))
        width = size
    model.add(_dense(estimator, width, n_outputs, "glorot_uniform"))
    model.add(last)
    model.set(loss=loss, accuracy=accuracy)
    model.finalize(accelerated=estimator.accelerated)
    return model


def new_optimizer(estimator: Any) -> Any:
    """Return a new optimizer."""
    rate = estimator.learning_rate
    if isinstance(estimator.optimizer, str):
        cls = by_name("optimizer", estimator.optimizer, OPTIMIZERS)
        if rate is None:
            default = constructor_arguments(cls)["learning_rate"].default
            rate = LEARNING_RATES.get(cls, default)
        return cls(rate)
    optimizer = copy.deepcopy(estimator.optimizer)
    if rate is not None:
        if not isinstance(optimizer, Optimizer):
            raise ValueError(
                f"learning_rate cannot be set in {describe(optimizer)}, which is no Optimizer of "
                "this library: set it there, and leave learning_rate at None"
            )
        return type(optimizer)(**{**optimizer.configuration(), "learning_rate": rate})
    if isinstance(optimizer, Optimizer) and optimizer.has_trained_only_others([]):
        optimizer.reset()
    return optimizer


def optimizer_with(estimator: Any, arguments: Mapping[str, Any]) -> Optimizer:
    """Return the optimizer of ``estimator`` with other ``arguments``, as a new object.

    Raises ValueError for an argument that it has not.
    """
    optimizer = new_optimizer(estimator)
    known = optimizer.configuration() if isinstance(optimizer, Optimizer) else {}
    for name in arguments:
        if name not in known:
            raise ValueError(
                f"optimizer__{name}: {optimizer!r} has no such argument; it has "
                f"{', '.join(known) or 'none that can be set'}"
            )
    return type(optimizer)(**{**known, **arguments})


def _dense(estimator: Any, n_inputs: int, n_neurons: int, initializer: str) -> Dense:
    return Dense(
        n_inputs,
        n_neurons,
        weight_initializer=initializer,
        weight_regularizer_l1=check_non_negative("l1", estimator.l1),
        weight_regularizer_l2=check_non_negative("l2", estimator.l2),
    )


def _hidden_sizes(estimator: Any) -> list[int]:
    sizes = estimator.hidden_layer_sizes
    sizes = list(sizes) if np.iterable(sizes) else [sizes]
    return [check_count("hidden_layer_sizes", size) for size in sizes]


def _activations(estimator: Any, sizes: list[int]) -> list[Any]:
    """Return a new activation for each hidden layer."""
    given = estimator.activation
    if isinstance(given, str) or not np.iterable(given):
        given = [given] * len(sizes)
    given = list(given)
    if len(given) != len(sizes):
        raise ValueError(
            "activation must be one for all hidden layers, or one for each of the "
            f"{len(sizes)}, received {len(given)}"
        )
    return [
        by_name("activation", each, ACTIVATIONS).for_features(size)
        if isinstance(each, str)
        else copy.deepcopy(each)
        for each, size in zip(given, sizes, strict=True)
    ]
