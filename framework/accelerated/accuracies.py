"""How much of a batch is predicted correctly, for each accuracy of ``kernels.ACCURACIES``."""

from framework.accelerated.jit import jit
from framework.accelerated.kernels import ACCURACIES
from framework.accuracies import BinaryAccuracy, CategoricalAccuracy, HingeAccuracy

CATEGORICAL, BINARY, HINGE = map(
    ACCURACIES.index, (CategoricalAccuracy, BinaryAccuracy, HingeAccuracy)
)


@jit
def sum_of_correct(accuracy, precision, outputs, labels, targets, weights):
    """Return the sum over the samples of the share of correct outputs, times the weight.

    Args:
        accuracy: an opcode other than 0.
        precision: how far an output may be from its target, for ``RegressionAccuracy``.
    """
    total = 0.0
    if accuracy == CATEGORICAL:
        if len(labels):
            for i in range(len(outputs)):
                total += weights[i] if largest(outputs, i) == labels[i] else 0.0
        else:
            for i in range(len(outputs)):
                total += weights[i] if largest(outputs, i) == largest(targets, i) else 0.0
        return total
    for i in range(len(outputs)):
        count = 0.0
        for k in range(outputs.shape[1]):
            output, target = outputs[i, k], targets[i, k]
            if accuracy == BINARY:  # NaN is never correct
                count += output == output and (output > 0.5) == (target > 0.5)
            elif accuracy == HINGE:
                count += output == output and (output > 0) == (target > 0)
            else:
                count += abs(output - target) <= precision
        total += weights[i] * count / outputs.shape[1]
    return total


@jit
def largest(values, sample):
    """Return the first place of the largest value of one sample, -1 where one is NaN."""
    found, most = 0, values[sample, 0]
    is_nan = most != most
    for k in range(1, values.shape[1]):
        value = values[sample, k]
        more = value > most
        found, most = (k if more else found), (value if more else most)
        is_nan |= value != value
    return -1 if is_nan else found
