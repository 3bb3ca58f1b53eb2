"""Never more at the service than its limits allow, whoever else uses the key."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from engine_hand import Engine, configure

from tasks.adapters import room
from tasks.adapters.gemini import gemini
from tasks.adapters.postgres import connect
from tasks.core.errors import NoRoomError, TooLargeError
from tasks.slices import batch as batches
from tasks.slices import submission

LIMIT = 30_000  # three slices of 20 rows, by the emulator's count


def forget_listing() -> None:
    """Let jobs be listed anew: what ends within a poll of a listing is in the next one."""
    room.listing.__init__()  # type: ignore[misc]


@pytest.fixture(autouse=True)
def _no_old_listing() -> None:
    forget_listing()


def prepare(engine: Engine, rows: int = 120, slice_size: int = 20) -> list[tuple[str, str]]:
    """Return planned slices with their uploaded files."""
    engine.load_samples(rows)
    ready = []
    for slice_id in engine.plan(slice_size):
        file = batches.build.directly(slice_id)
        ready.append((slice_id, batches.upload.directly(file).name))
    return ready


def submit(one: tuple[str, str]) -> str:
    try:
        return str(submission.submit(*one, None))
    except NoRoomError:
        return "no room"


def test_a_run_through_a_narrow_tier_is_never_refused_by_the_service(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(120)
    engine.set(enqueued_tokens=LIMIT, run_seconds=0.3)
    configure(monkeypatch, enqueued_tokens=LIMIT, quota_patience_seconds=30)

    said = engine.summary(slice_size=20)

    assert "120 targets" in said
    engine.check()
    assert engine.calls("batches.create") == engine.jobs()


def test_of_many_that_submit_at_once_only_as_many_as_there_is_room_for_do(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.set(run_seconds=600)
    configure(monkeypatch, jobs_in_flight=2)
    ready = prepare(engine)

    with ThreadPoolExecutor(6) as threads:
        states = list(threads.map(submit, ready))

    assert states.count("submitted") == 2
    assert states.count("no room") == 4
    assert engine.jobs() == 2


def test_jobs_of_others_take_room_too_and_patience_ends(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.set(run_seconds=600)
    configure(monkeypatch, jobs_in_flight=1)
    ready = prepare(engine)
    gemini().create_job("gemini-3.1-flash-lite", ready[0][1], "somebody else's")

    state = engine.run(slice_size=20)

    assert state.name == "QuotaExhausted", state
    assert "1 batch jobs of this key are in flight" in str(state.message)
    assert engine.jobs() == 1


def test_a_finished_job_makes_room_before_its_answers_are_taken_in(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, jobs_in_flight=1)
    first, second, *_ = prepare(engine)
    submit(first)

    engine.at_rest()
    forget_listing()

    assert submit(second) == "submitted"


def test_a_slice_that_was_planned_under_a_higher_tier_is_split(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    [one, *_] = prepare(engine)
    configure(monkeypatch, enqueued_tokens=5_000, quota_patience_seconds=30)
    engine.set(enqueued_tokens=5_000)

    with pytest.raises(TooLargeError, match="of the 5,000 that may wait"):
        submission.submit(*one, None)

    assert "120 targets" in engine.summary()
    engine.check()


def test_no_slice_is_planned_larger_than_an_eighth_of_the_tier(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, enqueued_tokens=LIMIT)
    engine.load_samples(60)

    engine.plan(slice_size=60)

    before_the_last_row = [
        each["estimated_input_tokens"] * (1 - 1 / each["request_count"]) for each in engine.slices()
    ]
    assert max(before_the_last_row) <= LIMIT * 0.8 / 8


def test_a_process_that_stands_still_while_it_reserves_room_keeps_nobody_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_SECONDS", 1)
    engine.load_samples(2)
    still = connect()
    room.enter(still)

    began = time.monotonic()
    assert engine.summary().startswith("2 targets: 2 written")

    assert time.monotonic() - began < 10
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        still.execute("select 1")
