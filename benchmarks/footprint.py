"""What a process costs that does nothing but import a library and train a network with it.

    python -m benchmarks.footprint NAME

prints, as JSON, the seconds that the import took and the most memory that was in use.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.peers import Peer

# What a user of the peer imports.
IMPORTS = {
    "dinputs": "framework, optimizers",
    "dinputs accelerated": "framework.accelerated, optimizers",
    "PyTorch": "torch",
    "PyTorch fused": "torch",
    "JAX": "jax.numpy",
    "scikit-learn": "sklearn.neural_network",
    "Keras on JAX": "keras",
}


def footprints(peers: Sequence[type["Peer"]], repetitions: int) -> list[list[str]]:
    """Return a line for each peer, of medians over fresh processes."""
    lines = []
    for peer in peers:
        if peer.name in IMPORTS:
            found = [_in_a_process(peer.name) for _ in range(min(repetitions, 5))]
            seconds, megabytes = (statistics.median(each) for each in zip(*found, strict=True))
            lines.append([peer.name, f"{seconds:.2f}", f"{megabytes:.0f}"])
    return lines


def _in_a_process(name: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.footprint", name]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(printed.splitlines()[-1])
    return found["seconds"], found["megabytes"]


def main() -> None:
    """Import, train and print what it took."""
    (name,) = sys.argv[1:]
    if name == "dinputs accelerated":
        # Numba loads it where it finds it, but the extra [fast] does not bring it.
        sys.modules["scipy"] = None  # type: ignore[assignment]
    started = time.perf_counter()
    exec(f"import {IMPORTS[name]}")
    seconds = time.perf_counter() - started
    # Only now, since it imports dinputs, which is in everyone's memory then, but is not large.
    from dataclasses import replace

    from benchmarks.peers import PEERS
    from benchmarks.workloads import WORKLOADS

    workload = replace(WORKLOADS[3], batches=100)
    peer = next(peer for peer in PEERS if peer.name == name)
    peer(workload, *workload.data()).train(1)
    print(json.dumps({"seconds": seconds, "megabytes": peak_memory()}))


def peak_memory() -> float:
    """The largest resident set of this process so far, in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, whose other figure begins with that of the parent process
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
