"""Does an operation keep to its contract, besides the numbers of one batch?

What goes wrong only from the second batch on, or only for the neighbours, is not seen in the
gradients of a single batch: an array written to that belongs to another operation, a gradient that
is added to the last one, a mask or a size kept from the first batch.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from framework.inspection.gradient_differences import Differences
from framework.inspection.gradient_hints import common_ratio, hint
from framework.inspection.gradient_subjects import DVALUES_SEED, Subject
from framework.inspection.gradient_unlisted import unlisted_parameters
from framework.inspection.gradient_watch import Call, Watch, first_difference
from framework.operation import describe
from optimizers.arrays import Array

NOT_REPEATABLE = (
    "two forward passes of the same inputs differ, so there is nothing to measure. Draw random "
    "numbers from np.random or framework.utils.rng.generator(), which are restarted for each pass, "
    "not from a generator of its own, and keep nothing from one pass to the next"
)

# How many elements of each gradient are checked in the second batch: some at random, and as many
# where the gradient would be another one if there had been no first batch.
CHECKED = 8


class ContractCheck:
    """Runs a second batch and then the first one again.

    Args:
        new_probe: gives a new copy of the object under test, that has seen no batch.
        inputs: the first batch.
        step, tolerance, restart: see ``check_gradients``.

    Attributes:
        faults: a sentence for each.
        notes: the parts that could not be checked.
        repeatable: whether forward gives the same for the same inputs.
    """

    def __init__(
        self,
        new_probe: Callable[[], Subject],
        inputs: Array,
        step: float,
        tolerance: float,
        restart: Callable[[], None],
    ) -> None:
        self.new_probe, self.inputs, self.restart = new_probe, inputs, restart
        self.step, self.tolerance = step, tolerance
        self._samples = len(inputs)
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.repeatable = True

    def run(self, *, compare_second_batch: bool) -> None:
        """Find faults. ``compare_second_batch`` is whether the first batch was without fault."""
        self.probe = probe = self.new_probe()
        watch = Watch(probe)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Parameters that are made in the first forward are there afterwards.
            self._forward(probe, self.inputs)
            with watch.attached():
                first: list[Call] = []
                again: list[Call] = []
                try:
                    self._pass(probe, self.inputs)
                    first = watch.calls
                    watch.begin()
                    self._pass(probe, self.inputs)
                    again = watch.calls
                except Exception as error:
                    self.faults.append(f"a second pass of the same batch raises {_named(error)}")
            unlisted = unlisted_parameters(
                probe, self.new_probe(), lambda: self._forward(probe, self.inputs)
            )
            if not watch.faults:
                self._compare_again(first, again)
            if not watch.faults and not self.faults:
                with watch.attached():
                    self._same_size()
                if self._samples > 1:
                    self._compare_batch(self._reordered(), compare_second_batch)
            if not watch.faults and not self.faults:
                self._second_batch(compare_second_batch)
                watch.begin()
                with watch.attached():
                    self._first_batch_again(watch, first)
        self.faults = [*watch.faults, *self.faults, *unlisted]

    def _forward(self, probe: Subject, inputs: Array) -> Array:
        self.restart()
        return np.array(probe.forward(inputs))

    def _pass(self, probe: Subject, inputs: Array) -> dict[str, Array]:
        """Run forward and backward, and return copies of all gradients that there are."""
        self._forward(probe, inputs)
        probe.backward(inputs)
        found = probe.gradients()
        return {name: np.array(gradient) for name, _, gradient in found if gradient is not None}

    # The same batch again

    def _compare_again(self, first: list[Call], again: list[Call]) -> None:
        """See whether the same batch, right afterwards, has the same results."""
        found = first_difference(first, again)
        if found is None:
            return
        call, name, other = found
        if call.method == "backward":
            ratio = common_ratio(other, call.results[name])
            times = "" if ratio is None else f", {ratio:.4g} times the first"
            self.faults.append(
                f"{describe(call.part)}: the second backward of the same batch gives another "
                f"{name}{times}: it has to store the gradient, not to add it to an earlier one"
            )
        else:
            self.repeatable = False
            self.faults.append(f"{describe(call.part)}: {NOT_REPEATABLE}")

    def _first_batch_again(self, watch: Watch, first: list[Call]) -> None:
        try:
            self.probe.select(slice(None), self._samples)
            self._pass(self.probe, self.inputs)
        except Exception as error:
            self.faults.append(
                f"the first batch, after one of another size, raises {_named(error)}"
            )
            return
        if found := first_difference(first, watch.calls):
            call, name, _ = found
            self.faults.append(
                f"{describe(call.part)}: after a batch of another size, the {call.method} of the "
                f"first one gives another {name}: it depends on what an earlier batch left"
            )

    # Another batch

    def _same_size(self) -> None:
        """Run a batch with other numbers, to show the arrays that watched parts overwrite."""
        rows = self._reordered()
        self.probe.select(rows, self._samples)
        try:
            self._pass(self.probe, self.inputs[rows].copy())
        except Exception as error:
            self.notes.append(f"the same samples in another order raise {_named(error)}")

    def _reordered(self) -> Array:
        """Return the rows of the first batch, each in another place."""
        return np.roll(np.arange(self._samples), 1)

    def _second_batch(self, compare: bool) -> None:
        refused = ""
        for rows in _other_batches(self._samples):
            problem = self._compare_batch(rows, compare)
            if not problem:
                return
            refused = refused or problem
        if refused:
            self.notes.append(f"only batches of {_count(self._samples)} were checked: {refused}")

    def _compare_batch(self, rows: Array, compare: bool) -> str:
        """Compare a batch of ``rows`` with that of a new copy; say why if that is impossible."""
        batch = self.inputs[rows].copy()
        fresh = self.new_probe()
        fresh.select(rows, self._samples)
        try:
            expected = self._pass(fresh, batch)
        except Exception as error:
            return f"one of {_count(len(rows))} raises {_named(error)}"
        if not all(np.isfinite(gradient).all() for gradient in expected.values()):
            return f"one of {_count(len(rows))} gives NaN or infinity"
        self._compare_second(rows, batch, expected, compare)
        return ""

    def _compare_second(
        self, rows: Array, batch: Array, expected: dict[str, Array], compare: bool
    ) -> None:
        probe = self.probe
        probe.select(rows, self._samples)
        after = f"a batch of {_count(len(rows))}, after one of {self._samples},"
        try:
            found = self._pass(probe, batch)
            if compare:
                differences = Differences(probe, batch, self.tolerance, self.restart)
                found = self._pass(probe, batch)
                arrays = [(name, array) for name, array, _ in probe.gradients()]
        except Exception as error:
            self.faults.append(
                f"{after} raises {_named(error)}; without the first one it does not: something "
                "of the first batch is kept, such as a mask or its size"
            )
            return
        if not compare:
            return
        for name, array in arrays:
            array = batch if array is None else array
            gradient = found[name]
            if gradient.shape != array.shape:
                self.faults.append(
                    f"{after} gives {name} of shape {gradient.shape}, expected {array.shape}"
                )
                continue
            if text := self._wrong(differences, array, gradient, expected.get(name), len(rows)):
                self.faults.append(f"{after} gives a wrong {name}: {text}")

    def _wrong(
        self,
        differences: Differences,
        array: Array,
        gradient: Array,
        without_first: Array | None,
        samples: int,
    ) -> str:
        """Describe the fault of some elements of ``gradient``; "" if there is none."""
        flat = np.random.default_rng(DVALUES_SEED).permutation(array.size)[:CHECKED].tolist()
        if without_first is not None and without_first.shape == gradient.shape:
            gaps = np.abs(gradient - without_first).ravel()
            flat += [i for i in np.argsort(-gaps)[:CHECKED].tolist() if gaps[i] > 0]
        analytic, numerical = gradient.astype(np.float64), np.full(array.shape, math.nan)
        wrong = np.zeros(array.shape, dtype=bool)
        for place in dict.fromkeys(flat):
            index = tuple(int(i) for i in np.unravel_index(place, array.shape))
            result = differences.compare(
                array, index, max(self.step, 1e-8 * abs(array[index])), float(analytic[index])
            )
            if result is not None:
                numerical[index] = result.numerical
                wrong[index] = not result.error <= self.tolerance
        if not wrong.any():
            return ""
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        cause = ""
        ratio = common_ratio(analytic[wrong], numerical[wrong])
        if ratio is not None and math.isclose(ratio, samples / self._samples, rel_tol=1e-4):
            cause = f"; divided by {self._samples}, the size of the first batch?"
        elif text := hint(analytic, numerical, wrong, {"the {} samples": samples}):
            cause = f"; {text}"
        return (
            f"at {','.join(map(str, index))} backward gives {analytic[index]:.6g}, differences "
            f"give {numerical[index]:.6g}{cause or '; is something of the first batch kept?'}"
        )


def _other_batches(samples: int) -> Iterator[Array]:
    """Yield the rows of batches of other sizes, no row where it is in the first batch."""
    sizes = [samples - 1, samples + 1, 2 * samples, samples // 2]
    if samples <= 2:
        sizes = [samples + 1, 2 * samples, samples + 2]
    for size in dict.fromkeys(sizes):
        if 0 < size != samples:
            yield np.arange(1, size + 1) % samples


def _count(samples: int) -> str:
    return f"{samples} sample" if samples == 1 else f"{samples} samples"


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
