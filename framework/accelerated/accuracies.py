"""How much of a sample is predicted correctly, for each accuracy of ``kernels.ACCURACIES``."""

from framework.accelerated.jit import jit
from framework.accelerated.kernels import ACCURACIES
from framework.accuracies import BinaryAccuracy, CategoricalAccuracy

CATEGORICAL, BINARY = map(ACCURACIES.index, (CategoricalAccuracy, BinaryAccuracy))


@jit
def correct(accuracy, precision, outputs, labels, targets, sample):
    """Return the share of one sample's outputs that are correct.

    Args:
        accuracy: an opcode other than 0.
        precision: how far an output may be from its target, for ``RegressionAccuracy``.
    """
    if accuracy == CATEGORICAL:
        expected = labels[sample] if len(labels) else largest(targets, sample)
        return 1.0 if largest(outputs, sample) == expected else 0.0
    count = 0.0
    for k in range(outputs.shape[1]):
        output, target = outputs[sample, k], targets[sample, k]
        if accuracy == BINARY:
            count += output == output and (output > 0.5) == (target > 0.5)  # NaN is never correct
        else:
            count += abs(output - target) <= precision
    return count / outputs.shape[1]


@jit
def largest(values, sample):
    """Return the first place of the largest value of one sample, -1 where one is NaN."""
    found, most = 0, values[sample, 0]
    is_nan = most != most
    for k in range(1, values.shape[1]):
        more = values[sample, k] > most
        found, most = (k if more else found), (values[sample, k] if more else most)
        is_nan |= values[sample, k] != values[sample, k]
    return -1 if is_nan else found
