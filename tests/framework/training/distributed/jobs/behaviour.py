"""Runs every scenario on all ranks, and prints what each rank returned.

The last line of the output is JSON: the list of the ranks' results by the name of the scenario.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.framework.training.distributed.jobs import endings, refusals, samples

SCENARIOS: list[Callable[[Any], Any]] = [
    refusals.data_of_one_rank_that_are_not_finite,
    refusals.an_argument_that_is_wrong_everywhere,
    refusals.another_batch_size_on_one_rank,
    refusals.other_data_on_one_rank,
    refusals.another_optimizer_on_one_rank,
    refusals.another_learning_rate_on_one_rank,
    refusals.an_own_optimizer_on_one_rank,
    refusals.an_accuracy_on_one_rank_alone,
    refusals.another_metric_on_one_rank,
    refusals.other_class_weights_on_one_rank,
    refusals.a_metric_that_fails,
    refusals.another_loss_on_one_rank,
    refusals.another_regularizer_on_one_rank,
    refusals.batch_normalization_synchronized_on_one_rank,
    refusals.other_validation_data_on_one_rank,
    refusals.a_figure_that_is_not_recorded,
    refusals.a_communicator_that_is_none,
    refusals.something_like_a_communicator,
    refusals.a_null_communicator,
    refusals.a_communicator_between_groups,
    refusals.shards_without_a_communicator,
    refusals.an_error_of_another_type,
    refusals.a_stream_that_is_shorter_on_one_rank,
    endings.divergence,
    endings.early_stopping,
    endings.restored_by_one_rank,
    endings.stopped_by_one_rank,
    endings.interrupted_on_one_rank,
    endings.terminated_on_one_rank,
    endings.printed,
    endings.interrupted_shards,
    endings.interrupted_dropout,
    endings.interrupted_stream,
    endings.shards_of_fewer_ranks,
    samples.dropout,
    samples.samples_of_all,
    samples.samples_of_shards,
    samples.shards,
    samples.shards_of_balanced_classes,
    samples.balanced_classes,
    samples.compiled,
    samples.streams,
    samples.a_mapped_file,
    samples.one_stream_for_all,
    samples.statistics_of_each_rank,
    samples.precision,
]

if __name__ == "__main__":
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    results = {scenario.__name__: world.gather(scenario(world)) for scenario in SCENARIOS}
    if world.rank == 0:
        print(json.dumps(results))
