"""The same training by each library, from the same weights.

Every peer does what its documentation shows for plain training, and nothing less: a new order of
the samples each epoch, float32, Adam, the mean loss of the epoch. What is not installed is left
out, by name.
"""

import importlib.util

from benchmarks.peers.dinputs import Accelerated, Plain
from benchmarks.peers.jax import Jax, JaxScanned, Keras
from benchmarks.peers.peer import Peer
from benchmarks.peers.products import Arithmetic, Products
from benchmarks.peers.sklearn import ScikitLearn
from benchmarks.peers.torch import Torch, TorchCompiled, TorchFused

__all__ = [
    "PEERS",
    "Accelerated",
    "Arithmetic",
    "Jax",
    "JaxScanned",
    "Keras",
    "Peer",
    "Plain",
    "Products",
    "ScikitLearn",
    "Torch",
    "TorchCompiled",
    "TorchFused",
    "installed",
]

PEERS: tuple[type[Peer], ...] = (
    Arithmetic,
    Products,
    Plain,
    Accelerated,
    Torch,
    TorchFused,
    TorchCompiled,
    Jax,
    JaxScanned,
    ScikitLearn,
    Keras,
)


def installed(peers: list[type[Peer]]) -> list[type[Peer]]:
    """Return those whose package can be imported, and say which are left out."""
    missing = {p.package for p in peers if importlib.util.find_spec(p.package) is None}
    for peer in peers:
        if peer.package in missing:
            print(f"left out: {peer.name}, since there is no package {peer.package}")
    return [peer for peer in peers if peer.package not in missing]
