"""The kernels as compiled functions that are called by their address.

Each is compiled by itself when a network first needs it, and kept on disk (see ``compilation.py``).
Its address stands in the instruction, so the interpreter is compiled for no network in particular,
and a network waits for no kernels but its own.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

from framework.accelerated.jit import entry
from framework.accelerated.state import State
from framework.accelerated.vectors import Strided

# The arguments of the functions of each kind of kernel. The first is the instruction.
OPERATION = {
    "forward": ("op", "inputs", "state", "saved", "output"),
    "backward": ("op", "inputs", "output", "state", "saved", "dvalues", "dinputs"),
    "parameter_gradients": ("op", "inputs", "dvalues", "state", "saved"),
    "forward_partials": ("op", "inputs", "state"),
    "backward_partials": ("op", "dvalues", "state", "saved"),
    # Of products: see ``products.py``.
    "multiply": ("op", "out", "left", "right", "depth", "initial"),
}
LOSS = {
    "losses": ("loss", "inputs", "labels", "targets", "output", "per_sample"),
    "backward": ("loss", "output", "labels", "targets", "samples", "dinputs"),
}
OPTIMIZER = {
    "update": ("optimizer", "parameter", "gradient", "first", "second", "rate", "step"),
}
MOST_SAVED = 3


def _signature(names: Sequence[str], instruction: Any, number: Any) -> tuple[Any, ...]:
    """Return the types of the arguments ``names`` for arrays of ``number``."""
    vector, matrix = types.Array(number, 1, "C"), types.Array(number, 2, "C")
    strided = types.NamedTuple((vector, *(types.intp,) * 3), Strided)
    fields = (vector, vector, vector, matrix, matrix, types.intp, types.intp)
    found = {
        "state": types.NamedTuple(fields, State),
        "saved": types.UniTuple(matrix, MOST_SAVED),
        "labels": types.Array(types.intp, 1, "C"),
        "per_sample": vector,
        "samples": types.intp,
        "parameter": vector,
        "gradient": vector,
        "first": vector,
        "second": vector,
        "rate": types.float64,
        "step": types.intp,
        "left": strided,
        "right": strided,
        "depth": types.intp,
        "initial": vector,
    }
    return instruction, *(found.get(name, matrix) for name in names[1:])


_entry = cache(entry)


def write_addresses(
    instruction: Any, kernel: Any, functions: Mapping[str, Sequence[str]], dtype: np.dtype[Any]
) -> None:
    """Write into ``instruction`` where the ``functions`` of the module ``kernel`` are.

    They are compiled, or read from disk, if they were not called for before. One that the module
    lacks is at 0.
    """
    for name, arguments in functions.items():
        function = getattr(kernel, name, None)
        instruction[name] = _address(function, tuple(arguments), instruction.dtype, dtype)


@cache
def _address(
    function: Any, names: tuple[str, ...], instruction: np.dtype[Any], dtype: np.dtype[Any]
) -> int:
    if function is None:
        return 0
    compiled = _entry(function.py_func)
    arguments = _signature(names, numba.from_dtype(instruction), numba.from_dtype(dtype))
    compiled.compile(arguments)
    code = compiled.overloads[arguments]
    return int(code.library.get_pointer_to_function(code.fndesc.llvm_func_name))


def _caller(names: Sequence[str]) -> Any:
    """Return ``call(address, arguments)`` for compiled code."""

    @intrinsic
    def call(typingctx: Any, address: Any, arguments: Any) -> Any:
        instruction, array, *_ = arguments
        expected = types.Tuple(_signature(names, instruction, array.dtype))

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


call_forward = _caller(OPERATION["forward"])
call_backward = _caller(OPERATION["backward"])
call_parameter_gradients = _caller(OPERATION["parameter_gradients"])
call_forward_partials = _caller(OPERATION["forward_partials"])
call_backward_partials = _caller(OPERATION["backward_partials"])
call_multiply = _caller(OPERATION["multiply"])
call_losses = _caller(LOSS["losses"])
call_loss_backward = _caller(LOSS["backward"])
call_update = _caller(OPTIMIZER["update"])
