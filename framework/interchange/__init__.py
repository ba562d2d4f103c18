"""Networks in ONNX files, for other programs and from them.

| file | job |
|---|---|
| ``onnx_patterns.py`` | the ONNX pattern of each operation: the only file a new operation touches |
| ``onnx_expressions.py`` | expressions of ONNX operators, of which patterns are made |
| ``onnx_export.py`` | writes a model: ``Model.export_onnx`` |
| ``onnx_graph.py`` | reads an ONNX file and checks it; it is not trusted |
| ``onnx_matching.py`` | finds a pattern in a graph |
| ``onnx_import.py`` | makes a model of a graph: ``Model.from_onnx`` |
| ``builders.py`` | makes an operation from its numbers and arrays; used for PyTorch too |
"""
