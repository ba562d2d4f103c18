"""Training on several processes at once, on one machine or on many, over MPI.

``mpiexec -n 4 python train.py`` starts a script four times. With ``communicator=MPI.COMM_WORLD``
the four train one model together: they hold the same parameters, and each takes a part of every
batch. One step is

1. forward and backward on the own part, its gradient scaled so that the mean over the ranks is
   the gradient of the batch;
2. loss and accuracy are added up over the ranks;
3. reduce-scatter: every rank receives the sum of one chunk of the gradient vector;
4. the optimizer updates that chunk of the parameters, with its chunk of the state;
5. all-gather: every rank receives the other chunks of the parameters.

Steps 3 and 5 together send as much as an all-reduce of the whole gradient would, but the update is
shared (Rajbhandari et al., "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
2020, stage 1). So an optimizer's ``update`` has to treat each element on its own, as those of
``optimizers`` do. On two cores a step was 7 % shorter than with an all-reduce and the whole update
on each rank; sending the gradient in buckets while backward still runs gained nothing over that:
see ``benchmarks/README.md``.

Every rank returns the same history; the first one reports, and writes the checkpoints. The ranks
begin with the parameters of the first and end with them, so it is the first one's
``EarlyStopping`` that restores the best. A callback that changes the model or the optimizer must
be given to all. Whether all were given the same is checked for the model, the optimizer, the shapes
and the first thousand samples.

    train.py              trains a model on all ranks
    loop.py               DistributedLoop: the batches, steps and epochs of one rank
    rank_batches.py       the batches of one rank
    parameter_shard.py    the chunk of the parameters that one rank updates
    consistency.py        checks that all ranks were given the same
    communicator.py       how ranks exchange values, and how they fail together
"""
