"""Networks in ONNX files, for other programs and from them.

| file | job |
|---|---|
| ``onnx_patterns/`` | the ONNX pattern of each operation: the only place a new operation touches |
| ``onnx_expressions.py`` | expressions of ONNX operators, of which patterns are made |
| ``onnx_export.py``, ``onnx_writer.py`` | write a model: ``Model.export_onnx`` |
| ``onnx_graph.py``, ``onnx_nodes.py``, ``onnx_constants.py`` | read a file, which is not trusted |
| ``onnx_outputs.py`` | chooses the output |
| ``onnx_matching.py`` | finds a pattern in a graph |
| ``onnx_import.py`` | makes a model of a graph: ``Model.from_onnx`` |
| ``assembly.py``, ``layout.py`` | put operations together from those with channels first |
| ``foreign/`` | layers as such programs describe them; used for PyTorch too |
| ``builders.py`` | makes an operation from its numbers and arrays |
"""
