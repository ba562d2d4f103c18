"""Trainings in processes of their own, which take turns.

An idle thread of a library's BLAS or OpenMP looks for work for tens of milliseconds, and takes them
from whatever is measured next. So each training has a process of its own, which waits, asleep,
until it is told to go on; and nobody is told before the threads of the last one have gone to sleep.

    python -m benchmarks.turns NAME WORKLOAD BATCHES

is such a process: it prints what each line of its input asks for, as JSON (see ``Training``).
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from benchmarks.peers import PEERS
from benchmarks.workloads import WORKLOADS, Workload

CHECKED_BATCHES = 4
# Seconds, after which no thread looks for work any more.
SLEEP = 0.25


class Training:
    """The training of ``workload`` by the peer ``name``, in a process of its own.

    Args:
        environment: further environment variables of the process.
    """

    def __init__(
        self, name: str, workload: Workload, environment: Mapping[str, str] | None = None
    ) -> None:
        place = [w.name for w in WORKLOADS].index(workload.name)
        command = [sys.executable, "-m", "benchmarks.turns", name, str(place)]
        self.name = name
        self._process = subprocess.Popen(
            [*command, str(workload.batches)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
            text=True,
        )

    def loss(self) -> float | None:
        """Return the loss after three short epochs in order, from the first weights."""
        loss: float | None = self._ask("loss")
        return loss

    def train(self, epochs: int) -> float:
        """Train for so many epochs and return the seconds that this took."""
        return float(self._ask("train", epochs))

    def predict(self, samples: int, calls: int) -> float:
        """Predict so many samples, in each of ``calls``, and return the seconds of all."""
        return float(self._ask("predict", samples, calls))

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, *request: object) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process of {self.name} has ended")
        time.sleep(SLEEP)
        return json.loads(answer)


@contextmanager
def trainings(
    names: Sequence[str], workload: Workload, environment: Mapping[str, str] | None = None
) -> Iterator[list[Training]]:
    """Give a ``Training`` of ``workload`` for each name, and end them all."""
    with ExitStack() as stack:
        started = []
        for name in names:
            started.append(Training(name, workload, environment))
            stack.callback(started[-1].close)
        yield started


@contextmanager
def busy_program() -> Iterator[subprocess.Popen[bytes]]:
    """Keep another program busy, on one core."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def in_turn(works: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, float]:
    """Return the median of what each returns, all of them called once in every round."""
    measured: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(repetitions + 1):
        for name, work in works.items():
            seconds = work()
            if round_:  # the first is to warm up
                measured[name].append(seconds)
    return {name: statistics.median(times) for name, times in measured.items()}


def main(name: str, place: int, batches: int) -> None:
    """Answer the lines of the input."""
    workload = replace(WORKLOADS[place], batches=batches)
    (peer_class,) = (peer for peer in PEERS if peer.name == name)
    X, y = workload.data()
    peer: Any = None
    for line in sys.stdin:
        what, *arguments = json.loads(line)
        if what == "loss":
            few = replace(workload, batches=min(workload.batches, CHECKED_BATCHES))
            print(json.dumps(peer_class(few, *few.data()).train(3, shuffle=False)), flush=True)
            continue
        peer = peer or peer_class(workload, X, y)
        started = time.perf_counter()
        if what == "train":
            peer.train(*arguments)
        else:
            samples, calls = arguments
            for _ in range(calls):
                peer.predict(X[:samples])
        seconds = time.perf_counter() - started
        print(json.dumps(seconds * getattr(peer, "share", 1.0)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
