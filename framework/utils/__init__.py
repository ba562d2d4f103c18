"""Tools without a model in them.

| module | contents |
|---|---|
| ``rng`` | the random generator, and its state |
| ``all_reduce`` | sums over the processes of a training |
| ``threads`` | the number of BLAS threads |
| ``lines`` | lines on standard output and error |
| ``aligned`` | arrays that begin with a line of the cache |
| ``files``, ``memory_maps`` | writing files atomically; reading mapped arrays in little memory |
| ``exports`` | the classes that a package exports |
| ``classes`` | from outputs to classes |
| ``dataframes`` | cells of a DataFrame that are no finite numbers |
| ``neighbours`` | other packages of the names ``optimizers`` and ``datasets`` |
| ``text`` | text from files, made fit for a terminal |
| ``optional``, ``warnings``, ``deprecation`` | optional packages, warnings, renamed attributes |
"""
