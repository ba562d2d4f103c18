"""What the tests of ``framework.distributed`` start under ``mpiexec``: one program each."""
