"""Training: epochs, batches, steps, and everything around them.

arguments.py            TrainingArguments: the arguments of Model.train, as one object
setup.py                checks the arguments and the data, and makes the Training
state.py                Training, the state of a running training; Callback, which sees it
loop.py                 Loop: goes through epochs and batches, and takes the step of each batch
step.py                 one step in plain NumPy, up to the update
compiled_steps.py       the model that hands its steps to compiled code
epoch_sums.py           adds up the losses of an epoch
evaluation.py           outputs, loss and accuracy on validation or test data
history.py              History: the metrics of every epoch
learning_curves.py      draws a History
progress.py             Reporter: shows the progress, and decides when
terminal_bar.py         shows it as a bar and lines in a terminal
notebook_table.py       shows it as a bar and a table in a notebook
obstacles.py            warns of a training that cannot learn
last_batch.py           leaves the operations with the pass of the last batch
interrupts.py           Ctrl-C: stop after the batch, at the second one at once
divergence.py           the errors where the loss or the parameters become NaN
early_stopping.py       EarlyStopping
reduce_learning_rate.py ReduceLearningRate
csv_logger.py           CSVLogger: writes the history to a file as it comes
monitoring.py           which value of a metric is better, for those that watch one
checkpoint.py           Checkpoint: writes the training to files
resume.py               goes on from such a file
fingerprint.py          tells whether data and model are still those of a checkpoint
snapshot.py             a copy of the model to go back to after an error
distributed/            the same on several processes, over MPI
"""
