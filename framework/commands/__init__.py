"""What the command line can do, one module for each kind of command.

A module has ``add(commands)``, which declares its commands and their options, and the functions
that carry them out.
"""
