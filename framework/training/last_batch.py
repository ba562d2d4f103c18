"""Leaves the pass of the last batch, forward and backward, in the operations after training."""

from __future__ import annotations

from typing import Any

from framework.containers.container import is_trained
from framework.containers.last_pass import LastPass
from framework.containers.supervised import Supervised
from framework.utils.warnings import warn_user
from optimizers.optimizer import parameter_names


class LastBatch:
    """Keeps the pass of the last batch, and completes it when training has ended.

    A step leaves out the gradient of the data, which no parameter needs. It is computed once, at
    the end, from the first layer's parameters as they were before the last update.
    """

    def __init__(self, model: Supervised) -> None:
        self.model = model
        self._pass: LastPass | None = None
        first = next((layer for layer in model.before_loss if is_trained(layer)), None)
        # Other operations have computed their ``dinputs`` together with their gradients.
        is_left_out = hasattr(first, "parameter_gradients")
        names = parameter_names(first) if is_left_out else ()
        self._first = [(first, name) for name in names]
        self._before: list[Any] = []

    def before_update(self) -> None:
        """Copy the first layer's parameters before an update that may be the last."""
        self._before = [getattr(layer, name).copy() for layer, name in self._first]

    def keep(self) -> None:
        """Keep the pass of the last step, before callbacks make passes of their own."""
        self._pass = LastPass(self.model)

    def release(self) -> None:
        """Keep nothing, which takes no memory, and no parameters that will be outdated."""
        self._pass, self._before = None, []

    def complete(self) -> None:
        """Leave every operation with its output, ``dinputs`` and gradients of the last batch."""
        if self._pass is not None:
            self._pass.restore()
        now = [getattr(layer, name).copy() for layer, name in self._first]
        self._set_first(self._before)
        try:
            self.model.complete_backward()
        except NotImplementedError:
            pass  # an operation without a gradient, before the first layer
        except Exception as error:
            # Training does not need these gradients, and its result is not lost for them.
            warn_user(
                f"the gradients of the data could not be computed after training: "
                f"{type(error).__name__}: {error}"
            )
        finally:
            self._set_first(now)

    def _set_first(self, values: list[Any]) -> None:
        for (layer, name), array in zip(self._first, values, strict=False):
            getattr(layer, name)[...] = array
