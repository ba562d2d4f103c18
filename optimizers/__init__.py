"""Optimizers: each updates any object that has ``weights`` and ``dweights``.

They import nothing from ``framework``, and work on classes of your own as well.
"""

from typing import TYPE_CHECKING

from optimizers import schedules as schedules
from optimizers.adagrad import Adagrad as Adagrad
from optimizers.adam import Adam as Adam
from optimizers.adamw import AdamW as AdamW
from optimizers.installation import warn_of_mixture
from optimizers.lion import Lion as Lion
from optimizers.nadam import Nadam as Nadam
from optimizers.optimizer import Optimizer as Optimizer
from optimizers.optimizer import State as State
from optimizers.rmsprop import RMSprop as RMSprop
from optimizers.sgd import SGD as SGD

__distribution__ = "dinputs"  # by which framework knows this package from others of its name
warn_of_mixture(__name__, __path__[0])

if not TYPE_CHECKING:  # type checkers read the "as" of each line instead
    __all__ = [
        "schedules",
        *sorted(name for name, value in globals().items() if isinstance(value, type)),
    ]

    def __dir__():
        return list(__all__)
