"""Operations made of operations.

| class | what it adds |
|---|---|
| ``Container`` | the base class: it lists the operations that it is made of |
| ``Sequential`` | operations in order, their parameters in one vector, shapes checked |
| ``Residual`` | what operations compute, added to their inputs |
| ``Supervised`` | a ``Sequential`` with a loss, an optimizer and an accuracy |

Beside them: ``calls.py`` runs operations in order, ``shapes.py`` follows the shapes through them,
``arrays.py`` copies their parameters, ``flattening.py`` opens a ``Sequential`` inside, ``head.py``
has the loss and the last activation, ``backpropagation.py`` the way back from them,
``update.py`` the step of the optimizer, ``predictions.py`` the meaning of outputs, ``last_pass.py``
what a pass has stored.

``Model`` (``framework/model.py``) is a ``Supervised`` with the verbs: train, evaluate, save, …
"""

from framework.containers.container import Container
from framework.containers.residual import Residual
from framework.containers.sequential import Sequential
from framework.containers.supervised import Supervised

__all__ = ["Container", "Residual", "Sequential", "Supervised"]
