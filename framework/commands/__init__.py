"""The commands of the command line.

Each module has ``add(commands)``, which declares its commands and their options, and the functions
that run them.
"""

from framework.utils.neighbours import check_ours

check_ours("datasets")  # before anything imports from it
