"""A key's first batch job that is refused: told apart by a job of one request, at once."""

import time

import pytest
from engine_hand import Engine, configure, sample_text
from test_job_enrichment import _load

from tasks.adapters import room

CREATE = "batches.create"


@pytest.fixture(autouse=True)
def _no_job_before(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the questions be answered lately, so that no canary goes out, but not by a job."""
    room.listing.__init__()  # type: ignore[misc]
    engine.sql("update backfill.slices set job_name = null")
    configure(monkeypatch, quota_patience_seconds=60)


def test_a_key_without_billing_is_told_at_once_and_nothing_is_lost(engine: Engine) -> None:
    engine.load_samples(30)
    engine.fault("create_quota")
    began = time.monotonic()

    state = engine.run(slice_size=10)

    assert time.monotonic() - began < 30
    assert state.name == "QuotaExhausted"
    assert "is billing linked to the key's project?" in str(state.message)
    assert "run with transport=interactive" in str(state.message)
    assert engine.ends() == {"planned": 30}
    assert [row["request_count"] for row in engine.slices()] == [10, 10, 10]
    assert engine.calls(CREATE) <= 6

    engine.no_faults()
    engine.summary(slice_size=10)

    engine.check()
    assert engine.calls("files.upload") <= 9


def test_a_key_without_billing_may_go_on_one_by_one(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault("create_quota")

    engine.run()
    said = engine.summary(transport="interactive")

    assert said.startswith("3 targets: 3 written")


def test_a_lone_request_needs_no_second_job(engine: Engine) -> None:
    engine.load_samples(1)
    engine.fault("create_quota")

    state = engine.run()

    assert "is billing linked" in str(state.message)
    assert engine.calls(CREATE) == 1


def test_where_one_request_is_accepted_its_answer_is_used_and_the_rest_waits(
    engine: Engine,
) -> None:
    engine.load_samples(12)
    [slice_id] = engine.plan()
    engine.fault("create_quota", match={"body": slice_id}, times=3)

    said = engine.summary()

    engine.check()
    assert said.startswith("12 targets: 12 written")
    assert sorted(row["request_count"] for row in engine.slices()) == [1, 11]
    assert engine.calls(CREATE) == 5
    assert engine.calls("files.upload") == 3


def test_with_a_job_in_flight_or_created_lately_quota_is_waited_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, quota_patience_seconds=0.5)
    engine.load_samples(3)
    engine.summary()
    engine.insert("00000000-0000-0000-0000-000000000001", sample_text(50))
    engine.insert("00000000-0000-0000-0000-000000000002", sample_text(51))
    engine.fault("create_quota")

    lately = engine.run()
    engine.later(hours=25)
    engine.sql("update backfill.slices set finished_at = now() where transport = 'batch'")
    long_ago = engine.run()

    assert "billing linked" not in str(lately.message)
    assert "billing linked" in str(long_ago.message)
    assert engine.ends() == {"written": 3, "planned": 2}


def test_vectors_that_wait_for_quota_keep_no_other_slice_from_going_on(engine: Engine) -> None:
    engine.sql("update backfill.slices set job_name = slice_id")
    _load(engine, adverts=12, placeholders=12)
    engine.fault("create_quota", match={"path": "asyncBatchEmbedContent"}, times=6)

    said = engine.summary(name="job_enrichment", transport="batch", slice_size=4)

    assert said.startswith("12 targets: 12 written")
    assert engine.calls("files.upload") == 6
