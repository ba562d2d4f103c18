"""A run of operations as one compiled call, told by a table what to do.

Calling a compiled function costs a microsecond or two, a good part of what a small layer takes. So
the operations are not called one by one: ``forward`` and ``backward`` go through a table with a
line for each (see ``table.py``). They are compiled once for each dtype, whatever the network is.

What the operations compute lies in two vectors, ``values`` on the way forward, ``dvalues`` on the
way back. An array of ``width`` numbers for each of ``samples`` samples, whose place is ``p``, is

    values[p * samples : (p + width) * samples]   as (samples, width)
"""

from framework.accelerated import (
    batch_normalization,
    dense,
    dropout,
    leaky_relu,
    relu,
    scale,
    sigmoid,
    tanh,
)
from framework.accelerated.compiled import compiled, entry
from framework.accelerated.table import (
    BATCH_NORMALIZATION,
    DENSE,
    DROPOUT,
    LEAKY_RELU,
    RELU,
    SCALE,
    SIGMOID,
    TANH,
)
from framework.accelerated.team import barrier, share


@compiled
def rows(vector, place, samples, width):
    start = place * samples
    return vector[start : start + samples * width].reshape(samples, width)


@compiled
def matrix(vector, offset, n_inputs, n_outputs):
    return vector[offset : offset + n_inputs * n_outputs].reshape(n_inputs, n_outputs)


@entry
def forward(table, parameters, statistics, chances, inputs, values, team, member):
    """Run every operation of ``table`` on a member's part of ``inputs``.

    Returns the last output, of all samples.
    """
    samples = len(inputs)
    own = share(samples, team, member)
    done = False
    for i in range(len(table)):
        op = table[i]
        width = op.n_outputs
        output = rows(values, op.output, samples, width)
        if done:  # with the operation before
            done = False
        elif op.kind == DENSE:
            weights = matrix(parameters, op.weights, op.n_inputs, width)
            biases = parameters[op.biases : op.biases + width]
            if i + 1 < len(table) and table[i + 1].kind == RELU:
                positive = rows(values, table[i + 1].output, samples, width)[own]
                dense.forward_with_relu(inputs[own], weights, biases, output[own], positive)
                done = True
            else:
                dense.forward(inputs[own], weights, biases, output[own])
        elif op.kind == RELU:
            relu.forward(inputs[own], output[own])
        elif op.kind == LEAKY_RELU:
            leaky_relu.forward(inputs[own], op.alpha, output[own])
        elif op.kind == SIGMOID:
            sigmoid.forward(inputs[own], output[own])
        elif op.kind == TANH:
            tanh.forward(inputs[own], output[own])
        elif op.kind == DROPOUT:
            drawn = rows(chances, op.chances, samples, width)[own]
            mask = rows(values, op.kept, samples, width)[own]
            dropout.forward(inputs[own], drawn, op.rate, mask, output[own])
        elif op.kind == BATCH_NORMALIZATION:
            batch_normalization.forward(
                inputs,
                parameters[op.weights : op.weights + width],
                parameters[op.biases : op.biases + width],
                matrix(statistics, op.statistics, 3, width),
                op.momentum,
                op.epsilon,
                rows(values, op.kept, samples, width),
                output,
            )
        elif op.kind == SCALE:
            scale.forward(inputs[own], op.factor, op.offset, output[own])
        inputs = output
    return inputs


@entry
def backward(
    table, first, all_dinputs, parameters, statistics, inputs, values, gradient, dvalues,
    gradients, team, member,
):  # fmt: skip
    """Go back through ``table`` to its line ``first``, from the ``gradient`` of its output.

    A member sees to its part of the samples, and of the gradients of each dense layer to those
    that belong to its part of the inputs. Unless ``all_dinputs`` is True, the ``dinputs`` of a
    dense layer on that line are left out.

    Returns whether every member has come to the end.
    """
    samples = len(inputs)
    own = share(samples, team, member)
    for i in range(len(table) - 1, first - 1, -1):
        op = table[i]
        width = op.n_outputs
        before = inputs
        if i > 0:
            before = rows(values, table[i - 1].output, samples, op.n_inputs)
        output = rows(values, op.output, samples, width)
        dinputs = rows(dvalues, op.dinputs, samples, op.n_inputs)
        if op.kind == DENSE:
            # What follows reads the gradients of all samples.
            if not barrier(team, member):
                return False
            part = share(op.n_inputs, team, member)
            weights = matrix(parameters, op.weights, op.n_inputs, width)
            dweights = matrix(gradients, op.weights, op.n_inputs, width)[part]
            dense.weight_gradients(before, part, gradient, dweights)
            if op.weight_regularizer_l1 or op.weight_regularizer_l2:
                dense.add_penalty_gradient(
                    dweights.ravel(),
                    weights[part].ravel(),
                    op.weight_regularizer_l1,
                    op.weight_regularizer_l2,
                )
            part = share(width, team, member)
            biases = parameters[op.biases : op.biases + width][part]
            dbiases = gradients[op.biases : op.biases + width][part]
            dense.bias_gradients(gradient[:, part], dbiases)
            if op.bias_regularizer_l1 or op.bias_regularizer_l2:
                dense.add_penalty_gradient(
                    dbiases, biases, op.bias_regularizer_l1, op.bias_regularizer_l2
                )
            if i > first or all_dinputs:
                dense.input_gradients(gradient[own], weights, dinputs[own])
        elif op.kind == RELU:
            relu.backward(output[own], gradient[own], dinputs[own])
        elif op.kind == LEAKY_RELU:
            leaky_relu.backward(before[own], op.alpha, gradient[own], dinputs[own])
        elif op.kind == SIGMOID:
            sigmoid.backward(output[own], gradient[own], dinputs[own])
        elif op.kind == TANH:
            tanh.backward(output[own], gradient[own], dinputs[own])
        elif op.kind == DROPOUT:
            mask = rows(values, op.kept, samples, width)[own]
            dropout.backward(mask, gradient[own], dinputs[own])
        elif op.kind == BATCH_NORMALIZATION:
            batch_normalization.backward(
                gradient,
                parameters[op.weights : op.weights + width],
                matrix(statistics, op.statistics, 3, width)[2],
                rows(values, op.kept, samples, width),
                gradients[op.weights : op.weights + width],
                gradients[op.biases : op.biases + width],
                dinputs,
            )
        elif op.kind == SCALE:
            scale.backward(op.factor, gradient[own], dinputs[own])
        gradient = dinputs
    return True


@compiled
def penalties(table, parameters):
    """The L1 and L2 penalties of every dense layer of ``table``."""
    total = 0.0
    for op in table:
        if op.kind == DENSE:
            size = op.n_inputs * op.n_outputs
            if op.weight_regularizer_l1 or op.weight_regularizer_l2:
                weights = parameters[op.weights : op.weights + size]
                total += dense.penalty(weights, op.weight_regularizer_l1, op.weight_regularizer_l2)
            if op.bias_regularizer_l1 or op.bias_regularizer_l2:
                biases = parameters[op.biases : op.biases + op.n_outputs]
                total += dense.penalty(biases, op.bias_regularizer_l1, op.bias_regularizer_l2)
    return total
