"""What an operation and its reference are both given, and how their results are compared."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from framework.activations import Activation
from framework.exercises.calls import call, forward
from framework.exercises.comparison import OTHER_SAMPLES, SAMPLES, Suspect, compare
from framework.exercises.contract import float32_fault
from framework.exercises.report import Check, Marks
from framework.exercises.trial import Trial
from framework.operation import describe
from optimizers.arrays import Array
from optimizers.optimizer import parameter_names

FEATURES = 4


class Subject:
    """An operation beside its reference, both with the same parameters.

    Args:
        subject: what is checked, in words.
        mine, reference: the operations; both are changed.
        inputs: the first batch.

    Attributes:
        mine: the operation to check.
        twin: the reference, which sees the same training batches as ``mine``.
        start: the reference before its first batch.
        batches: the first one, as many other samples, and another number of samples.
        parameters, gradients: their names.
        state: names of running statistics that both have.
        marks: the checks so far.
    """

    def __init__(self, subject: str, mine: Any, reference: Any, inputs: Array) -> None:
        self.mine, self.twin = mine, reference
        self.parameters = parameter_names(reference)
        self.gradients = ("dinputs", *(f"d{name}" for name in self.parameters))
        self.state = [name for name in getattr(reference, "state", ()) if hasattr(mine, name)]
        generator = np.random.default_rng(1)
        self._draw_parameters(generator)
        self.start = copy.deepcopy(self.twin)
        self.batches = batches_like(reference, inputs, generator)
        # The batches that running statistics have seen so far.
        self.seen: list[Array] = []
        plan = {"parameters": 1} if self.parameters else {}
        plan |= {"output": 3, "dinputs": 3}
        plan |= {f"d{name}": 2 for name in self.parameters}
        plan |= {"given arrays": 1, "same batch again": 1, "another batch": 2}
        plan |= {**dict.fromkeys(self.state, 1), "training=False": 1}
        plan |= {"large inputs": 1} if isinstance(reference, Activation) else {}
        plan |= {"dtype": 1}
        self.marks = Marks(subject, plan, ("output", "dinputs"))

    def _draw_parameters(self, generator: np.random.Generator) -> None:
        """Give the reference parameters that are no zeros or ones, and exact in float32."""
        for name in self.parameters:
            value = np.asarray(getattr(self.twin, name))
            drawn = value + 0.5 * generator.normal(size=value.shape)
            setattr(self.twin, name, drawn.astype(np.float32).astype(np.float64))

    def learn(self, inputs: Array) -> None:
        """Let the reference see a batch of training, so that its running statistics do."""
        self.twin.forward(inputs.copy(), True)
        self.seen.append(inputs)

    def replayed(self, change: Callable[[Any], None]) -> Any:
        """Return a changed copy of the reference that has seen the same batches."""
        found = copy.deepcopy(self.start)
        change(found)
        with np.errstate(all="ignore"):
            for inputs in self.seen:
                found.forward(inputs.copy(), True)
        return found

    def run(self, number: int) -> None:
        """Run ``mine`` forward and back through one of the batches."""
        batch = self.batches[number]
        forward(self.mine, batch.inputs.copy(), True)
        self.learn(batch.inputs)
        call(self.mine.backward, batch.dvalues.copy())

    def trial(self, number: int) -> Trial:
        """Return the reference on one of the batches, as it was before the first."""
        batch = self.batches[number]
        return Trial(self.start, batch.inputs, batch.dvalues, True)

    def compared(
        self, name: str, received: Any, trial: Trial, suspects: Callable[[], Iterable[Suspect]]
    ) -> Check:
        """Return the check of one result of ``mine`` beside that of a trial."""
        expected = trial.run()[name]
        own = np.shape(getattr(self.mine, name[1:])) if name in self.gradients[1:] else None
        if own is not None and np.size(received) == expected.size and fits(own, expected.shape):
            # A parameter with fewer axes has a gradient with fewer axes.
            expected = expected.reshape(own)
        sizes = {"samples": len(trial.inputs)}
        sizes |= {"inputs": trial.inputs.shape[-1], "outputs": trial.dvalues.shape[-1]}
        sizes |= {"numbers": trial.dvalues.size}
        return compare(
            name,
            received,
            expected,
            points=self.marks.plan[name],
            sizes=sizes,
            suspects=suspects,
            beside={"inputs": trial.inputs, "dvalues": trial.dvalues},
            missing=f"{'forward' if name == 'output' else 'backward'} has to store self.{name}",
        )

    def compare(
        self, name: str, received: Any, trial: Trial, suspects: Callable[[], Iterable[Suspect]]
    ) -> None:
        """Note the check of ``compared``."""
        self.marks.add(self.compared(name, received, trial, suspects))

    def judge_dtype(self, names: Iterable[str]) -> None:
        """Let "dtype" fail where ``mine`` answers float64 with float32, keeping nothing so."""
        kept = [np.asarray(getattr(self.mine, name)) for name in (*self.parameters, *self.state)]
        if any(array.dtype == np.float32 for array in kept):
            return
        for name in names:
            for fault in float32_fault(name, getattr(self.mine, name, None)):
                self.fail("dtype", *fault)

    def fail(self, name: str, message: str, hint: str = "") -> None:
        """Note that the check ``name`` failed."""
        self.marks.add(Check(name, False, self.marks.plan[name], message, hint))


class Batch(NamedTuple):
    """The arguments of ``forward`` and ``backward``."""

    inputs: Array
    dvalues: Array


def example(reference: Any) -> Array:
    """Return a batch that suits ``reference``."""
    widths = (getattr(reference, n, None) for n in ("n_inputs", "n_features", "n_channels"))
    width = next((int(width) for width in widths if width), FEATURES)
    axes = getattr(reference, "example_axes", ())
    return np.random.default_rng(0).normal(size=(SAMPLES, *axes, width))


def batches_like(reference: Any, inputs: Array, generator: np.random.Generator) -> list[Batch]:
    """Return ``inputs``, as many others and another number of others, each with dvalues."""
    spread = float(inputs.std()) or 1.0
    rows = np.arange(OTHER_SAMPLES if len(inputs) != OTHER_SAMPLES else SAMPLES) % len(inputs)
    found = []
    for batch in (inputs, inputs[::-1], inputs[rows]):
        if batch is not inputs:
            batch = batch + spread * generator.normal(size=batch.shape)
        output = Trial(reference, batch, batch, True).forward(batch)
        if output is None:
            raise ValueError(
                f"{describe(reference)} cannot take inputs of shape {batch.shape}: give others "
                "as inputs="
            )
        found.append(Batch(batch, generator.normal(size=output.shape)))
    return found


def fits(own: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether a parameter of shape ``own`` is one of shape ``expected``, (3,) for (1, 3) too."""
    return own == expected or (1,) * (len(expected) - len(own)) + own == expected


def suspects_of(
    function: Callable[..., Iterable[Suspect]], *arguments: Any
) -> Callable[[], Iterable[Suspect]]:
    """Return a function that looks for suspects when they are needed."""
    return lambda: function(*arguments)
