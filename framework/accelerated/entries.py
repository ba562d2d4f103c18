"""The kernels of operations as compiled functions that are called by their address.

Each is compiled by itself when a network first needs it, and kept on disk (see ``compilation.py``).
Its address stands in the instruction, so the interpreter is compiled for no network in particular,
and a network waits for no kernels but its own.
"""

from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from framework.accelerated.jit import cached_jit
from framework.accelerated.state import State
from framework.accelerated.thread_team import make_team

ARGUMENTS = {
    "forward": ("op", "inputs", "state", "saved", "output"),
    "backward": ("op", "inputs", "output", "state", "saved", "dvalues", "dinputs"),
    "parameter_gradients": (
        "op", "inputs", "dvalues", "state", "saved", "thread_team", "thread_id",
    ),
}  # fmt: skip
MOST_SAVED = 3


def _signature(name: str, op: Any, number: Any) -> tuple[Any, ...]:
    """Return the types of the arguments of a kernel for arrays of ``number``."""
    vector, matrix = types.Array(number, 1, "C"), types.Array(number, 2, "C")
    team = numba.typeof(make_team(1))
    fields = (vector, vector, vector, matrix, matrix, team, types.intp)
    found = {
        "op": op,
        "state": types.NamedTuple(fields, State),
        "saved": types.UniTuple(matrix, MOST_SAVED),
        "thread_team": team,
        "thread_id": types.intp,
    }
    return tuple(found.get(argument, matrix) for argument in ARGUMENTS[name])


_entry = cache(cached_jit)


@cache
def address(kernel: Any, name: str, instruction: np.dtype[Any], dtype: np.dtype[Any]) -> int:
    """Return where the function ``name`` of the module ``kernel`` is, 0 if it has none.

    It is compiled, or read from disk, if it was not called for before.
    """
    function = getattr(kernel, name, None)
    if function is None:
        return 0
    entry = _entry(function.py_func)
    arguments = _signature(name, numba.from_dtype(instruction), numba.from_dtype(dtype))
    entry.compile(arguments)
    compiled = entry.overloads[arguments]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def _caller(name: str) -> Any:
    """Return ``call(address, arguments)`` for compiled code."""

    @intrinsic
    def call(typingctx: Any, address: Any, arguments: Any) -> Any:
        op, inputs, *_ = arguments
        expected = types.Tuple(_signature(name, op, inputs.dtype))

        def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            place, packed = values
            convention = context.call_conv
            function_type = convention.get_function_type(types.none, expected.types)
            function = builder.inttoptr(place, function_type.as_pointer())
            unpacked = [builder.extract_value(packed, i) for i in range(len(expected))]
            status, _ = convention.call_function(
                builder, function, types.none, expected.types, unpacked
            )
            with builder.if_then(status.is_error, likely=False):
                convention.return_status_propagate(builder, status)
            return context.get_dummy_value()

        return types.none(types.intp, expected), code

    return call


call_forward = _caller("forward")
call_backward = _caller("backward")
call_parameter_gradients = _caller("parameter_gradients")
