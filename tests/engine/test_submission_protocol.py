"""Whatever befalls the submission of a slice, in whatever order: one job, one bill."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from engine_hand import Engine, configure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import budget, slices
from tasks.adapters.postgres import connect
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.errors import ModelApiError
from tasks.core.models import SliceState
from tasks.slices import batch as batches
from tasks.slices import submission

CREATE = {"method": "batches.create"}


def submit(slice_id: str) -> None:
    with suppress(ModelApiError):
        submission.submit(slice_id, _file(slice_id), None)


def resolve(slice_id: str) -> None:
    asyncio.run(submission.settle(slice_id))


def crash_before_creating(slice_id: str) -> None:
    _reserve(slice_id)


def crash_after_creating(slice_id: str) -> None:
    """Leave a job that nobody recorded; whoever is reserved or submitted already creates none."""
    if _reserve(slice_id):
        with connect() as connection:
            each = slices.get(connection, slice_id)
        gemini().create_job(each.model, _file(slice_id), str(each.display_name))


STEPS: tuple[Callable[[str], None], ...] = (
    submit,
    resolve,
    crash_before_creating,
    crash_after_creating,
)
FAULTS = (None, "create_then_drop", "create_then_503", "drop", "error_503", "create_quota")
Story = list[tuple[Callable[[str], None], str | None]]


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(FAULTS)), max_size=5))
def test_any_order_of_mishaps_ends_in_one_job_and_one_bill(engine: Engine, story: Story) -> None:
    with pytest.MonkeyPatch.context() as patch:
        configure(patch, http_timeout_seconds=2.0, recreate_after_seconds=2.0)
        engine.forget()
        engine.load_samples(2)
        [slice_id] = engine.plan()

        for step, fault in story:
            if fault:
                engine.fault(fault, times=1, match=CREATE)
            # A crashed creation is not resent by the same process: let its fault not hit ours.
            if step is crash_after_creating:
                engine.no_faults()
            step(slice_id)
            engine.no_faults()
        engine.summary()

    engine.check()
    assert engine.slice(slice_id).state is SliceState.DONE
    assert sorted(engine.billed().values()) == [1, 1]
    assert engine.jobs() == 1


def _reserve(slice_id: str) -> bool:
    """Return whether the slice could be reserved: it was planned."""
    batches.build.directly(slice_id)
    with connect() as connection:
        each = slices.get(connection, slice_id)
        planned = each.state is SliceState.PLANNED
        if planned:
            budget.reserve(connection, BACKFILL, each, None)
    return planned


def _file(slice_id: str) -> str:
    return batches.upload.directly(batches.build.directly(slice_id)).name
