"""The health of a network, seen from one batch: do signals and gradients get through?

The fault of a network that does not learn often shows in a single pass. Gradients that shrink
from each operation to the one before leave the first layers as they started; gradients that grow
make training unstable. A ReLU unit that is negative for every sample lets no gradient through to
its weights. A sigmoid far from 0 is nearly flat, and lets hardly any through.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from framework.activations.sigmoid import Sigmoid
from framework.activations.softmax import Softmax
from framework.containers.container import is_trained
from framework.containers.residual import Residual
from framework.containers.supervised import Supervised
from framework.data.checks import check_data
from framework.inspection.operation_states import (
    OperationState,
    count,
    measure,
    root_mean_square,
)
from framework.inspection.probe import probe_of
from framework.losses.binary_crossentropy import BinaryCrossentropy
from framework.losses.categorical_crossentropy import CategoricalCrossentropy
from framework.utils import rng
from optimizers.arrays import Array

# From the first trained operation to the last, sizes may differ this much without being named.
# Healthy initial weights keep them within a factor of about ten, for any width.
LARGE_FACTOR = 100
# The share of dead units, and of saturated outputs, from which on they are named.
MANY_DEAD = 0.25
MANY_SATURATED = 0.5
# With fewer different samples than this, healthy units may be silent for all of them.
FEW_SAMPLES = 20
# Inputs whose root mean square is larger than this have hardly been scaled.
LARGE_INPUTS = 50


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The result of ``Model.diagnose``. It prints as a table of the operations, and the findings.

    Attributes:
        operations: the state of each.
        findings: signs of trouble, one or two sentences each; empty if there are none.
        loss: the mean data loss of the batch.
        samples: how many it had.
    """

    operations: tuple[OperationState, ...]
    findings: tuple[str, ...]
    loss: float
    samples: int

    def __repr__(self) -> str:
        width = max(9, *(len(operation.name) for operation in self.operations))
        lines = [
            f"{count(self.samples, 'sample')}, loss {self.loss:.4g}",
            f"    {'operation':{width}}  {'units':>6}  {'output':>8}  {'gradient':>8}",
        ]
        for state in self.operations:
            gradient = "" if state.gradient is None else f"{state.gradient:.3g}"
            of_all = f" of {state.channels:,} channels" if state.channels < state.units else ""
            dead = f"  {state.dead:,}{of_all} dead" if state.dead else ""
            saturated = f"  {state.saturated:.0%} saturated" if state.saturated >= 0.01 else ""
            line = f"{state.position:3} {state.name:{width}}  {state.units:6,}  {state.output:8.3g}"
            lines.append(f"{line}  {gradient:>8}{dead}{saturated}".rstrip())
        for finding in self.findings or ["Nothing conspicuous."]:
            lines += textwrap.wrap(finding, 98, initial_indent="- ", subsequent_indent="  ")
        return "\n".join(lines)


def diagnose(model: Supervised, X: ArrayLike, y: ArrayLike) -> Diagnosis:
    """Send a batch through a copy of ``model``: see ``Model.diagnose``, which documents it."""
    probe = probe_of(model)
    with rng.preserve_rng(), np.errstate(over="ignore", invalid="ignore"):
        X, y = check_data(probe, X, y)
        mean_loss = probe.calculate_loss(X, y)
        probe.backward(y)
        probe.parameters.dweights  # noqa: B018 - raises where a gradient is missing
        operations = measure(probe)
        findings = (
            *_input_findings(X, operations),
            *_head_findings(probe, operations),
            *_findings(operations, X),
        )
    return Diagnosis(operations, findings, mean_loss, len(X))


def _are_equal(X: Array) -> bool:
    return bool((X[:1] == X).all())


def _input_findings(X: Array, states: Sequence[OperationState]) -> Iterator[str]:
    size = received = root_mean_square(X)
    # A Scale or a Normalization may bring them to size before the first weights.
    for state in states:
        if state.trained:
            break
        received = state.output
    if not size:
        yield "The inputs are all 0, so there is nothing to learn from them."
    elif len(X) > 1 and _are_equal(X):
        yield f"All {len(X):,} samples have the same inputs, so nothing tells one from another."
    if received > LARGE_INPUTS:
        yield (
            f"The inputs are large: their root mean square is {received:,.3g}. Weights are made "
            "for inputs around 1; scale them, for instance to a mean of 0 and a standard deviation "
            "of 1, or pixels to 0…1."
        )


def missing_activation(model: Supervised, outputs: Array) -> str:
    """Return the name of the activation without which ``outputs`` are no probabilities.

    It is empty if they are some, or if the loss does not need them.
    """
    last, loss = model.operations_in_order[-1], model.loss
    layer = last if isinstance(last, Residual) else model.leaves()[-1]
    is_ours = type(loss).forward.__module__.startswith("framework.")
    if not is_ours or not np.isfinite(outputs).all():
        return ""
    for kind, activation in ((CategoricalCrossentropy, Softmax), (BinaryCrossentropy, Sigmoid)):
        if isinstance(loss, kind) and not isinstance(layer, (Softmax, Sigmoid)):
            probable = bool(((outputs >= 0) & (outputs <= 1)).all())
            if kind is CategoricalCrossentropy:
                probable = probable and np.allclose(outputs.sum(axis=-1), 1, atol=1e-3)
            # An activation of the user's own may give probabilities; a layer does so by accident.
            if not probable or is_trained(layer):
                return activation.__name__
    return ""


