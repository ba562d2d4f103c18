"""The same numbers in another shape, for compiled code.

    as_vector(array)                 array.ravel()
    as_matrix(array, rows, columns)  array.reshape(rows, columns)

of arrays in C order. Numba's own take twenty nanoseconds and more, and a small step has some fifty
of them. The sizes are not compared.
"""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array


def _view(context: Any, builder: Any, kind: Any, array: Any, result: Any, sizes: list[Any]) -> Any:
    source, view = make_array(kind)(context, builder, array), make_array(result)(context, builder)
    strides = [source.itemsize]
    for size in reversed(sizes[1:]):
        strides.insert(0, builder.mul(strides[0], size))
    populate_array(
        view,
        data=source.data,
        shape=cgutils.pack_array(builder, sizes),
        strides=cgutils.pack_array(builder, strides),
        itemsize=source.itemsize,
        meminfo=source.meminfo,
        parent=source.parent,
    )
    return impl_ret_borrowed(context, builder, result, view._getvalue())


def _code_of_as_vector(typingctx: Any, array: Any) -> Any:
    result = types.Array(array.dtype, 1, "C")

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        size = make_array(kind)(context, builder, arguments[0]).nitems
        return _view(context, builder, kind, arguments[0], result, [size])

    return result(array), code


def _code_of_as_matrix(typingctx: Any, array: Any, rows: Any, columns: Any) -> Any:
    result = types.Array(array.dtype, 2, "C")

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, *sizes = arguments
        return _view(context, builder, signature.args[0], array, result, sizes)

    return result(array, types.intp, types.intp), code


as_vector: Any = intrinsic(_code_of_as_vector)
as_matrix: Any = intrinsic(_code_of_as_matrix)
