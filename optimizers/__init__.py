"""Optimizers: each updates any object that has ``weights`` and ``dweights``.

They need nothing from ``framework`` and work just as well on a class of your own.
"""

from optimizers import schedules
from optimizers.adagrad import Adagrad
from optimizers.adam import Adam
from optimizers.adamw import AdamW
from optimizers.optimizer import Optimizer, State
from optimizers.rmsprop import RMSprop
from optimizers.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "State", "schedules"]
