"""Training on several ranks: what is refused, how it ends, which samples each rank reads."""

import json
from typing import Any

import numpy as np
import pytest

from tests.framework.training.distributed.launch import (
    JOBS,
    finish,
    needs_mpi,
    start,
)

pytestmark = needs_mpi


@pytest.fixture(scope="module")
def output() -> tuple[int, str, str]:
    # Where operations have not been compiled yet, three ranks do so at once: that takes minutes.
    return finish(start(3, "-m", f"{JOBS}.behaviour"))


@pytest.fixture(scope="module")
def results(output: tuple[int, str, str]) -> dict[str, list[Any]]:
    """The results of the three ranks of ``jobs/behaviour.py``, by the name of the scenario."""
    status, printed, errors = output
    assert status == 0, printed + errors
    return json.loads(printed.splitlines()[-1])


def same_for_all(accounts: list[Any]) -> Any:
    assert accounts[1:] == accounts[:-1]
    return accounts[0]


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (
            "data_of_one_rank_that_are_not_finite",
            "ValueError: rank 1 of 3: X must be finite, but row 25 has NaN or infinity",
        ),
        ("an_argument_that_is_wrong_everywhere", "ValueError: epochs must be at least 1"),
        (
            "another_batch_size_on_one_rank",
            "ValueError: rank 2 of 3 has another batch_size, 32",
        ),
        ("other_data_on_one_rank", "ValueError: rank 1 of 3 has another checksum of X"),
        (
            "another_optimizer_on_one_rank",
            "ValueError: rank 1 of 3 has another optimizer, Adam(learning_rate=0.01), than rank 0, "
            "SGD(learning_rate=0.1): every rank must be given the same",
        ),
        (
            "another_learning_rate_on_one_rank",
            "ValueError: rank 2 of 3 has another optimizer, SGD(learning_rate=0.2), than rank 0",
        ),
        (
            "an_own_optimizer_on_one_rank",
            "ValueError: rank 1 of 3 has another optimizer, PlainDescent(), than rank 0, SGD(",
        ),
        (
            "an_accuracy_on_one_rank_alone",
            "ValueError: rank 1 of 3 has another accuracy, none, than rank 0, CategoricalAccuracy",
        ),
        (
            "another_metric_on_one_rank",
            "ValueError: rank 1 of 3 has another set of metrics, f1=<function f1>, than rank 0, f1="
            "<function recall>",
        ),
        (
            "other_class_weights_on_one_rank",
            "ValueError: rank 1 of 3 has another class_weight, {0: 3.0}, than rank 0, {0: 2.0}",
        ),
        ("a_metric_that_fails", "ValueError: 60 are too many"),
        (
            "another_loss_on_one_rank",
            "ValueError: rank 1 of 3 has another loss, MeanSquaredError(), than rank 0",
        ),
        (
            "another_regularizer_on_one_rank",
            "ValueError: rank 1 of 3 has another operation 2, Dense(16, 16, weight_regularizer_l2=",
        ),
        (
            "batch_normalization_synchronized_on_one_rank",
            "ValueError: rank 1 of 3 has another operation 2, BatchNormalization(16, synchronized=",
        ),
        (
            "other_validation_data_on_one_rank",
            "ValueError: rank 1 of 3 has another number of validation samples, 30, than rank 0, 20",
        ),
        ("a_figure_that_is_not_recorded", "ValueError: rank 1 of 3: EarlyStopping cannot monitor"),
        ("a_communicator_that_is_none", "TypeError: communicator must be an Intracomm of mpi4py"),
        ("something_like_a_communicator", "TypeError: communicator must be an Intracomm of mpi4py"),
        ("a_communicator_between_groups", "TypeError: communicator must be an Intracomm of mpi4py"),
        ("shards_without_a_communicator", "ValueError: sharded=True needs a communicator"),
        ("an_error_of_another_type", "RuntimeError: rank 1 of 3: KeyError: 'mine'"),
        ("a_stream_that_is_shorter_on_one_rank", "BatchError: rank 1 of 3 has fewer batches"),
    ],
)
def test_an_error_of_one_rank_is_raised_on_all(
    results: dict[str, list[Any]], scenario: str, message: str
) -> None:
    assert same_for_all(results[scenario]).startswith(message)


def test_a_rank_that_is_in_no_group_is_refused_and_the_others_train(
    results: dict[str, list[Any]],
) -> None:
    accounts = results["a_null_communicator"]
    for first, _ in accounts:
        assert first.startswith("ValueError: communicator is MPI.COMM_NULL")
    assert [second.split(":")[0] for _, second in accounts] == ["accepted"] * 2 + ["ValueError"]


def test_all_ranks_diverge_together_and_return_to_the_last_epoch(
    results: dict[str, list[Any]],
) -> None:
    found = same_for_all(results["divergence"])
    assert found["message"].startswith("rank 0 of 3: the loss became nan in epoch 1, the first")
    assert np.isfinite(found["parameters"]).all()


