"""The chunk of a model's parameters that one rank updates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from framework.containers.supervised import Supervised
from framework.training.distributed.communicator import Communicator
from optimizers.arrays import Array
from optimizers.optimizer import Optimizer, State, joint_norm


class ParameterShard:
    """The chunk of a model's parameters that one rank updates, a layer to optimizers.

    Attributes:
        weights, dweights: this rank's chunk of the parameters, and its gradient.
    """

    def __init__(self, model: Supervised, communicator: Communicator) -> None:
        self._whole, self._communicator = model.parameters, communicator
        self._sizes = communicator.chunk_sizes(len(self._whole))
        self._own = communicator.chunk(len(self._whole))
        self.dweights = np.empty(self._sizes[communicator.rank], dtype=self._whole.dtype)

    @property
    def weights(self) -> Array:
        return self._whole.weights[self._own]

    def split(self, own: Array) -> Iterator[tuple[Any, str, Array]]:
        """Yield the operation and the name of each parameter, and the view of its part of ``own``.

        ``own`` is an array of the shape of ``weights``; the part may be empty.
        """
        positions = np.arange(len(self._whole))
        for operation, name, part in self._whole.split(positions):
            first = int(part.flat[0]) - self._own.start if part.size else 0
            yield operation, name, own[max(first, 0) : max(first + part.size, 0)]

    def reduce_gradient(self, gradient: Array, contributors: float) -> None:
        """Receive this chunk of the mean of the gradients of all contributing ranks."""
        mpi_communicator = self._communicator.mpi_communicator
        mpi_communicator.Reduce_scatter(gradient, self.dweights, self._sizes)
        self.dweights /= contributors

    def clip(self, optimizer: Optimizer) -> None:
        """Bound the norm of the whole gradient, if the optimizer has a bound."""
        if optimizer.max_gradient_norm is not None:
            norms = self._communicator.all_gather(joint_norm([self.dweights]))
            self.dweights *= optimizer.clipping_factor(math.hypot(*norms))

    def gather_parameters(self) -> None:
        """Receive the other chunks of the parameters from the ranks that updated them."""
        self._gather(self._whole.weights)

    def take_state(self, optimizer: Optimizer) -> None:
        """Begin with this chunk of the optimizer's state of the whole."""
        known = optimizer.state(self._whole)
        optimizer.state(self)["weights"] = State(
            {
                name: array[self._own].copy() if len(array) == len(self._whole) else array.copy()
                for name, array in known.get("weights", {}).items()
            }
        )

    def gather_state(self, optimizer: Optimizer) -> None:
        """Put the chunks of the optimizer's state together, on every rank."""
        whole = optimizer.state(self._whole).setdefault("weights", State())
        for name, own in optimizer.state(self).get("weights", State()).items():
            if own.shape != self.dweights.shape:
                whole[name] = own.copy()  # a number, or another array that is not per parameter
                continue
            array = whole.array(name, like=self._whole.weights)
            array[self._own] = own
            self._gather(array)

    def _gather(self, array: Array) -> None:
        mpi, mpi_communicator = self._communicator.mpi, self._communicator.mpi_communicator
        mpi_communicator.Allgatherv(mpi.IN_PLACE, [array, self._sizes])
