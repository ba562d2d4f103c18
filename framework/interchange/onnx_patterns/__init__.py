"""The ONNX pattern of each operation: its entry in ``EXPORT``.

A pattern is written into a graph when a model is exported, and looked for in a graph when one is
imported, so one entry does both. ``IMPORT`` has the further patterns of other programs. Each file
has both for the operations of one kind:

| file | operations |
|---|---|
| ``dense.py`` | ``Dense``, ``Scale``, ``Normalization`` |
| ``convolution.py``, ``pooling.py`` | those; in float64 by slices, see ``windows.py`` |
| ``normalization.py`` | ``BatchNormalization``, ``LayerNormalization`` |
| ``activations.py`` | activations; ``erfc.py`` for the exact GELU in float64 |
| ``shapes.py`` | ``Flatten``, ``Reshape``, ``Permute``, ``ZeroPadding2D``, ``Dropout`` |
| ``classical.py`` | what scikit-learn's converter writes |

``pattern.py`` says what a pattern is.
"""

from framework.interchange.onnx_expressions import Node
from framework.interchange.onnx_patterns import (
    activations,
    classical,
    convolution,
    dense,
    normalization,
    pooling,
    shapes,
)
from framework.interchange.onnx_patterns.pattern import Builder, Pattern, default_builder
from framework.operation import Operation

KINDS = (dense, convolution, pooling, normalization, activations, shapes, classical)

EXPORT: dict[type[Operation], Pattern] = {
    cls: pattern for kind in KINDS for cls, pattern in kind.EXPORT.items()
}


def patterns_by_operator() -> dict[str, list[tuple[Node, Builder]]]:
    """Return all patterns with their builders, by their last operator, the largest first."""
    patterns = [pattern for kind in KINDS for pattern in kind.IMPORT]
    for pattern, cls in {pattern: cls for cls, pattern in EXPORT.items()}.items():
        builder = pattern.builder or default_builder(cls)
        patterns += [
            (form.expression, form.builder or builder)
            for form in pattern.forms
            if isinstance(form.expression, Node)
        ]
    found: dict[str, list[tuple[Node, Builder]]] = {}
    for expression, builder in sorted(patterns, key=lambda entry: -entry[0].size):
        found.setdefault(expression.operator, []).append((expression, builder))
    return found
