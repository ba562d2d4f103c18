"""The command ``check-gradients``: every backward pass against numerical gradients."""

import argparse
from typing import Any

import numpy as np

import framework
from framework import (
    BatchNormalization,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Dense,
    Dropout,
    Flatten,
    GradientReport,
    Huber,
    MeanAbsoluteError,
    MeanSquaredError,
    Scale,
    SigmoidBinaryCrossentropy,
    Softmax,
    SoftmaxCategoricalCrossentropy,
    check_gradients,
)
from framework.commands.spiral import ACTIVATIONS


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "check-gradients",
        help="check the backward pass of every operation against numerical gradients",
        description="Compare the gradients of every operation with central differences of its "
        "forward pass. Exits with status 1 if one is wrong.",
    )
    parser.set_defaults(command=check_every_gradient)


def check_every_gradient(options: argparse.Namespace) -> int:
    """Check the backward pass of every operation, print a table, and return 1 if one fails."""
    reports = list(_gradient_reports())
    width = max(len(report.subject) for report in reports)
    print(f"{'operation':{width}}  {'gradients':26}  {'largest error':>13}")
    for report in reports:
        names = ", ".join(array.name for array in report.arrays)
        verdict = "" if report.passed else "  FAILED"
        if report.at_kink:
            total = report.checked + report.at_kink
            verdict += f"  {report.at_kink} of {total} at a kink, not checked"
        print(f"{report.subject:{width}}  {names:26}  {report.max_relative_error:13.1e}{verdict}")
    failed = sum(not report.passed for report in reports)
    print(
        f"{len(reports) - failed} of {len(reports)} agree with central differences to "
        f"{reports[0].tolerance:g}. Step() has no gradient."
    )
    return 1 if failed else 0


def _gradient_reports() -> list[GradientReport]:
    chance = np.random.default_rng(0)
    inputs = chance.normal(size=(6, 4))
    classes = chance.integers(0, 4, size=6)
    yes_or_no = chance.integers(0, 2, size=(6, 4))
    values = chance.normal(size=(6, 4))
    probabilities = chance.uniform(0.05, 0.95, size=(6, 4))
    operations = [
        Dense(4, 3),
        Dense(4, 3, weight_regularizer_l1=0.01, bias_regularizer_l2=0.02),
        Dropout(0.3),
        Flatten(),
        Scale(0.5, offset=-1.0),
        BatchNormalization(4),
        framework.Linear(),
        *(activation() for activation in ACTIVATIONS.values()),
        Softmax(),
        Softmax(temperature=2.0),
    ]
    compared = [
        (CategoricalCrossentropy(), probabilities, classes),
        (BinaryCrossentropy(), probabilities, yes_or_no),
        (MeanSquaredError(), inputs, values),
        (MeanAbsoluteError(), inputs, values),
        (Huber(), inputs, values),
        (SoftmaxCategoricalCrossentropy(), inputs, classes),
        (SigmoidBinaryCrossentropy(), inputs, yes_or_no),
    ]
    return [
        *(check_gradients(operation, inputs) for operation in operations),
        *(check_gradients(*arguments) for arguments in compared),
    ]
