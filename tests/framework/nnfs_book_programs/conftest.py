"""These are programs, run by ``test_nnfs_book.py`` in processes of their own: not tests."""

collect_ignore_glob = ["*.py"]
