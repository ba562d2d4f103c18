"""Kernels of ``optimizers``, a file of the same name for each."""
