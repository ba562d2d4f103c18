"""What each library's training has to offer."""

from typing import Any, ClassVar, Protocol

from benchmarks.workloads import Array, Workload


class Peer(Protocol):
    """One library's training of one workload."""

    name: ClassVar[str]
    package: ClassVar[str]  # that has to be installed

    def __init__(self, workload: Workload, X: Array, y: Any) -> None: ...

    def train(self, epochs: int, shuffle: bool = True) -> float | None:
        """Train for so many epochs and return the mean loss of the last one's batches.

        A second call goes on where the first one ended, Adam's memory included. Returns None
        where there is no loss.
        """

    def predict(self, X: Array) -> Any:
        """Return the outputs for ``X``, as a NumPy array."""
