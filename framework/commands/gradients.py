"""The command ``check-gradients``: every backward pass is compared with numerical gradients."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from framework import activations, layers, losses
from framework.activations import Activation, Softmax
from framework.inspection.gradient_check import check_gradients
from framework.inspection.gradient_report import GradientReport
from framework.layers import Dense
from framework.losses import FusedLoss, Loss
from framework.operation import Operation
from framework.utils.exports import exported

SAMPLES, FEATURES = 6, 4


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
    operations = _operations()
    reports = _reports([operation for operation in operations if operation.differentiable])
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
        f"{reports[0].tolerance:g}."
    )
    for operation in operations:
        if not operation.differentiable:
            print(f"{operation} has no gradient.")
    return 1 if failed else 0


def _operations() -> list[Operation]:
    """Return one operation of every exported class, and some whose options add to the gradient."""
    classes = [
        *exported(layers, Operation).values(),
        *exported(activations, Operation, Activation).values(),
    ]
    return [
        *(cls.for_features(FEATURES) for cls in classes),
        Dense(FEATURES, 3, weight_regularizer_l1=0.01, bias_regularizer_l2=0.02),
        Softmax(temperature=2.0),
    ]


def _reports(operations: list[Operation]) -> list[GradientReport]:
    """Check ``operations``, and one loss of every exported class."""
    generator = np.random.default_rng(0)
    reports = []
    for operation in operations:
        inputs = generator.normal(size=(SAMPLES, *operation.example_axes, FEATURES))
        reports.append(check_gradients(operation, inputs))
    for cls in exported(losses, Loss, FusedLoss).values():
        loss = cls()
        reports.append(check_gradients(loss, *loss.example(generator, (SAMPLES, FEATURES))))
    return reports
