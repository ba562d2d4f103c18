"""Exercises that mark themselves, and checks of answers against a reference.

    from framework import exercises

    exercises.check_operation(MyReLU(), like=ReLU())     # also check_loss, check_optimizer
    exercises.get("relu").check(MyReLU)                  # exercises.all() lists them
    exercises.mark("relu.py")                            # in a process of its own

| module | contents |
|---|---|
| ``operations``, ``losses``, ``optimizers``, ``checks`` | what is compared with a reference |
| ``random_operations``, ``operation_modes`` | the same for Dropout; for other modes and numbers |
| ``arithmetic``, ``…_suspects`` | mistakes, and the numbers that they lead to |
| ``calls`` | a learner's code is run, and its exceptions told with their lines |
| ``report`` | points and hints |
| ``exercise``, ``catalogue``, ``texts/`` | the exercises: one file each |
| ``marking``, ``worker`` | a file is marked in a process of its own |
"""

from framework.exercises.catalogue import all as all
from framework.exercises.catalogue import get as get
from framework.exercises.checks import check_function as check_function
from framework.exercises.exercise import Exercise as Exercise
from framework.exercises.losses import check_loss as check_loss
from framework.exercises.marking import mark as mark
from framework.exercises.operations import check_operation as check_operation
from framework.exercises.optimizers import check_optimizer as check_optimizer
from framework.exercises.report import Check as Check
from framework.exercises.report import Report as Report

__all__ = [
    "Check",
    "Exercise",
    "Report",
    "all",
    "check_function",
    "check_loss",
    "check_operation",
    "check_optimizer",
    "get",
    "mark",
]


def __dir__() -> list[str]:
    return __all__