def test_early_stopping_stops_all_ranks_where_it_stops_a_single_process(
    results: dict[str, list[Any]],
) -> None:
    alone = results["early_stopping"][0]["alone"]
    found = same_for_all([account["together"] for account in results["early_stopping"]])
    assert found["stopped"] == alone["stopped"] != ""
    assert (found["epochs"], found["steps"]) == (alone["epochs"], alone["steps"])
    np.testing.assert_allclose(found["parameters"], alone["parameters"], atol=1e-12)


def test_all_ranks_end_with_what_the_early_stopping_of_rank_0_restored(
    results: dict[str, list[Any]],
) -> None:
    by_first, by_second, by_all = same_for_all(results["restored_by_one_rank"])
    assert by_first == by_all
    assert by_second["epochs"] == by_all["epochs"] < 50
    assert by_second["parameters"] != by_all["parameters"]


def test_one_rank_can_stop_all_after_the_same_batch(results: dict[str, list[Any]]) -> None:
    found = same_for_all(results["stopped_by_one_rank"])
    assert (found["stopped"], found["steps"], found["epochs"]) == ("enough", 3, 0)


@pytest.mark.parametrize("scenario", ["interrupted_on_one_rank", "terminated_on_one_rank"])
def test_a_signal_to_one_rank_stops_all_and_rank_0_warns(
    results: dict[str, list[Any]], scenario: str
) -> None:
    warned = [account.pop("warnings") for account in results[scenario]]
    found = same_for_all(results[scenario])
    assert (found["stopped"], found["steps"], found["epochs"]) == ("interrupted", 3, 0)
    assert [len(messages) for messages in warned] == [1, 0, 0]
    assert "training was interrupted in epoch 1, after batch 3 of 6" in warned[0][0]


def test_rank_0_alone_prints(output: tuple[int, str, str], results: dict[str, list[Any]]) -> None:
    _, printed, errors = output
    assert results["printed"] == [2, 2, 2]
    assert [line.split(",")[0] for line in printed.splitlines()[:-1]] == ["epoch: 1", "epoch: 2"]
    assert not errors


def test_each_rank_drops_out_by_a_stream_of_its_own_and_all_can_be_repeated(
    results: dict[str, list[Any]],
) -> None:
    masks = [mask for account in results["dropout"] for mask in account["masks"]]
    assert len({str(mask) for mask in masks}) == len(masks) == 3 * 2 * 2
    assert [account["ranks"] for account in results["dropout"]] == [[0, 3], [1, 3], [2, 3]]
    first, again = same_for_all([account["parameters"] for account in results["dropout"]])
    assert first == again


@pytest.mark.parametrize("scenario", ["samples_of_all", "samples_of_shards"])
def test_each_sample_is_read_once_an_epoch_and_by_one_rank(
    results: dict[str, list[Any]], scenario: str
) -> None:
    seen = results[scenario]
    assert sorted(number for numbers in seen for number in numbers) == list(range(60))
    assert max(map(len, seen)) - min(map(len, seen)) <= 9  # one for each batch
    assert all(numbers != sorted(numbers) for numbers in seen)
    if scenario == "samples_of_shards":
        assert [sorted(numbers) for numbers in seen] == [list(range(r, 60, 3)) for r in range(3)]


@pytest.mark.parametrize(
    "scenario",
    [
        *("shards", "shards_of_balanced_classes", "balanced_classes"),
        *("streams", "one_stream_for_all", "a_mapped_file"),
    ],
)
def test_data_of_any_kind_train_as_in_a_single_process_with_the_same_batches(
    results: dict[str, list[Any]], scenario: str
) -> None:
    assert results[scenario][0] < 1e-12


def test_compiled_operations_train_together_like_plain_ones_alone(
    results: dict[str, list[Any]],
) -> None:
    if results["compiled"][0] is None:
        pytest.skip("numba is not installed: no compiled operations on several ranks")
    assert results["compiled"][0] < 1e-12


@pytest.mark.parametrize(
    "scenario", ["interrupted_shards", "interrupted_dropout", "interrupted_stream"]
)
def test_ranks_are_resumed_amid_an_epoch_with_the_remaining_samples_and_masks(
    results: dict[str, list[Any]], scenario: str
) -> None:
    at_once, resumed = same_for_all(results[scenario])
    assert at_once == resumed


def test_shards_are_not_resumed_with_another_number_of_ranks(results: dict[str, list[Any]]) -> None:
    for ranks, account in zip((2, 2, 1), results["shards_of_fewer_ranks"], strict=True):
        assert account.startswith("SavedFileError: ")
        expected = f"number of ranks with data of their own (sharded=True): 3 there, {ranks} here"
        assert account.endswith(expected)


def test_statistics_of_each_ranks_own_batches_are_averaged(results: dict[str, list[Any]]) -> None:
    accounts = results["statistics_of_each_rank"]
    running = same_for_all([account["running"] for account in accounts])
    own = [account["own"] for account in accounts]
    counts = [account["samples"] for account in accounts]
    np.testing.assert_allclose(running, np.average(own, axis=0, weights=counts), atol=1e-9)


def test_an_accuracy_learns_from_the_same_targets_on_all_ranks(
    results: dict[str, list[Any]],
) -> None:
    assert same_for_all(results["precision"]) > 0
