"""Kernels of ``framework.activations``, a file of the same name for each."""
