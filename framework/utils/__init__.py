"""Tools without a model in them.

| module | contents |
|---|---|
| ``rng`` | the random generator, and its state |
| ``all_reduce`` | sums over the processes of a training |
| ``threads`` | the number of BLAS threads |
| ``files``, ``memory_maps`` | writing files atomically; reading mapped arrays in little memory |
| ``exports`` | the classes that a package exports |
| ``classes`` | from outputs to classes |
| ``optional``, ``warnings``, ``deprecation`` | optional packages, warnings, renamed attributes |
"""