def _head_findings(model: Supervised, states: tuple[OperationState, ...]) -> Iterator[str]:
    if activation := missing_activation(model, model.operations_in_order[-1].output):
        yield (
            f"{type(model.loss).__name__} compares probabilities, but the outputs of {states[-1]}, "
            f"the last, are none. Add {activation}() at the end."
        )


def _findings(states: tuple[OperationState, ...], X: Array) -> Iterator[str]:
    # Each in the order in which it was computed, so that the first is where it began.
    sizes = [("output", state, state.output) for state in states]
    sizes += [("gradient", state, state.gradient or 0.0) for state in reversed(states)]
    for what, state, size in sizes:
        if not math.isfinite(size):
            yield f"Not finite: the {what} of {state}."
            return
    trained = [state for state in states if state.trained]
    # A sample that is repeated many times counts once.
    telling = len(X) >= FEW_SAMPLES and not _are_equal(X)
    dead = [s for s in states if telling and s.dead >= max(1, MANY_DEAD * s.channels)]
    if trained:
        yield from _gradient_findings(states, trained[0], trained[-1])
        # Where all units of an operation are dead, that is why the signal ends there.
        if X.any() and not any(state.dead == state.channels for state in dead):
            yield from _signal_findings(trained[0], trained[-1])
    if dead:
        yield (
            f"Many units are dead: {', '.join(map(_dead_of, dead))}. "
            f"They give 0 for each of {len(X):,} samples, so their weights get no gradient. A "
            "lower learning rate, he_normal weights or LeakyReLU may help."
        )
    saturated = [state for state in states if state.saturated >= MANY_SATURATED]
    if saturated:
        shares = ", ".join(f"{state.saturated:.0%} of {state}" for state in saturated)
        yield (
            f"Most outputs are saturated: {shares}. Within 1 % of its limits a sigmoid or tanh "
            "is flat and lets hardly any gradient through. Smaller weights or inputs may help."
        )


def _dead_of(state: OperationState) -> str:
    if state.channels == state.units:
        return f"{state.dead:,} of {state}"
    return f"{state.dead:,} of the {count(state.channels, 'channel')} of {state}"


def _gradient_findings(
    states: tuple[OperationState, ...], first: OperationState, last: OperationState
) -> Iterator[str]:
    if first.gradient is None or last.gradient is None:
        return  # not computed: an activation with parameters, fused with the loss
    if not last.gradient:
        yield "No gradient comes from the loss, so nothing is learned from these samples."
        return
    if not first.gradient:
        # The last operation that nothing comes back to stands before the one that is to blame.
        silent = [state for state in states[: last.position - 1] if state.gradient == 0]
        cut = silent[-1].position
        yield f"No gradient comes back through {states[cut]}: nothing before it is trained."
        return
    smaller, larger = _factors(
        (first.gradient, last.gradient), (first.channel_gradient, last.channel_gradient)
    )
    if smaller > LARGE_FACTOR:
        yield (
            f"Gradients vanish: that of {first} is {smaller:,.0f} times "
            f"smaller than that of {last}, so it learns far more slowly. ReLU in place of Sigmoid "
            f"or Tanh, weights from he_normal or glorot_uniform, or batch normalization may help."
        )
    elif larger > LARGE_FACTOR:
        yield (
            f"Gradients explode: that of {first} is {larger:,.0f} times "
            f"larger than that of {last}. Weights from he_normal or glorot_uniform, batch "
            "normalization or max_gradient_norm may help."
        )


def _signal_findings(first: OperationState, last: OperationState) -> Iterator[str]:
    smaller, larger = _factors(
        (last.output, first.output), (last.channel_output, first.channel_output)
    )
    sizes = f"the output of {first} has size {first.output:.3g}, that of {last} {last.output:.3g}"
    help_ = "Weights from he_normal or glorot_uniform, or batch normalization may help."
    if smaller > LARGE_FACTOR:
        yield f"The signal dies out: {sizes}. {help_}"
    elif larger > LARGE_FACTOR:
        yield f"The signal blows up: {sizes}. {help_}"


def _factors(*pairs: tuple[float | None, float | None]) -> tuple[float, float]:
    """Return how many times smaller the first of each pair is than the second, and how many larger.

    Both are the least of all pairs. Between images and rows of numbers, sizes by value and sizes by
    channel differ by the number of positions, and only what both say is a finding.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.array(pairs, dtype=np.float64).T
        return float((ratios[1] / ratios[0]).min()), float((ratios[0] / ratios[1]).min())
