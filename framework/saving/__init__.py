"""Models in files, without pickle.

| file | job |
|---|---|
| ``model_file.py`` | the content of a model file; saving and loading models and parameters |
| ``operations.py`` | the operations of a file, made only if their arrays are there |
| ``metrics.py`` | the metrics of a model |
| ``optimizer_state.py`` | the states of the optimizer and the accuracy |
| ``serialization.py`` | objects as JSON: their class and their constructor arguments |
| ``registry.py`` | the classes that a file may name |
| ``format_1.py`` | the names in files that are not those of the code |
| ``file_format.py`` | the bytes: tensors, JSON, checksum; one error for every damage |
"""
