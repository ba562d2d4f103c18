"""One training step with every number: what each operation computes, and how the update follows."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from framework.containers.container import Container
from framework.containers.supervised import Supervised
from framework.containers.update import update_parameters
from framework.data.checks import check_data
from framework.inspection.expressions import NAME
from framework.inspection.formulas import Formula, formulas_of
from framework.inspection.recording import Recording, recorded, recordings_of
from framework.inspection.trace_report import LossTrace, OperationTrace, ParameterTrace, Trace
from framework.inspection.worked import Calculation
from framework.losses.loss import FusedLoss
from framework.operation import describe
from framework.utils import rng
from optimizers.arrays import Array
from optimizers.optimizer import Optimizer, joint_norm, parameter_names


def trace(model: Supervised, X: ArrayLike, y: ArrayLike) -> Trace:
    """Take one training step with a copy of ``model``, and return every number of it.

    ``X`` and ``y`` are the batch. The model, its optimizer and the random generator stay as they
    are, so this is the step that training would take next with this batch, dropout included.

    The formulas are those of the docstrings of operations, loss and optimizer, also of your own
    classes: lines such as ``output = max(0, inputs)``. See ``framework.inspection.expressions`` for
    what a formula can say so that numbers are put into it.

    Raises:
        RuntimeError: ``set`` or ``finalize`` has not been called.
        TypeError, ValueError: data that do not fit.

    >>> from framework import Dense, MeanSquaredError, Model
    >>> from optimizers import SGD
    >>> layer = Dense(2, 1, dtype="float64")
    >>> layer.weights = [[3.0], [5.0]]
    >>> model = Model([layer])
    >>> model.set(loss=MeanSquaredError(), optimizer=SGD(0.1))
    >>> model.finalize()
    >>> step = trace(model, [[1.0, 2.0]], [10.0])
    >>> step.operations[0].line("output", (0, 0))
    'output[0, 0] = 1·3 + 2·5 + 0 = 13'
    >>> step.loss.line("loss", (0,))
    'loss[0] = (13 - 10)² = 9'
    >>> step.operations[0].parameters[0].lines((1, 0))
    ['velocity = 0·0 - 0.1·12 = -1.2', 'parameter = 5 + -1.2 = 3.8']
    """
    if model.loss is None or model.optimizer is None:
        raise RuntimeError("the model takes no steps yet: call set(loss=..., optimizer=...)")
    model.parameters  # noqa: B018 - raises before finalize
    probe = copy.deepcopy(model)
    with rng.preserve_rng(), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        X, y = check_data(probe, X, y)
        recordings = recordings_of(probe)
        with recorded(recordings):
            value = probe.calculate_loss(X, y)
            penalties = probe.regularization_loss()
            probe.backward(y)
        loss = _loss_trace(probe, recordings, y, value, penalties)
        updates = _update(probe)
    optimizer = probe.optimizer
    return Trace(
        operations=tuple(_operation_trace(one, updates) for one in recordings),
        loss=loss,
        optimizer=describe(optimizer),
        optimizer_formulas=tuple(formulas_of(optimizer)),
        step=getattr(optimizer, "iterations", None),
        learning_rate=getattr(optimizer, "current_learning_rate", None),
        samples=len(X),
    )


def _operation_trace(
    recording: Recording, updates: dict[tuple[int, str], ParameterTrace]
) -> OperationTrace:
    operation = recording.operation
    names = () if isinstance(operation, Container) else parameter_names(operation)
    parameters = tuple(updates[id(operation), name] for name in names)
    arrays = {
        name: getattr(recording, name)
        for name in ("inputs", "output", "dvalues", "dinputs")
        if getattr(recording, name) is not None
    }
    results = {**arrays, **{"d" + one.name: one.gradient for one in parameters}}
    formulas = tuple(_with_penalties(operation, _of_results(formulas_of(operation), results)))
    values = {
        **({} if getattr(operation, "use_bias", True) else {"biases": 0.0}),
        **_numbers(operation, formulas),
        **arrays,
        # The operation has those of after the update.
        **{one.name: one.before for one in parameters},
    }
    independent = bool(getattr(operation, "independent_samples", True))
    return OperationTrace(
        name=describe(operation),
        formulas=formulas,
        calculation=Calculation(formulas, values, results, independent),
        position=recording.position,
        inputs=recording.inputs,
        output=recording.output,
        dvalues=recording.dvalues,
        dinputs=recording.dinputs,
        parameters=parameters,
    )


def _of_results(formulas: list[Formula], results: Iterable[str]) -> list[Formula]:
    """Return the first formula of each name that a result, or some gradient, depends on."""
    first = {formula.name: formula for formula in reversed(formulas)}
    waiting, wanted = [*results, *(name for name in first if name.startswith("d"))], set()
    while waiting:
        name = waiting.pop()
        if name in first and name not in wanted:
            wanted.add(name)
            waiting += re.findall(NAME, first[name].text)
    return [one for one in formulas if one.name in wanted and one is first[one.name]]


def _with_penalties(operation: Any, formulas: Iterable[Formula]) -> Iterator[Formula]:
    """Yield the formulas, those of gradients with what the penalties on a parameter add."""
    for formula in formulas:
        text = formula.text
        for name, regularizer in (("weights", "weight"), ("biases", "bias")):
            if formula.name == "d" + name:
                l1, l2 = (f"{regularizer}_regularizer_l{n}" for n in (1, 2))
                text += f" + {l1} * sign({name})" if getattr(operation, l1, 0) else ""
                text += f" + 2 * {l2} * {name}" if getattr(operation, l2, 0) else ""
        yield Formula(formula.name, text, formula.condition)


def _loss_trace(
    model: Supervised, recordings: list[Recording], y: Array, value: float, penalties: float
) -> LossTrace:
    loss, output = model.computed_loss, model.output
    logits = next((one.output for one in reversed(recordings) if "." not in one.position), None)
    inputs = output if logits is None else logits
    if isinstance(loss, FusedLoss):
        losses = loss.outputs_and_losses(inputs, y)[1]
    else:
        losses = loss.forward(output, y)
    targets, classes = _as_rows(y, output.shape)
    formulas = tuple(formulas_of(loss))
    values = {
        **_numbers(loss, formulas),
        "inputs": inputs,
        "output": output,
        "y_pred": output,
        "y_true": targets,
        "y": targets,
        "samples": len(output),
        "outputs": int(np.prod(output.shape[1:])),
    }
    if classes is not None:
        values["inputs_c"] = inputs[np.arange(len(inputs)), classes][:, np.newaxis]
    losses = _by_sample(losses, len(output))
    return LossTrace(
        name=describe(loss),
        formulas=formulas,
        calculation=Calculation(formulas, values, {"loss": losses, "dinputs": loss.dinputs}),
        inputs=inputs,
        output=output,
        targets=targets,
        losses=losses,
        value=value,
        penalties=penalties,
        dinputs=loss.dinputs,
    )


def _by_sample(losses: Any, samples: int) -> Array:
    """Return one loss for each sample, if there are as many, else what there is."""
    losses = np.atleast_1d(losses)
    return losses.reshape(samples, -1).mean(axis=1) if len(losses) == samples else losses


def _as_rows(y: Array, shape: tuple[int, ...]) -> tuple[Array, Array | None]:
    """Return targets in the shape of the outputs, one-hot for classes, and the classes if known."""
    if y.size == np.prod(shape):
        rows = y.reshape(shape)
        is_one_hot = len(shape) == 2 and shape[1] > 1 and bool(((rows == 0) | (rows == 1)).all())
        return rows, rows.argmax(axis=1) if is_one_hot else None
    if y.shape == shape[:1] and len(shape) == 2:
        classes = y.astype(np.intp)
        return np.eye(shape[1])[classes], classes
    return y, None  # targets of another kind, for a loss of one's own


def _update(model: Supervised) -> dict[tuple[int, str], ParameterTrace]:
    """Take the step of the optimizer; return each parameter by its operation and its name."""
    vector, optimizer = model.parameters, model.optimizer
    before, gradient = vector.weights.copy(), vector.dweights.copy()
    state_before = _states(model)
    step = getattr(optimizer, "iterations", 0) + 1
    update_parameters(model)
    after, state_after = vector.weights.copy(), _states(model)
    formulas = formulas_of(optimizer)
    factor = _clipping_factor(optimizer, gradient)
    if factor < 1:
        formulas.insert(0, Formula("gradient", "clipping_factor * gradient"))
    values = {
        **_numbers(optimizer, formulas),
        "t": step,
        "learning_rate": getattr(optimizer, "current_learning_rate", None),
        "clipping_factor": factor,
    }
    values = {name: value for name, value in values.items() if value is not None}
    pieces = [vector.split(array) for array in (before, gradient, after)]
    return {
        (id(operation), name): ParameterTrace(
            name=name,
            before=np.atleast_1d(old),
            gradient=np.atleast_1d(slope),
            after=np.atleast_1d(new),
            state_before=state_before.get((id(operation), name), {}),
            state_after=state_after.get((id(operation), name), {}),
            formulas=tuple(formulas),
            values=values,
        )
        for (operation, name, old), (_, _, slope), (_, _, new) in zip(*pieces, strict=True)
    }


def _states(model: Supervised) -> dict[tuple[int, str], dict[str, Array]]:
    """Return copies of what the optimizer keeps for each parameter, by name."""
    optimizer, vector = model.optimizer, model.parameters
    found: dict[tuple[int, str], dict[str, Array]] = {}
    if not isinstance(optimizer, Optimizer):
        return found
    for name, kept in optimizer.state(vector).get("weights", {}).items():
        # An array of one element is for all parameters.
        whole = np.broadcast_to(kept, len(vector))
        for operation, parameter, piece in vector.split(whole):
            found.setdefault((id(operation), parameter), {})[name] = np.atleast_1d(piece).copy()
    return found


def _clipping_factor(optimizer: Any, gradient: Array) -> float:
    if getattr(optimizer, "max_gradient_norm", None) is None:
        return 1.0
    return float(optimizer.clipping_factor(joint_norm([gradient])))


def _numbers(subject: Any, formulas: Iterable[Formula]) -> dict[str, Any]:
    """Return the numbers and arrays of an object that have names in its formulas."""
    names = {name for formula in formulas for name in re.findall(NAME, formula.text)}
    found = {name: getattr(subject, name, None) for name in names}
    return {
        name: np.copy(value)
        for name, value in found.items()
        if isinstance(value, (int, float, np.number, np.ndarray))
    }
