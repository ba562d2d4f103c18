"""Kernels of ``framework.losses``, a file of the same name for each.

    losses(loss, inputs, labels, targets, output, per_sample)
        Write the loss of each sample, NaN where the loss itself would refuse the target. A fused
        loss is given the logits, and writes its activation's values into ``output``; for the
        others ``output`` is ``inputs``, the predictions.

    backward(loss, output, labels, targets, samples, dinputs)
        Write the gradient of the mean over a batch of so many ``samples``; the arrays may be a
        chunk of them.

Targets are class indices ``labels``, ``(samples,)``, or rows ``targets``, ``(samples, outputs)``;
the other array is empty.
"""
