"""A copy of a model, to look into without a trace in the model itself."""

from __future__ import annotations

import copy

from framework.containers.supervised import Supervised
from framework.operation import describe


def probe_of(model: Supervised) -> Supervised:
    """Return a finalized copy of ``model``: the same operations and loss, in plain NumPy.

    What a pass through it stores or learns, gradients and running statistics included, leaves
    ``model`` as it was. Raises TypeError for what is no model, RuntimeError before ``finalize``.
    """
    if not isinstance(model, Supervised):
        raise TypeError(f"a Model is expected, received {describe(model)}")
    model.parameters  # noqa: B018 - raises before finalize
    layers, loss = copy.deepcopy((model.layers, model.loss))
    probe = type(model)(layers, dtype=model.dtype)
    probe.set(loss=loss)
    probe.finalize()
    return probe
