"""Creating a job once, whatever becomes of the call that creates it."""

import asyncio
from uuid import uuid4

import pytest
from engine_hand import Engine, configure, sample_text

from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import budget, slices
from tasks.adapters.postgres import connect
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.errors import ModelGoneError, PreflightError, RejectedError
from tasks.core.models import SliceState
from tasks.slices import batch as batches
from tasks.slices import submission

CREATE = "batches.create"


def test_an_undisturbed_run_writes_every_passage(engine: Engine) -> None:
    engine.load_samples(12)
    legacy = engine.legacy()

    said = engine.summary()

    engine.check()
    assert said.startswith("12 targets: 12 written")
    assert engine.ends() == {"written": 12}
    assert engine.legacy() == legacy
    assert engine.calls(CREATE) == 1


@pytest.mark.parametrize(
    "fault", ["create_then_drop", "create_then_503", "create_then_timeout", "html_error", "drop"]
)
def test_a_reply_that_never_came_is_resolved_by_the_listing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    configure(monkeypatch, http_timeout_seconds=2.0)
    engine.load_samples(6)
    engine.fault(fault, times=1, match={"method": CREATE})

    engine.summary(slice_size=3)

    engine.check()
    assert engine.ends() == {"written": 6}
    assert len(engine.billed()) == 6


def test_a_job_created_after_our_time_out_is_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, http_timeout_seconds=1.5, recreate_after_seconds=1.5)
    engine.load_samples(3)
    engine.fault("create_slow", times=1, seconds=2)

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1


def test_a_job_that_is_listed_late_is_found_at_the_second_look(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault("listing_lag", times=1, listed_after=1)
    engine.fault("create_then_drop", times=1)

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1


def test_a_job_is_found_on_the_last_of_many_pages(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.adapters.gemini._LIST_PAGE", 2)
    engine.load_samples(3)
    [slice_id] = engine.plan()
    _reserved_and_created(slice_id)
    for other in range(7):
        gemini().create_job("gemini-3.1-flash-lite", _uploaded(slice_id), f"another {other}")

    engine.summary()

    assert engine.calls("batches.list") >= 4
    assert engine.slice(slice_id).state is SliceState.DONE
    assert engine.ends() == {"written": 3}


def test_a_crash_after_the_reservation_creates_the_job_once(engine: Engine) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()
    batches.build.directly(slice_id)
    with connect() as connection:
        budget.reserve(connection, BACKFILL, slices.get(connection, slice_id), None)

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1


def test_a_crash_after_the_creation_adopts_the_job(engine: Engine) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()
    name = _reserved_and_created(slice_id)

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1
    assert engine.slice(slice_id).job_name == name


def test_of_duplicates_the_oldest_is_kept_and_the_rest_is_cancelled(engine: Engine) -> None:
    engine.load_samples(3)
    engine.set(run_seconds=3600.0)
    [slice_id] = engine.plan()
    oldest = _reserved_and_created(slice_id)
    for _ in range(2):
        gemini().create_job(
            "gemini-3.1-flash-lite", _uploaded(slice_id), str(engine.slice(slice_id).display_name)
        )
    engine.at_event("poll", engine.advance, 3600)  # asked after once the duplicates are cancelled

    engine.summary()

    engine.check()
    assert engine.slice(slice_id).job_name == oldest
    assert engine.calls("batches.cancel") == 2


def test_a_submitted_slice_is_never_created_again(engine: Engine) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()
    _reserved_and_created(slice_id)
    asyncio.run(submission.settle(slice_id))

    again = submission.submit(slice_id, "files/whatever", None)

    assert again is SliceState.SUBMITTED
    assert engine.calls(CREATE) == 1


def test_a_busy_service_is_waited_for_with_the_same_file(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, quota_patience_seconds=60)
    engine.load_samples(3)
    engine.fault("create_quota", times=2)

    engine.summary()

    engine.check()
    assert engine.calls("files.upload") == 1
    assert engine.calls(CREATE) == 3


def test_without_quota_the_run_stops_cleanly_and_a_later_one_goes_on(engine: Engine) -> None:
    engine.load_samples(6)
    engine.fault("create_quota")

    stopped = engine.run(slice_size=3)
    ends = engine.ends()
    engine.no_faults()
    said = engine.summary(slice_size=3)

    engine.check()
    assert stopped.name == "QuotaExhausted"
    assert "no quota left" in str(stopped.message)
    assert ends == {"planned": 6}
    assert said.startswith("6 targets: 6 written")


def test_slices_in_flight_are_finished_when_quota_runs_out(engine: Engine) -> None:
    engine.load_samples(6)
    engine.set(run_seconds=1.5)
    first, second = engine.plan(slice_size=3)
    engine.fault("create_quota", match={"body": second})

    stopped = engine.run(slice_size=3)

    assert stopped.name == "QuotaExhausted"
    assert engine.slice(first).written == 3
    assert engine.ends() == {"written": 3, "planned": 3}


def test_an_input_file_that_is_gone_is_uploaded_anew(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault(
        "error",
        times=1,
        match={"method": CREATE},
        code=403,
        message="You do not have permission to access the File abc or it may not exist.",
    )

    engine.summary()

    engine.check()
    assert engine.calls("files.upload") == 2
    assert engine.calls(CREATE) == 2


def test_one_line_that_the_service_refuses_is_set_aside_and_the_rest_goes_on(
    engine: Engine,
) -> None:
    ids = engine.load_samples(12)
    engine.fault("rejected_line", match={"text": "Chapter 7 deals"})

    said = engine.summary(slice_size=6)

    engine.check()
    bad = [row for row in engine.generations() if row["state"] == "bad"]
    assert said.startswith("12 targets: 11 written, 0 empty, 1 bad")
    assert [(row["target_id"], row["reason"]) for row in bad] == [(ids[7], "rejected_line")]
    assert "Error on line" in bad[0]["detail"]


def test_more_refused_lines_than_the_service_names_at_once_are_all_set_aside(
    engine: Engine,
) -> None:
    texts = [sample_text(n) + (" POISON" if n % 3 == 0 else "") for n in range(45)]
    engine.load(*texts)
    engine.fault("rejected_line", match={"text": "POISON"})

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 30, "bad: rejected_line": 15}
    assert engine.calls(CREATE) == 3


def test_a_refusal_of_all_lines_stops_the_run_with_the_service_s_sentence(engine: Engine) -> None:
    engine.load_samples(12)
    engine.fault("rejected_line", match={"text": "Chapter"})

    with pytest.raises(RejectedError, match=r"Error on line 1: .*invalid argument"):
        engine.run()

    assert engine.ends() == {"planned": 12}
    assert engine.calls(CREATE) == 1


def test_a_refusal_that_names_no_line_stops_the_run_with_the_service_s_sentence(
    engine: Engine,
) -> None:
    engine.load_samples(4)
    engine.fault(
        "error",
        match={"method": CREATE},
        code=400,
        message="User location is not supported for the API use.",
    )

    with pytest.raises(RejectedError, match="User location is not supported"):
        engine.run()

    assert engine.ends() == {"planned": 4}


def test_a_slice_of_refused_lines_alone_ends_without_a_job(engine: Engine) -> None:
    engine.load(sample_text(1))
    engine.fault("rejected_line", match={"text": "Chapter"})

    engine.summary()

    engine.check()
    assert engine.ends() == {"bad: rejected_line": 1}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (413, "Request Entity Too Large"),
        (400, "Request payload size exceeds the limit: 20971520 bytes."),
        (400, "The input file is too large."),
    ],
)
def test_a_job_that_is_too_large_is_split_in_two(engine: Engine, code: int, message: str) -> None:
    engine.load_samples(8)
    engine.fault("error", times=3, match={"method": CREATE}, code=code, message=message)

    engine.summary()

    engine.check()
    sizes = sorted(row["request_count"] for row in engine.slices() if row["state"] == "done")
    assert engine.ends() == {"written": 8}
    assert sizes == [2, 2, 2, 2]


