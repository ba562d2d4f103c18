"""Layers as ONNX and PyTorch describe them, with channels first: each function adds one.

| file | what is added to an ``Assembly`` |
|---|---|
| ``dense.py`` | dense layers |
| ``arithmetic.py`` | numbers for each feature, or for all, that are added or multiplied by |
| ``normalization.py`` | batch and layer normalization |
| ``convolution.py``, ``pooling.py``, ``padding.py`` | layers for images and sequences |
"""
