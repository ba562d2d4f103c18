"""Kernels of ``framework.layers``, a file of the same name for each."""
