"""The nodes and the arrays in an ONNX file, as Python and NumPy have them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from framework.errors import OnnxError
from framework.interchange.builders import number_of
from optimizers.arrays import Array

# ONNX's own operators, and those of classical models, such as scikit-learn's.
CLASSICAL_DOMAIN = "ai.onnx.ml"
DOMAINS = {"": "", "ai.onnx": "", CLASSICAL_DOMAIN: CLASSICAL_DOMAIN}
# The field that has the numbers of a tensor, unless they are kept as bytes.
FIELDS = {
    "FLOAT": "float_data",
    "DOUBLE": "double_data",
    "FLOAT16": "int32_data",
    "BFLOAT16": "int32_data",
    "INT32": "int32_data",
    "INT64": "int64_data",
    "BOOL": "int32_data",
}
# Numbers of fewer digits are computed with as these.
HALF_PRECISION = ("FLOAT16", "BFLOAT16")


@dataclass(frozen=True)
class GraphNode:
    """A node that is known to be undamaged.

    Attributes:
        operator, domain, name: as in the file; the domain of ONNX's own operators is "".
        inputs, outputs: names of values; "" for one that is left out.
        attributes: those of the operator, defaults included; None if ONNX does not know the
            operator, or one of its attributes.
        defaults: of the attributes that have one.
    """

    operator: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] | None
    defaults: Mapping[str, Any]

    def __str__(self) -> str:
        name = self.name or next(iter(self.outputs), "")
        return f"node {name!r} ({self.operator})"


class Reader:
    """Reads the nodes and tensors of a file with these versions of the operators, by domain."""

    def __init__(self, onnx: Any, operator_sets: Mapping[str, int]) -> None:
        self._onnx = onnx
        self._operator_sets = operator_sets
        types = onnx.TensorProto.DataType
        self._fields = {types.Value(name): field for name, field in FIELDS.items()}
        self._half = {types.Value(name) for name in HALF_PRECISION}
        self._schema = cache(self._schema_of)

    def node(self, proto: Any) -> GraphNode:
        """Return the node of a ``NodeProto``. Raises OnnxError if it is damaged."""
        texts = [proto.op_type, proto.domain, proto.name, *proto.input, *proto.output]
        if not all(isinstance(text, str) for text in texts):  # bytes that are not UTF-8
            name = proto.name or next(iter(proto.output), "")
            raise OnnxError(f"node {name!r} ({proto.op_type}) is damaged")
        domain = DOMAINS.get(proto.domain, proto.domain)
        kinds, defaults = self._schema(proto.op_type, domain)
        attributes: dict[str, Any] | None = None
        if kinds is not None:
            attributes = dict(defaults)
            for attribute in proto.attribute:
                if kinds.get(attribute.name) != attribute.type:
                    attributes = None
                    break
                attributes[attribute.name] = self._value(attribute)
        inputs = list(proto.input)
        while inputs and not inputs[-1]:
            inputs.pop()
        return GraphNode(
            proto.op_type,
            domain,
            proto.name,
            tuple(inputs),
            tuple(proto.output),
            attributes,
            defaults,
        )

    def array(self, tensor: Any) -> Array | None:
        """Return the numbers of a ``TensorProto``, None for a type that no operation here has.

        Raises OnnxError if they are in another file, or not as many as there should be.
        """
        if tensor.data_location == tensor.EXTERNAL or tensor.external_data:
            raise OnnxError(
                f"the numbers of {tensor.name!r} are in another file, and only this one is read: "
                "save the network as one file, in PyTorch by external_data=False"
            )
        if tensor.data_type not in self._fields:
            return None
        if tensor.HasField("raw_data"):
            dtype = self._onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
            present = len(tensor.raw_data) / dtype.itemsize
        else:
            present = len(getattr(tensor, self._fields[tensor.data_type]))
        if min(tensor.dims, default=0) < 0 or math.prod(tensor.dims) != present:
            raise OnnxError(
                f"{tensor.name!r} should have shape {tuple(tensor.dims)}, but the file has "
                f"{present:g} numbers for it"
            )
        array: Array = self._onnx.numpy_helper.to_array(tensor)
        return array.astype(np.float32) if tensor.data_type in self._half else array

    def _schema_of(
        self, operator: str, domain: str
    ) -> tuple[dict[str, int] | None, dict[str, Any]]:
        """Return the types of the attributes of an operator, None if not known, and defaults."""
        try:
            schema = self._onnx.defs.get_schema(operator, self._operator_sets[domain], domain)
        except (KeyError, self._onnx.defs.SchemaError):
            return None, {}
        declared = schema.attributes.values()
        return (
            {one.name: one.type.value for one in declared},
            {
                one.name: self._value(one.default_value)
                for one in declared
                if one.default_value.name
            },
        )

    def _value(self, attribute: Any) -> Any:
        """Return the value of an ``AttributeProto``: text is decoded, and 0.1 is 0.1."""
        if attribute.type == attribute.TENSOR:
            return self.array(attribute.t)
        value = self._onnx.helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, float):
            return number_of(np.float32(value))
        if isinstance(value, list) and value and isinstance(value[0], bytes):
            return [text.decode() for text in value]
        return value
