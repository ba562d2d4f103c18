"""Compiles the training steps of networks in a thread of its own, so that no page waits for it."""

from __future__ import annotations

import copy
from collections.abc import Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np

from framework.playground.experiment import Experiment
from framework.playground.network import accelerate
from framework.playground.run import Run
from framework.utils.stacks import stack_for_compiler

# What was compiled before is there, or is read from disk, in a moment, for which a session waits.
PATIENCE = 0.3  # seconds


class Compiler:
    """Knows which networks have compiled steps in this process, and compiles those of others.

    The first time on a machine that takes about 12 seconds. A network is compiled by a copy of it,
    which takes a step.
    """

    def __init__(self) -> None:
        self._asked: dict[Hashable, Future[bool]] = {}
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="playground compiler")

    def is_ready(self, experiment: Experiment) -> bool:
        """Whether the steps of an experiment are compiled; if they can be, that has begun."""
        if experiment.model is None:
            return False
        kind = _kind(experiment)
        if kind not in self._asked:
            is_idle = all(future.done() for future in self._asked.values())
            self._asked[kind] = self._begin(experiment)
            if is_idle:
                wait([self._asked[kind]], PATIENCE)
        return _is_compiled(self._asked[kind])

    def said_of(self, experiment: Experiment) -> str:
        """Return what there is to say about the pace of an experiment; empty if nothing."""
        future = None if experiment.model is None else self._asked.get(_kind(experiment))
        if future is None or experiment.is_accelerated:
            return ""
        if not future.done():
            return "compiling, once for this machine; slower until then"
        return "compiled: start again to train faster" if _is_compiled(future) else ""

    def _begin(self, experiment: Experiment) -> Future[bool]:
        size = experiment.settings.training.batch_size
        points = experiment.split.train.take(np.arange(min(size, len(experiment.split.train))))
        data = experiment.inputs_of(points.X), points.y
        model = copy.deepcopy(experiment.model)
        assert model is not None

        def compile_steps() -> bool:
            accelerate(model)
            if model.trainer is None:
                return False
            Run(model, data, None, size, np.random.default_rng(0)).advance(batches=1)
            return True

        with stack_for_compiler():
            return self._executor.submit(compile_steps)


def _is_compiled(future: Future[bool]) -> bool:
    return future.done() and future.exception() is None and future.result()


def _kind(experiment: Experiment) -> Hashable:
    """Return a key that experiments share whose steps need the same compiled code."""
    model = experiment.model
    assert model is not None
    parts = model.loss, model.optimizer, model.accuracy
    size = min(experiment.settings.training.batch_size, len(experiment.split.train))
    return (repr(model.layers), *(type(part) for part in parts), size)
