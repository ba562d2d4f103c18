"""Data on their way into a network: checked, weighted, and cut into batches.

arguments.py           DataArguments: the arguments of Model.train that are about data
checked_batches.py     the one way in: data, weights and validation data become checked batches
batches.py             where a batch comes from: ArrayBatches cuts arrays, BatchStream takes
                       batches from a loader; Batch, MicroBatch
validation_split.py    the rows that are set aside for validation
micro_batches.py       the number of samples that run through a network at once
class_weights.py       weights of classes, by which those of their samples are multiplied
sample_weights.py      checks of sample weights; weighted means and their gradients
"""
