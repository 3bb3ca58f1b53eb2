"""Errors that come line by line, in jobs that ended well: whose fault they are decides."""

import re
from collections import Counter

import pytest
from engine_hand import NAME, Engine, configure

import flows.backfill
import tasks.slices.call
from tasks.core.backfill import DEFAULT_MODEL
from tasks.core.errors import RejectedError

BUDGET = "Budget 0 is invalid. This model only works in thinking mode."
MODEL = DEFAULT_MODEL


def refuse(engine: Engine, code: int = 3, message: str = BUDGET, **more: object) -> None:
    engine.fault("error_line", code=code, message=message, **more)


def planned(engine: Engine) -> int:
    return engine.ends()["planned"]


# A fault of what all requests have in common


@pytest.mark.parametrize("code", [3, 400])
def test_requests_that_are_all_refused_stop_the_run_and_none_ends_as_bad(
    engine: Engine, code: int
) -> None:
    engine.load_samples(200)
    refuse(engine, code)

    with pytest.raises(RejectedError) as stopped:
        engine.run(slice_size=200)

    said = str(stopped.value)
    assert f"{MODEL} refuses the requests of {NAME} for what they have in common" in said
    assert f"(200 of 200 lines with error {code}: {BUDGET.rstrip('.')})" in said
    assert f"into [{NAME}] of backfills.toml" in said
    assert engine.ends() == {"planned": 200}
    assert engine.calls("batches.create") == 1
    assert engine.sql("select sum(cost_usd)::float as usd from backfill.slices") == [{"usd": 0.0}]
    [run] = engine.sql("select state from backfill.runs where kind = 'full'")
    assert run["state"] == "stopped"


def test_a_run_that_was_stopped_by_refusals_goes_on_when_they_are_over(engine: Engine) -> None:
    engine.load_samples(200)
    refuse(engine)
    for _ in range(2):
        with pytest.raises(RejectedError):
            engine.run(slice_size=200)
    engine.no_faults()

    engine.summary(slice_size=200)

    engine.check()
    assert engine.ends() == {"written": 200}
    assert {row["attempts"] for row in engine.generations()} == {1}
    assert set(engine.billed().values()) == {1}


def test_slices_that_are_not_yet_out_stay_at_home_when_one_is_refused(engine: Engine) -> None:
    engine.load_samples(60)
    refuse(engine)

    with pytest.raises(RejectedError):
        engine.run(slice_size=20, slices_at_once=1)

    assert engine.ends() == {"planned": 60}
    assert engine.calls("batches.create") == 1


def test_a_refusal_of_the_key_says_so(engine: Engine) -> None:
    engine.load_samples(10)
    refuse(engine, 7, "Permission denied.")

    with pytest.raises(RejectedError, match="give the worker a key that may use this model"):
        engine.run()


def test_what_other_lines_used_is_booked_when_the_requests_are_refused(engine: Engine) -> None:
    engine.load_samples(12)
    engine.fault("not_json", match={"text": "Chapter 3 deals"})
    for number in range(12):
        if number != 3:
            refuse(engine, match={"text": f"Chapter {number} deals"})

    with pytest.raises(RejectedError):
        engine.run()

    assert planned(engine) == 12
    [spent] = engine.sql("select sum(cost_usd)::float as usd from backfill.slices")
    assert spent["usd"] > 0


def test_vectors_that_are_all_refused_stop_the_run_and_name_their_model(engine: Engine) -> None:
    from test_job_enrichment import _load

    _load(engine, adverts=12, placeholders=12)
    refuse(engine, message="no such field: 'embedContentConfig'")

    with pytest.raises(RejectedError, match=r"gemini-embedding-001 refuses .* declaration"):
        engine.run(name="job_enrichment", transport="batch")

    assert engine.ends() == {"planned": 12}


# A fault of single requests


def test_single_requests_that_are_refused_are_bad_at_once_and_asked_once(engine: Engine) -> None:
    ids = engine.load_samples(200)
    for number in (3, 77, 150):
        refuse(engine, match={"text": f"Chapter {number} deals"})

    engine.summary(slice_size=200)
    again = engine.summary(slice_size=200)

    engine.check()
    assert engine.ends() == {"written": 197, "bad: refused_request": 3}
    assert again == "Nothing to do."
    assert engine.calls("batches.create") == 1
    bad = [row for row in engine.generations() if row["state"] == "bad"]
    assert {row["target_id"] for row in bad} == {ids[3], ids[77], ids[150]}
    assert {row["detail"] for row in bad} == {f"3: {BUDGET}"}
    assert {row["attempts"] for row in bad} == {1}


def test_a_small_slice_of_refused_requests_is_bad_at_once(engine: Engine) -> None:
    engine.load_samples(9)
    refuse(engine)

    engine.summary()

    assert engine.ends() == {"bad: refused_request": 9}
    assert engine.calls("batches.create") == 1


def test_many_refusals_beside_one_good_answer_are_the_rows_own(engine: Engine) -> None:
    engine.load_samples(40)
    for number in range(1, 40):
        refuse(engine, match={"text": f"Chapter {number} deals"})

    engine.summary()

    assert engine.ends() == {"written": 1, "bad: refused_request": 39}


# Not the request's fault


