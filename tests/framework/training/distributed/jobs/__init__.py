"""The programs that the tests of distributed training start under ``mpiexec``."""
