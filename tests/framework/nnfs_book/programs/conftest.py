"""These are programs, run by ``test_programs.py`` in processes of their own: not tests."""

collect_ignore_glob = ["*.py"]