def test_a_lone_request_that_is_too_large_is_bad(engine: Engine) -> None:
    engine.load_samples(2)
    engine.fault("error", match={"method": CREATE}, code=413, message="Request Entity Too Large")

    engine.summary()

    assert engine.ends() == {"bad: rejected_line": 2}


def test_a_model_that_was_shut_down_stops_the_run_with_a_sentence_that_names_it(
    engine: Engine,
) -> None:
    engine.load_samples(4)
    gone = "This model models/gemini-3.1-flash-lite is no longer available."
    engine.fault("error", match={"method": CREATE}, code=404, message=gone)

    with pytest.raises(ModelGoneError, match=r"model 'gemini-3\.1-flash-lite' cannot be used"):
        engine.run()
    engine.no_faults()
    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 4}


def test_a_model_that_is_known_to_be_gone_stops_the_run_before_anything_is_planned(
    engine: Engine,
) -> None:
    engine.load_samples(2)
    engine.fault("model_shut_down")

    with pytest.raises(PreflightError, match=r"'gemini-3\.1-flash-lite' cannot be used.*no longer"):
        engine.run()

    assert engine.generations() == []


@pytest.mark.parametrize("fault", ["upload_503", "upload_dropped"])
def test_a_broken_upload_begins_again(engine: Engine, fault: str) -> None:
    engine.load_samples(3)
    engine.fault(fault, times=1)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 3}


def test_full_storage_is_waited_for(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault("storage_full", times=2)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 3}


def _uploaded(slice_id: str) -> str:
    return batches.upload.directly(batches.build.directly(slice_id)).name


def _reserved_and_created(slice_id: str) -> str:
    """Leave a slice as a crash does between the creation of its job and the commit of its name."""
    file = _uploaded(slice_id)
    with connect() as connection:
        each = slices.get(connection, slice_id)
        budget.reserve(connection, BACKFILL, each, str(uuid4()))
    return gemini().create_job(each.model, file, str(each.display_name)).name
