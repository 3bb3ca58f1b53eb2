"""Room for one more batch job, by tokens of its model and by jobs of all models."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.errors import NoRoomError, TooLargeError
from tasks.core.slicing import (
    GUESSED_SHARE,
    MEASURED_SHARE,
    JobInFlight,
    RoomLimits,
    WantedJob,
    largest_useful,
    require_room,
)

MODEL = "gemini-3.1-flash-lite"
sizes = st.lists(st.integers(1, 500), max_size=60)


def wanted(tokens: float, requests: int = 10) -> WantedJob:
    return WantedJob("a-slice", MODEL, tokens, requests)


@given(sizes, st.integers(1, 2_000), st.integers(1, 20), st.sampled_from([None, 0.5, 1.5]))
def test_neither_limit_is_ever_exceeded(
    tokens: list[int], limit: int, jobs: int, ratio: float | None
) -> None:
    active: list[JobInFlight] = []
    for each in tokens:
        with suppress(NoRoomError, TooLargeError):
            require_room(wanted(each), active, RoomLimits(limit, jobs), ratio)
            active.append(JobInFlight(MODEL, each, 10))

    counted = sum(job.tokens or 0 for job in active) * (ratio or 1)
    assert counted <= limit * (MEASURED_SHARE if ratio else GUESSED_SHARE)
    assert len(active) <= jobs


@given(st.integers(1000, 10**10), st.integers(1, 100), st.sampled_from([None, 0.5, 1.5]))
def test_slices_of_the_largest_useful_size_fill_most_of_what_may_wait(
    limit: int, jobs: int, ratio: float | None
) -> None:
    size, active = largest_useful(limit, jobs, ratio), []

    with suppress(NoRoomError):
        while True:
            require_room(wanted(size), active, RoomLimits(limit, jobs), ratio)
            active.append(JobInFlight(MODEL, size, 10))

    assert sum(job.tokens for job in active) * (ratio or 1) >= 0.7 * limit * GUESSED_SHARE


def test_another_models_tokens_take_no_room_but_its_jobs_do() -> None:
    other = [JobInFlight("gemini-embedding-001", 900, 10)]

    require_room(wanted(800), other, RoomLimits(1000, 2), None)

    with pytest.raises(NoRoomError, match="1 batch jobs of this key are in flight, and 1 may be"):
        require_room(wanted(800), other, RoomLimits(1000, 1), None)


def test_a_job_that_is_not_ours_counts_by_its_requests() -> None:
    foreign = [JobInFlight(MODEL, None, requests=70)]

    with pytest.raises(NoRoomError, match="About 700 tokens wait") as refused:
        require_room(wanted(200, requests=20), foreign, RoomLimits(1000, 100), None)

    assert not refused.value.ours


def test_a_slice_larger_than_the_limit_is_refused_for_its_size() -> None:
    with pytest.raises(TooLargeError, match="holds about 900 tokens; of the 1,000"):
        require_room(wanted(900), [], RoomLimits(1000, 100), None)


def test_without_a_limit_on_tokens_only_jobs_are_counted() -> None:
    require_room(wanted(10**12), [JobInFlight(MODEL, 10**12, 10)], RoomLimits(None, 2), None)
