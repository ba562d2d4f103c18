"""The plain numbers that compiled code is given: the fields of its instructions."""

from functools import cache
from typing import Any

import numpy as np

from framework.accelerated import entries
from framework.accelerated.jit import version
from framework.accelerated.kernels import (
    LOSSES,
    OPERATIONS,
    OPTIMIZERS,
    settings,
)
from framework.accelerated.layers.windows import FIELDS

# A field without meaning: code on disk belongs to these sources. The fields after it are the
# addresses of the kernel's functions: see ``entries.py``.
VERSION = (version(), np.int64)

SETTINGS = settings(OPERATIONS)

INSTRUCTION = np.dtype(
    [
        VERSION,
        *((name, np.int64) for name in entries.OPERATION),
        ("n_inputs", np.int64),  # numbers per sample
        ("n_outputs", np.int64),
        ("last_axis", np.int64),  # of the inputs: features or channels
        ("output_axis", np.int64),  # the last axis of the output
        ("leaves_out_dinputs", np.int64),  # 1 where no one needs the gradient of the inputs
        ("parameters", np.int64),  # where they begin in the vector of all: see ``state.py``
        ("n_parameters", np.int64),
        ("n_weights", np.int64),  # of the first parameter
        ("frozen", np.int64),  # where those that are not trained begin among the statistics
        ("n_frozen", np.int64),
        ("parameter_row", np.int64),  # the parameters are shared out in rows of so many
        ("statistics", np.int64),
        ("n_statistics", np.int64),
        ("uniforms", np.int64),  # per sample
        ("n_uniforms", np.int64),
        ("inputs", np.int64),  # the places of arrays: see ``interpreter.py``
        ("output", np.int64),
        ("saved", np.int64),
        ("n_saved", np.int64),  # how many arrays
        ("dvalues", np.int64),
        ("dinputs", np.int64),
        ("partials", np.int64),  # per part
        ("n_partials", np.int64),
        *((name, np.int64) for name in FIELDS),
        *((name, np.float64) for name in SETTINGS),
    ]
)

LOSS_SETTINGS = settings(LOSSES)

LOSS = np.dtype(
    [
        VERSION,
        *((name, np.int64) for name in entries.LOSS),
        ("is_fused", np.int64),
        ("n_outputs", np.int64),
        ("output", np.int64),
        ("per_sample", np.int64),
        ("dinputs", np.int64),
        *((name, np.float64) for name in LOSS_SETTINGS),
    ]
)

OPTIMIZER_SETTINGS = ("max_gradient_norm", *settings(OPTIMIZERS))

OPTIMIZER = np.dtype(
    [
        VERSION,
        *((name, np.int64) for name in entries.OPTIMIZER),
        *((name, np.float64) for name in OPTIMIZER_SETTINGS),
    ]
)


def row_of(dtype: np.dtype[Any], **fields: float) -> tuple[float, ...]:
    """Return ``fields`` in the order of ``dtype``, 0 for those that are not given."""
    row = _zeros(dtype) | fields
    if unknown := row.keys() - _zeros(dtype).keys():
        raise TypeError(f"an instruction has no field {', '.join(unknown)}")
    return tuple(row.values())


@cache
def _zeros(dtype: np.dtype[Any]) -> dict[str, float]:
    return dict.fromkeys(dtype.names or (), 0)
