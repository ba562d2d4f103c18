"""Mistakes that are made in operations, each with the array that it leads to.

They are found by running the reference with one thing changed: another argument, transposed
weights, another batch. So they are named for every operation; ``class_suspects`` has those of
single classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from framework import activations
from framework.activations import Activation
from framework.exercises.class_suspects import class_gradients, class_outputs
from framework.exercises.comparison import Suspect
from framework.exercises.trial import Trial
from framework.layers import (
    AveragePooling1D,
    AveragePooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from framework.utils.exports import exported
from optimizers.arrays import Array
from optimizers.configuration import constructor_arguments
from optimizers.optimizer import parameter_names

# Layers that are mistaken for each other.
TWINS: dict[type, type] = {
    MaxPooling1D: AveragePooling1D,
    MaxPooling2D: AveragePooling2D,
    AveragePooling1D: MaxPooling1D,
    AveragePooling2D: MaxPooling2D,
}


def output_suspects(trial: Trial) -> Iterator[Suspect]:
    """Yield wrong outputs of a forward pass."""
    yield "the inputs themselves: nothing is computed", trial.inputs
    yield from _of_changes(trial, "output")
    for text, inputs in (
        ("is a minus too many, or missing, inside?", -trial.inputs),
        ("are the inputs used twice?", 2 * trial.inputs),
    ):
        if (output := trial.forward(inputs)) is not None:
            yield f"as if computed from {'−' if 'minus' in text else '2 × '}inputs: {text}", output
    if (output := trial.forward(-trial.inputs)) is not None:
        yield "a minimum in place of a maximum, or both signs inside and outside", -output
    yield from _over_other_axis(trial)
    yield from class_outputs(trial)


def gradient_suspects(trial: Trial, name: str) -> Iterator[Suspect]:
    """Yield wrong gradients of a backward pass, for ``dinputs`` or that of a parameter."""
    right = trial.run()
    inputs, dvalues, output = trial.inputs, trial.dvalues, right["output"]
    yield "dvalues themselves: they are not multiplied by a derivative", dvalues
    yield from class_gradients(trial, name)
    if name == "dinputs":
        yield from _wrong_chains(trial, right["dinputs"])
    ones = trial.run(dvalues=np.ones_like(dvalues))
    if name in ones:
        yield "the derivative alone: it is not multiplied by dvalues", ones[name]
    yield from _of_changes(trial, name)
    for text, array in (("output", output), ("the inputs", inputs)):
        yield f"{text} in place of a gradient", array
        if array.shape == dvalues.shape:
            yield f"dvalues times {text}: is that the derivative?", dvalues * array
    if name != "dinputs":
        yield from _wrong_sums(dvalues)
        for part, one in (("first", slice(1)), ("last", slice(-1, None))):
            alone = trial.run(inputs=inputs[one], dvalues=dvalues[one])
            if name in alone:
                yield (
                    f"that of the {part} sample alone: the gradients of all samples are added up",
                    alone[name],
                )


def stale_suspects(trial: Trial, name: str, earlier: Array) -> Iterator[Suspect]:
    """Yield gradients that go back through an ``earlier`` batch."""
    found = trial.run(before=earlier)
    if name in found:
        yield (
            "goes back through what an earlier batch left: forward has to store its mask, output "
            "or inputs anew each time",
            found[name],
        )


def _wrong_chains(trial: Trial, right: Array) -> Iterator[Suspect]:
    """Yield wrong ``dinputs`` of operations that keep the shape of their inputs."""
    inputs, dvalues = trial.inputs, trial.dvalues
    if right.shape != dvalues.shape:
        return
    output = trial.forward(inputs)
    if output is not None and output.shape == inputs.shape:
        at_output = trial.run(inputs=output).get("dinputs")
        if at_output is not None:
            yield "the derivative is taken at the output, not at the input", at_output
        at_dvalues = trial.run(inputs=dvalues).get("dinputs")
        if at_dvalues is not None:
            yield "the derivative is taken at dvalues, not at the input", at_dvalues
    diagonal = trial.jacobian_diagonal()
    if diagonal is not None:
        crossed = (
            "the cross terms are left out: each output depends on several inputs, and so each "
            "input's gradient is a sum over several outputs"
        )
        yield crossed, dvalues * diagonal
        yield "the cross terms have the wrong sign", 2 * dvalues * diagonal - right
        yield (
            "only the cross terms: those of an input on its own output are left out",
            (right - dvalues * diagonal),
        )
        with np.errstate(all="ignore"):
            yield "dvalues are divided by the derivative, not multiplied", dvalues / diagonal
            yield "multiplied by the derivative twice", dvalues * diagonal**2
            yield "the derivative is added to dvalues, not multiplied", dvalues + diagonal
    slope = trial.forward_slope()
    if slope is not None:
        yield (
            "the matrix is to be transposed: dvalues go back through the weights the other way",
            slope,
        )


def _of_changes(trial: Trial, name: str) -> Iterator[Suspect]:
    """Yield ``name`` of the reference with an argument or a parameter changed, or its mode."""
    for text, change in changes(trial.reference):
        found = trial.run(change)
        if name in found:
            yield text, found[name]
    found = trial.run(training=not trial.training)
    if name in found:
        yield (
            f"what training={not trial.training} should give: is the mode looked at, and the right "
            "way round?",
            found[name],
        )
    for text, other in _twins(trial):
        found = other.run()
        if name in found:
            yield text, found[name]


def changes(reference: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    """Yield what may be another in an operation, and functions that change it in a copy."""
    for argument, parameter in constructor_arguments(type(reference)).items():
        value = getattr(reference, argument, None)
        if isinstance(value, float) and argument in vars(reference):
            for text, other in other_values(argument, value, parameter.default):
                yield text, _setting(argument, other)
    for name in parameter_names(reference):
        value = np.asarray(getattr(reference, name))
        yield f"as if {name} were 0: are they used?", _setting(name, np.zeros_like(value))
        yield f"as if {name} were −{name}: is a sign wrong there?", _setting(name, -value)
        if value.ndim == 2 and value.shape[0] == value.shape[1] > 1:
            yield f"{name} are transposed", _setting(name, value.T.copy())
        for axis in range(value.ndim - 2 if value.ndim > 2 else 0):
            yield (
                f"{name} are flipped along axis {axis}: no kernel is turned round here",
                _setting(name, np.flip(value, axis).copy()),
            )
        if value.ndim > 3:
            yield (
                f"{name} are flipped along both axes: no kernel is turned round here",
                _setting(name, np.flip(value, (0, 1)).copy()),
            )
            yield (
                f"{name} have rows and columns exchanged",
                _setting(name, np.swapaxes(value, 0, 1).copy()),
            )


def _setting(name: str, value: Any) -> Callable[[Any], None]:
    return lambda operation: setattr(operation, name, value)


def other_values(name: str, value: float, default: Any) -> Iterator[tuple[str, float]]:
    """Yield values that a number may have been mistaken for, each with the mistake in words."""
    if isinstance(default, float) and default != value:
        yield f"as if {name} were {default:g}, its default: is the argument used?", default
    yield f"as if {name} were 0: is the term with it missing?", 0.0
    yield f"as if {name} were half of {value:g}: is a factor of 2 missing there?", value / 2
    yield f"as if {name} were twice {value:g}: is a factor of 2 too many there?", value * 2
    yield f"as if {name} were 1 − {value:g}: which of the two is it?", 1 - value
    yield f"as if {name} were 1: is the argument used?", 1.0
    yield f"as if {name} were −{value:g}: is a sign wrong there?", -value
    if value:
        yield f"as if {name} were 1 / {value:g}: multiplied in place of divided?", 1 / value
    yield f"as if {name} were squared", value**2
    for other in (0.5, 0.9, 0.99, 0.999, 0.1, 0.01):
        if 0 < value < 1 and other != value:
            yield f"as if {name} were {other:g}: is the argument used?", other
    if value > 0:
        yield f"as if {name} were the root of {value:g}: is it outside of a sqrt?", value**0.5


def _twins(trial: Trial) -> Iterator[tuple[str, Trial]]:
    """Yield other operations that this one may have been mistaken for."""
    reference = trial.reference
    others: Iterable[type] = ()
    if isinstance(reference, Activation):
        others = exported(activations, Activation).values()
    twin = TWINS.get(type(reference))
    if twin is not None:
        others = [twin]
    for other in others:
        if other is type(reference) or not getattr(other, "differentiable", True):
            continue
        shared = {
            name: getattr(reference, name)
            for name in constructor_arguments(other)
            if hasattr(reference, name)
        }
        required = [
            name
            for name, argument in constructor_arguments(other).items()
            if argument.default is argument.empty
        ]
        if set(required) <= set(shared):
            yield (
                f"what {other.__name__} computes, not {type(reference).__name__}",
                Trial(other(**shared), trial.inputs, trial.dvalues, trial.training),
            )


def _over_other_axis(trial: Trial) -> Iterator[Suspect]:
    if trial.inputs.ndim != 2 or parameter_names(trial.reference):
        return
    output = trial.forward(trial.inputs.T.copy())
    if output is not None:
        yield (
            "over the wrong axis: axis 0 goes over the samples, the last axis over the values of "
            "one sample",
            output.T,
        )
    everything = trial.forward(trial.inputs.reshape(1, -1))
    if everything is not None and everything.size == trial.inputs.size:
        yield (
            "over the whole batch: each sample needs a sum or maximum of its own, axis=-1 with "
            "keepdims=True",
            everything.reshape(trial.inputs.shape),
        )


def _wrong_sums(dvalues: Array) -> Iterator[Suspect]:
    for axis in range(dvalues.ndim):
        for keepdims in (True, False):
            over = "the samples" if axis == 0 else f"axis {axis}"
            yield (
                f"dvalues added up over {over}: is it the right axis, and the whole of it?",
                dvalues.sum(axis=axis, keepdims=keepdims),
            )
    yield (
        "dvalues added up over all axes: the sum is over the samples alone",
        np.array(dvalues.sum()),
    )
    last = dvalues.reshape(-1, dvalues.shape[-1])
    yield "dvalues of one sample alone: are the others added up?", last[:1]