@pytest.mark.parametrize("code", [13, 14, 503, 8])
def test_errors_that_are_nobody_s_fault_wait_and_are_no_tries(engine: Engine, code: int) -> None:
    engine.load_samples(20)
    refuse(engine, code, "The model is overloaded.", times=40)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 20}
    assert {row["attempts"] for row in engine.generations()} == {1}
    assert engine.calls("batches.create") == 3
    assert [row["attempt"] for row in engine.slices()] == [1, 1, 1]


def test_an_error_whose_details_cannot_be_read_is_the_service_s_all_the_same(
    engine: Engine,
) -> None:
    engine.load_samples(5)
    engine.fault("poisoned_details", times=5)

    engine.summary()

    assert engine.ends() == {"written": 5}


@pytest.mark.parametrize(
    ("code", "state", "said"),
    [
        (14, "ServiceUnavailable", r"failed at 20 requests .* \(14: Overloaded.\)"),
        (8, "QuotaExhausted", r"had no quota for 20 requests .* \(8: Overloaded.\)"),
    ],
)
def test_a_run_whose_patience_is_over_stops_and_the_next_one_goes_on(
    engine: Engine, code: int, state: str, said: str
) -> None:
    engine.load_samples(20)
    refuse(engine, code, "Overloaded.")

    stopped = engine.run()

    assert stopped.name == state
    assert stopped.is_cancelled()
    assert Counter(engine.ends()) == {"planned": 20}
    assert "run again later" in str(stopped.message)
    assert re.search(said, str(stopped.message))
    created = engine.calls("batches.create")
    assert 3 <= created <= 6  # half a second of patience, from 0.05 s on, doubled
    engine.no_faults()
    engine.summary()
    engine.check()
    assert engine.ends() == {"written": 20}
    assert {row["attempts"] for row in engine.generations()} == {1}


def test_patience_begins_anew_while_fewer_and_fewer_requests_wait(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, quota_patience_seconds=0.1, quota_backoff_seconds=0.06)
    engine.load_samples(12)
    for number in range(6):
        refuse(engine, 14, "Busy.", times=number + 1, match={"text": f"Chapter {number} deals"})

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 12}
    assert engine.calls("batches.create") == 7


def test_one_row_that_the_service_fails_at_for_ever_does_not_hold_up_the_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, quota_patience_seconds=3600, quota_backoff_seconds=0.02)
    engine.load_samples(12)
    refuse(engine, 13, "Internal error.", match={"text": "Chapter 7 deals"})

    said = engine.summary()

    engine.check()
    assert said.startswith("12 targets: 11 written")
    assert engine.ends() == {"written": 11, "bad: service_error": 1}
    assert engine.calls("batches.create") == 5
    engine.no_faults()
    engine.summary()
    assert engine.ends() == {"written": 12}


def test_a_code_that_says_nothing_uses_up_tries_as_before(engine: Engine) -> None:
    engine.load_samples(3)
    refuse(engine, 0, "?", match={"text": "Chapter 1 deals"})

    engine.summary()

    assert engine.ends() == {"written": 2, "bad: error_line": 1}
    assert engine.calls("batches.create") == 3


def test_rows_that_are_asked_one_by_one_use_up_tries_for_an_answer_may_have_been_lost(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks.slices.call, "TRIES", 1)
    engine.load_samples(2)
    engine.fault("error_503", match={"method": "models.generateContent"})

    engine.summary(transport="interactive")

    assert engine.ends() == {"bad: service_error": 2}
    assert {row["attempts"] for row in engine.generations()} == {3}


def test_a_retry_that_was_interrupted_is_planned_by_the_next_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(12)
    refuse(engine, 14, "Busy.", times=12)

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(flows.backfill.Patience, "wait", die)
        with pytest.raises(SystemExit):
            engine.run()
    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 12}
    assert engine.calls("batches.create") == 2


# What another try changes


def test_answers_that_could_not_be_used_are_asked_again_a_little_warmer(engine: Engine) -> None:
    engine.load_samples(2)
    engine.fault("not_json", match={"text": "Chapter 1 deals"})

    engine.summary()

    [bad] = [row for row in engine.generations() if row["state"] == "bad"]
    seen = engine.http.get(f"/requests/{bad['doc_id']}").json()["requests"]
    configs = [each["request"]["generationConfig"] for each in seen]
    assert [config["temperature"] for config in configs] == [0.0, 0.3, 0.6]
    assert len({config["maxOutputTokens"] for config in configs}) == 1
    noted = [row["measures"] for row in engine.slices()]
    assert [each.get("temperature:0.3") for each in noted] == [None, 1, None]
    assert [each.get("temperature:0.6") for each in noted] == [None, None, 1]


def test_what_no_answer_was_seen_of_is_asked_again_as_it_was(engine: Engine) -> None:
    engine.load_samples(12)
    engine.fault("failed", times=1)
    refuse(engine, 14, "Busy.", times=1)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 12}
    doc_ids = [row["doc_id"] for row in engine.generations()]
    for doc_id in doc_ids:
        seen = engine.http.get(f"/requests/{doc_id}").json()["requests"]
        assert {each["request"]["generationConfig"]["temperature"] for each in seen} == {0.0}
