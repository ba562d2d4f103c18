"""The base class of operations: attributes that were renamed."""

from typing import Any

import numpy as np
import pytest

from framework import (
    BatchNormalization,
    Dense,
    MeanSquaredError,
    Model,
    Operation,
    ReLU,
)
from optimizers import SGD

RENAMED = "samplewise was renamed: use independent_samples"


class Rows:
    """Passes the inputs on, and keeps how many samples it was given each time."""

    samples: list[int]

    def forward(self, inputs: Any, training: bool = True) -> Any:
        self.samples = [*getattr(self, "samples", []), len(inputs)]
        self.output = inputs.copy()
        return self.output

    def backward(self, dvalues: Any) -> Any:
        self.dinputs = dvalues.copy()
        return self.dinputs


def samples_at_once(operation: Any) -> int:
    """The most samples that ``operation`` is given while 10,000 are one batch."""
    X = np.ones((10_000, 1), np.float32)
    model = Model([operation, Dense(1, 1)])
    model.set(loss=MeanSquaredError(), optimizer=SGD(0.01))
    model.finalize()
    model.train(X, X, batch_size=None, progress=False)
    return max(operation.samples)


def test_the_old_name_samplewise_is_read_with_a_warning() -> None:
    for operation in (Dense(2, 3), Dense, ReLU()):
        with pytest.warns(DeprecationWarning, match=RENAMED):
            assert operation.samplewise is True
    for operation in (BatchNormalization(2), Operation):
        with pytest.warns(DeprecationWarning, match=RENAMED):
            assert operation.samplewise is False


def test_the_old_name_samplewise_is_set_with_a_warning() -> None:
    layer = Dense(2, 3)
    with pytest.warns(DeprecationWarning, match=RENAMED):
        layer.samplewise = False
    assert layer.independent_samples is False


def test_a_class_that_declares_samplewise_has_independent_samples() -> None:
    with pytest.warns(DeprecationWarning, match=RENAMED) as shown:

        class Declared(Rows, Operation):
            samplewise = True

    assert shown[0].filename == __file__
    assert Declared.independent_samples is True
    assert samples_at_once(Declared()) < 10_000

    with pytest.warns(DeprecationWarning, match=RENAMED):

        class Computed(Rows, Operation):
            many = False

            @property
            def samplewise(self) -> bool:
                return self.many

    operation = Computed()
    assert operation.independent_samples is False
    operation.many = True
    assert operation.independent_samples is True
    assert samples_at_once(Computed()) == 10_000


def test_samplewise_counts_with_a_warning_if_it_is_set_on_a_class_later() -> None:
    class Together(Rows, Operation):
        independent_samples = True

    class Alone(Rows, Operation):
        pass

    Together.samplewise, Alone.samplewise = False, True  # type: ignore[assignment, method-assign]
    with pytest.warns(DeprecationWarning, match=f"Together.{RENAMED}"):
        assert samples_at_once(Together()) == 10_000
    with pytest.warns(DeprecationWarning, match=f"Alone.{RENAMED}"):
        assert samples_at_once(Alone()) < 10_000


def test_any_class_that_declares_samplewise_is_given_micro_batches_with_a_warning() -> None:
    class Alone(Rows):
        samplewise = True

    with pytest.warns(DeprecationWarning, match=f"Alone.{RENAMED}"):
        assert samples_at_once(Alone()) < 10_000


def test_independent_samples_need_no_base_class() -> None:
    class Alone(Rows):
        independent_samples = True

    assert samples_at_once(Alone()) < 10_000
    assert samples_at_once(Rows()) == 10_000
