"""Networks from PyTorch, and to it: ``from_torch`` and ``to_torch``.

Both copy the parameters, so either network can be trained without changing the other. PyTorch is
imported when one of them is called.

Images have their channels last here and first in PyTorch, and so has each network its own. Weights
are turned round, and what is flattened is put into the other order by the layer behind it. A
network whose first layers work on rows, or only flatten, takes the same arrays on both sides.

A batch normalization differs in one respect: PyTorch's running variance moves towards the variance
divided by ``m - 1``, ours towards the variance divided by ``m``, for ``m`` values in a batch.
Outputs and gradients are the same.

| file | job |
|---|---|
| ``modules.py`` | the module of each operation that works on any axes |
| ``from_torch.py``, ``readers.py`` | read modules, by the functions of ``interchange/foreign`` |
| ``to_torch.py``, ``writers.py``, ``module_writer.py`` | write modules |
| ``own_modules.py`` | modules that PyTorch lacks |
"""

from framework.pytorch.from_torch import from_torch as from_torch
from framework.pytorch.to_torch import to_torch as to_torch
