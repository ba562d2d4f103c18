"""The book's activations."""

from __future__ import annotations

from framework.activations import Linear, ReLU, Sigmoid, Softmax
from framework.nnfs_book.operation import BookOperation


class Activation_ReLU(BookOperation, ReLU):
    """``ReLU`` under the book's name."""

    computes_as = ReLU


class Activation_Softmax(BookOperation, Softmax):
    """``Softmax`` under the book's name."""

    computes_as = Softmax


class Activation_Sigmoid(BookOperation, Sigmoid):
    """``Sigmoid`` under the book's name."""

    computes_as = Sigmoid


class Activation_Linear(BookOperation, Linear):
    """``Linear`` under the book's name."""

    computes_as = Linear
