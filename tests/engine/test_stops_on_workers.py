"""What stops a run stops it from a worker too: the ledger carries the word."""

import asyncio

import pytest
from engine_hand import Engine
from prefect.states import Failed

from flows.backfill_slice import backfill_slice
from tasks.adapters.ledger import runs
from tasks.adapters.postgres import connect
from tasks.core.errors import BackfillError, BudgetReachedError, QuotaError, RejectedError
from tasks.core.models import SliceResult, SliceState
from tasks.slices.workers import SliceFailedError, _failure

NAME = "passage_concepts"


def on_a_worker(slice_id: str) -> SliceResult:
    result: SliceResult = asyncio.run(backfill_slice.fn(NAME, slice_id))
    return result


@pytest.mark.parametrize(
    ("fault", "approved_usd", "expected"),
    [
        ("create_quota", 100, QuotaError),
        ("model_shut_down", 100, RejectedError),
        (None, 0, BudgetReachedError),
    ],
)
def test_the_parent_meets_what_its_worker_met(
    engine: Engine, fault: str | None, approved_usd: float, expected: type[BackfillError]
) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()
    with connect() as connection:
        runs.approve(connection, engine.slice(slice_id).run_id, approved_usd, "test")
    if fault:
        engine.fault(fault)
    engine.sql("update backfill.slices set estimated_usd = 1")

    with pytest.raises(expected) as met:
        on_a_worker(slice_id)

    told = _failure(slice_id, Failed(message="on a worker"))
    assert isinstance(told, expected)
    assert str(told) == str(met.value)


def test_the_parent_hears_of_requests_that_were_all_refused(engine: Engine) -> None:
    engine.load_samples(12)
    [slice_id] = engine.plan()
    engine.fault("error_line", code=3, message="Budget 0 is invalid.")

    with pytest.raises(RejectedError, match="Budget 0 is invalid") as met:
        on_a_worker(slice_id)

    told = _failure(slice_id, Failed(message="on a worker"))
    assert isinstance(told, RejectedError)
    assert str(told) == str(met.value)


def test_any_other_failure_is_this_slices_own(engine: Engine) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()

    told = _failure(slice_id, Failed(message="The disk is full."))

    assert isinstance(told, SliceFailedError)
    assert str(told) == "The disk is full."


def test_a_slice_that_is_taken_up_after_the_stop_sends_nothing(engine: Engine) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()
    with connect() as connection:
        runs.end(connection, engine.slice(slice_id).run_id, "stopped", "by a person")

    result = on_a_worker(slice_id)

    assert result.state is SliceState.PLANNED
    assert engine.jobs() == 0
    assert engine.calls("files.upload") == 0
