"""AdamW: Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Iterable

from optimizers.adam import Adam
from optimizers.checks import check_non_negative
from optimizers.optimizer import LearningRate
from optimizers.weight_decay import WeightDecay, check_excluded


class AdamW(WeightDecay, Adam):
    """Adam whose parameters also shrink by a constant factor in each step, ``t = iterations + 1``.

        parameter          = parameter - learning_rate * weight_decay * parameter
        momentum           = beta_1 * momentum + (1 - beta_1) * gradient
        cache              = beta_2 * cache + (1 - beta_2) * gradient²
        corrected_momentum = momentum / (1 - beta_1ᵗ)
        corrected_cache    = cache / (1 - beta_2ᵗ)
        step               = learning_rate * corrected_momentum / (√corrected_cache + epsilon)
        parameter          = parameter - step

    Unlike the gradient of an L2 penalty, the decay is not divided by the size of the gradient. It
    applies to all parameters, biases included, but for those of ``decay_exclude``.

    Args:
        learning_rate, decay, epsilon, beta_1, beta_2, max_gradient_norm: see ``Adam``.
        weight_decay: at least 0.
        decay_exclude: the names of parameters that do not decay, such as ``("biases",)``. A name
            stands for the parameters of all layers, or with a class, as in
            "BatchNormalization.weights", for those of one kind of layer. A name that no
            parameter of a model has is refused by ``Model.finalize``.

    Raises:
        TypeError, ValueError: for an argument of another kind, or out of its range.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        decay: float = 0.0,
        epsilon: float = 1e-7,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        weight_decay: float = 0.01,
        *,
        decay_exclude: Iterable[str] = (),
        max_gradient_norm: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, decay, epsilon, beta_1, beta_2, max_gradient_norm=max_gradient_norm
        )
        self.weight_decay = check_non_negative("weight_decay", weight_decay)
        self.decay_exclude = check_excluded(decay_exclude)
