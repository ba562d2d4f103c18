"""An experiment as a Python script, which prints the same figures when it is run on its own."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from framework.containers.container import leaves
from framework.layers import Normalization
from framework.playground.experiment import Experiment
from framework.playground.features import FEATURES
from framework.playground.points import Points
from framework.playground.sources import SOURCES

# More points of one's own than this are read from a file beside the script.
MOST_WRITTEN = 2000
POINTS_FILE = "points.npz"


def figures(experiment: Experiment) -> str:
    """Return the metrics of the last complete epoch, as the page and the script print them.

    >>> from framework.playground.settings import Settings
    >>> experiment = Experiment(Settings())
    >>> figures(experiment)
    'epoch 0'
    """
    run = experiment.run
    if run is None or not run.epoch:
        return "epoch 0"
    history = run.history
    parts = [f"epoch {run.epoch}", f"loss {history.loss[-1]:.4f}"]
    for label, name in _measured(experiment)[1:]:
        parts.append(f"{label} {getattr(history, name)[-1]:.4f}")
    return "  ".join(parts)


def script_of(experiment: Experiment) -> str:
    """Return the script. Its training has the complete epochs of the present moment.

    Raises ValueError where there is nothing to train on, or for a model of one's own, whose classes
    a script would not have.
    """
    if experiment.run is None or experiment.model is None:
        raise ValueError("there is no training to write down yet")
    if experiment.given is not None:
        raise ValueError("the script of a model of one's own is the one that made it")
    lines = [*_data(experiment), "", *_network(experiment), "", *_training(experiment), ""]
    body = "\n".join(lines)
    return "\n".join([*_imports(experiment, body), "", body])


def _imports(experiment: Experiment, body: str) -> list[str]:
    source = SOURCES.get(experiment.settings.data.source)
    model = experiment.model
    assert model is not None
    names = {type(leaf).__name__ for _, leaf in leaves(model.children())}
    names |= {type(model.loss).__name__, type(model.accuracy).__name__, "Model"}
    optimizer = type(model.optimizer).__name__
    schedules = sorted(
        name for name in ("CosineDecay", "ExponentialDecay", "LinearWarmup", "StepDecay")
        if re.search(rf"\b{name}\(", body)
    )  # fmt: skip
    lines = ["import numpy as np", "", "import framework"]
    if source is not None:
        lines.append(f"from datasets import {source.make.__name__}")
    lines.append(f"from framework import {', '.join(sorted(names, key=str.lower))}")
    lines.append(f"from optimizers import {optimizer}")
    if schedules:
        lines.append(f"from optimizers.schedules import {', '.join(schedules)}")
    return lines


def _data(experiment: Experiment) -> list[str]:
    settings, own = experiment.settings.data, experiment.own
    percent = settings.test_percent
    if own is not None:
        lines = _own_points(own)
        lines.append(f"tested = np.diff(np.arange(len(X) + 1) * {percent} // 100).astype(bool)")
        lines.append("X_test, y_test, X, y = X[tested], y[tested], X[~tested], y[~tested]")
    else:
        source = SOURCES[settings.source]
        counts = "".join(f"{n}, " for n in source.arguments(settings.samples, settings.classes))
        lines = [
            f"X, y = {source.make.__name__}({counts}seed={settings.seed})",
            f"random = np.random.default_rng({settings.seed})",
        ]
        noisy = "X" if experiment.split.train.has_classes else "y"
        lines.append(f"{noisy} = {noisy} + {settings.noise!r} * random.normal(size={noisy}.shape)")
        lines += [
            "order = random.permutation(len(X))",
            "X, y = X[order], y[order]",
            f"tested = len(X) * {percent} // 100",
            "X_test, y_test, X, y = X[:tested], y[:tested], X[tested:], y[tested:]",
        ]
    if experiment.split.train.in_plane and experiment.features != ("x", "y"):
        columns = ", ".join(FEATURES[name].code for name in experiment.features)
        lines += ["", "", "def features(X):", f"    return np.column_stack([{columns}])", "", ""]
        lines.append("X, X_test = features(X), features(X_test)")
    return lines


def _own_points(own: Points) -> list[str]:
    if len(own) > MOST_WRITTEN:
        return [
            f'points = np.load("{POINTS_FILE}")  # beside this script',
            'X, y = points["X"], points["y"]',
        ]
    rows = ",\n    ".join(repr(row) for row in own.X.tolist())
    return [f"X = np.array([\n    {rows},\n])", f"y = np.array({own.y.tolist()!r})"]


def _network(experiment: Experiment) -> list[str]:
    model = experiment.model
    assert model is not None
    lines = [f"framework.seed({experiment.settings.network.seed})", "model = Model(["]
    lines += [f"    {_code(operation)}," for operation in model.layers]
    lines.append("])")
    if isinstance(model.layers[0], Normalization):
        lines.append("model.layers[0].adapt(X)")
    lines += [
        "model.set(",
        f"    loss={model.loss!r},",
        f"    optimizer={_optimizer(experiment)},",
        f"    accuracy={model.accuracy!r},",
        ")",
        f"model.finalize({'accelerated=True' if model.trainer is not None else ''})",
    ]
    return lines


def _code(operation: Any) -> str:
    return repr(operation)


def _optimizer(experiment: Experiment) -> str:
    """Return the optimizer as it was before the first step."""
    model = experiment.model
    assert model is not None
    optimizer = model.optimizer
    arguments = optimizer.configuration()
    if not callable(arguments["learning_rate"]):
        arguments["learning_rate"] = experiment.rates[0][1]
    return repr(type(optimizer)(**arguments))


def _training(experiment: Experiment) -> list[str]:
    assert experiment.run is not None
    epochs = experiment.run.epoch
    options = [f"batch_size={experiment.settings.training.batch_size}", "progress=False"]
    if len(experiment.split.test):
        options.append("validation_data=(X_test, y_test)")
    options_text = ", ".join(options)
    changes = [one for one in experiment.rates if one[0] < epochs] or experiment.rates[:1]
    ends = [begins for begins, _ in changes[1:]] + [epochs]
    lines = []
    for (begins, rate), end in zip(changes, ends, strict=True):
        if begins:
            lines.append(f"model.optimizer.learning_rate = {rate!r}")
        if end > begins:
            lines.append(f"history = model.train(X, y, epochs={end - begins}, {options_text})")
    if not epochs:
        return ['print("epoch 0")']
    texts = "  ".join(
        f"{label} {{history.{name}[-1]:.4f}}" for label, name in _measured(experiment)
    )
    return [*lines, f'print(f"epoch {epochs}  {texts}")']


def _measured(experiment: Experiment) -> list[tuple[str, str]]:
    """Return the names of the metrics that were measured, and those of their lists in a history.

    A model of one's own may have no accuracy, and there may be nothing to test on.
    """
    names = [
        ("loss", "loss"), ("accuracy", "accuracy"),
        ("test loss", "val_loss"), ("test accuracy", "val_accuracy"),
    ]  # fmt: skip
    history = None if experiment.run is None else experiment.run.history
    return [(label, name) for label, name in names if getattr(history, name, None)]


def points_file(own: Points) -> bytes:
    """Return the file that a script of many points reads."""
    import io

    file = io.BytesIO()
    np.savez_compressed(file, X=own.X, y=own.y)
    return file.getvalue()
