"""One row before all others: used like any other, and what stops it stops the run."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from engine_hand import Engine, configure, forget_settings, sample_text
from run_and_be_killed import run_and_kill
from test_job_enrichment import _load, _rows

from tasks.adapters.gemini import gemini
from tasks.core.errors import AccessError, ModelGoneError, PreflightError, RejectedError

JOBS = "job_enrichment"
ASK = "models.generateContent"
EMBED = "models.embedContent"
CLOSED = (
    "This model models/gemini-2.5-flash-lite is no longer available to new users."
    " Please update your code to use models/gemini-3.5-flash-lite"
)
BARE = "Request contains an invalid argument."
BAD_KEY = "API key not valid. Please pass a valid API key."
DISABLED = "Generative Language API has not been used in project 7 before or it is disabled."


@pytest.fixture
def engine(fresh: Engine) -> Engine:
    """Return the engine before its first run."""
    return fresh


def refuse(engine: Engine, code: int, message: str, method: str = ASK, **more: object) -> None:
    engine.fault("error", code=code, message=message, match={"method": method}, **more)


def at_once(engine: Engine) -> list[dict[str, Any]]:
    return [row for row in engine.slices() if row["transport"] == "interactive"]


def site(monkeypatch: pytest.MonkeyPatch, place: Path, text: str) -> None:
    file = place / "backfills.toml"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))
    forget_settings()


def test_one_row_is_asked_before_the_batch_and_its_answer_is_used(engine: Engine) -> None:
    engine.load_samples(12)

    said = engine.summary()

    engine.check()
    assert said.startswith("12 targets: 12 written")
    [canary] = at_once(engine)
    [batch] = [row for row in engine.slices() if row["transport"] == "batch"]
    assert (canary["request_count"], canary["written"], canary["wave"]) == (1, 1, batch["wave"])
    assert batch["request_count"] == 11
    assert canary["finished_at"] < batch["submitted_at"]
    assert float(canary["cost_usd"]) > float(batch["cost_usd"]) / 11
    assert engine.calls(ASK) == 1


def test_a_row_that_wants_a_vector_is_asked_both_questions(engine: Engine) -> None:
    _load(engine, adverts=6, placeholders=6)

    said = engine.summary(name=JOBS, transport="batch")

    assert said.startswith("6 targets: 6 written")
    assert (engine.calls(EMBED), engine.calls(ASK)) == (1, 1)
    assert engine.calls("batches.create") == 2


def test_a_question_that_was_answered_in_the_last_day_needs_no_canary(engine: Engine) -> None:
    engine.load_samples(3)
    engine.summary()

    engine.insert("00000000-0000-0000-0000-000000000001", sample_text(50))
    engine.later(hours=23)
    engine.summary()
    within = engine.calls(ASK)
    engine.insert("00000000-0000-0000-0000-000000000002", sample_text(51))
    engine.later(hours=25)
    engine.summary()

    assert (within, engine.calls(ASK)) == (1, 2)
    assert engine.ends() == {"written": 5}


def test_a_dry_run_and_a_run_with_nothing_to_ask_send_no_canary(engine: Engine) -> None:
    engine.load_samples(3)

    engine.run(dry_run=True)
    dry = engine.calls(ASK)
    engine.summary()
    engine.later(hours=25)
    engine.summary()

    assert (dry, engine.calls(ASK)) == (0, 1)


def test_a_pilot_of_a_few_rows_and_a_limit_are_kept(engine: Engine) -> None:
    engine.load_samples(9)

    pilot = engine.summary(kind="pilot", limit=1)
    engine.later(hours=25)
    limited = engine.summary(limit=4)

    engine.check()
    assert pilot.startswith("1 targets: 1 written")
    assert limited.startswith("4 targets: 4 written")
    assert engine.ends() == {"written": 5}


def test_a_canary_whose_answer_is_no_use_stops_nothing_and_is_asked_again(engine: Engine) -> None:
    engine.load_samples(5)
    engine.fault("not_json", times=1)

    said = engine.summary()

    engine.check()
    assert said.startswith("5 targets: 5 written")
    assert sorted(row["attempts"] for row in engine.generations()) == [1, 1, 1, 1, 2]


def test_a_canary_that_was_only_cut_off_keeps_its_row_out_of_other_slices(engine: Engine) -> None:
    _load(engine, adverts=30, placeholders=20)

    run_and_kill(
        engine,
        {"name": JOBS, "transport": "batch"},
        "select 1 from backfill.questions where vector is not null",
    )
    said = engine.summary(name=JOBS, transport="batch")

    assert said.startswith("20 targets: 20 written")
    assert engine.calls(EMBED) == 1
    assert engine.calls(ASK) <= 2
    assert len(at_once(engine)) == 1


def test_one_row_of_its_own_fault_is_followed_by_another_canary(engine: Engine) -> None:
    engine.load_samples(6)
    refuse(engine, 400, "The input token count (9999999) is too large.", times=1)

    said = engine.summary()

    engine.check()
    assert said.startswith("6 targets: 6 written")
    assert sum(row["request_count"] for row in at_once(engine)) == 2


class No(NamedTuple):
    """What the service refuses with, and what the run makes of it."""

    code: int
    message: str
    error: type[Exception]
    says: str


REFUSALS = (
    No(404, CLOSED, ModelGoneError, 'write model = "gemini-3.5-flash-lite" in [job_enrichment] of'),
    No(404, "models/x is not found for API version v1beta.", ModelGoneError, "another model in ["),
    No(400, BARE, RejectedError, "model, thinking, schema, temperature, output limit"),
    No(401, "Request had invalid credentials.", AccessError, "does not accept the key"),
    No(403, DISABLED, AccessError, "enable the Generative Language API"),
    No(403, "The caller does not have permission", AccessError, "may not ask this"),
    No(400, BAD_KEY, AccessError, "export it as GEMINI_API_KEY"),
)


@pytest.mark.parametrize(
    "transport", ["interactive", pytest.param("batch", marks=pytest.mark.long)]
)
@pytest.mark.parametrize("no", REFUSALS)
def test_what_would_stop_every_row_stops_the_run_and_costs_no_row(
    engine: Engine, transport: str, no: No
) -> None:
    _load(engine, adverts=14, placeholders=14)
    before = _rows(engine)
    refuse(engine, no.code, no.message)

    with pytest.raises(no.error) as raised:
        engine.run(name=JOBS, transport=transport)

    said = str(raised.value)
    assert no.message.rstrip(".") in said
    assert no.says in said
    assert engine.ends() == {"planned": 14}
    assert engine.jobs() == 0
    assert _rows(engine) == before
    assert engine.sql("select status from kb_migrations") == [{"status": "failed"}]

    engine.no_faults()
    said = engine.summary(name=JOBS, transport=transport)

    assert said.startswith("14 targets: 14 written")
    assert {row["attempts"] for row in engine.generations()} == {1}


def test_a_vector_s_model_that_is_closed_is_named(engine: Engine) -> None:
    _load(engine, adverts=3, placeholders=3)
    refuse(engine, 404, "This model is no longer available to new users.", EMBED)

    with pytest.raises(ModelGoneError, match=r"'gemini-embedding-001' cannot be used.*Embedding"):
        engine.run(name=JOBS)

    assert engine.ends() == {"planned": 3}


def test_a_canary_beyond_the_cap_ends_the_run_as_any_slice_does(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(3)
    monkeypatch.setattr("tasks.planning.estimate._record", lambda *_: None)
    engine.plan()
    engine.sql("update backfill.runs set approved_usd = 0.000001")
    engine.sql("update backfill.slices set estimated_usd = 0.1")
    monkeypatch.setattr("tasks.core.money.Estimate.usd", lambda *_: 0.0)

    state = engine.run(approve_up_to_usd=0.000001)

    assert state.name == "BudgetReached"
    assert engine.calls(ASK) == 0
    assert engine.ends() == {"planned": 3}


def test_only_a_line_of_the_site_has_to_change_where_nothing_was_answered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _load(engine, adverts=5, placeholders=5)
    refuse(engine, 404, CLOSED)
    with pytest.raises(ModelGoneError):
        engine.run(name=JOBS)
    engine.no_faults()
    spent = engine.sql("select sum(cost_usd) as usd from backfill.slices")

    site(monkeypatch, tmp_path, '[job_enrichment]\nmodel = "gemini-3.5-flash-lite"\n')
    said = engine.summary(name=JOBS)

    assert said.startswith("5 targets: 5 written")
    assert {row["model"] for row in engine.slices() if row["state"] == "done"} == {
        "gemini-3.5-flash-lite"
    }
    [version] = engine.sql("select model from backfill.versions")
    assert version == {"model": "gemini-3.5-flash-lite"}
    kept = engine.sql("select sum(cost_usd) as usd from backfill.slices where state = 'failed'")
    assert kept == spent


def test_where_something_was_answered_or_is_in_flight_a_version_keeps_its_meaning(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _load(engine, adverts=5, placeholders=5)
    engine.summary(name=JOBS, limit=1)

    site(monkeypatch, tmp_path, '[job_enrichment]\nmodel = "gemini-3.5-flash-lite"\n')

    with pytest.raises(PreflightError, match="Give it a new extractor_version"):
        engine.run(name=JOBS)
    engine.sql("delete from backfill.generations")
    engine.sql("update backfill.slices set state = 'submitted', written = 0")
    with pytest.raises(PreflightError, match="Give it a new extractor_version"):
        engine.run(name=JOBS)


def refuse_after(engine: Engine, monkeypatch: pytest.MonkeyPatch, answers: int, no: No) -> None:
    """Have the service refuse everything once it has given so many answers."""
    real = gemini().generate
    given: list[str] = []

    def generate(model: str, body: dict[str, object]) -> dict[str, object]:
        reply = real(model, body)
        given.append(model)
        if len(given) == answers:
            refuse(engine, no.code, no.message)
        return reply

    monkeypatch.setattr(gemini(), "generate", generate)


@pytest.mark.parametrize("no", [each for each in REFUSALS if each.code != 400])
def test_a_model_or_key_that_is_refused_amid_a_run_stops_it_with_what_was_answered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, no: No
) -> None:
    configure(monkeypatch, interactive_at_once=1)
    _load(engine, adverts=9, placeholders=9)
    refuse_after(engine, monkeypatch, 4, no)

    with pytest.raises(no.error, match=re.escape(no.says)):
        engine.run(name=JOBS)

    assert engine.ends() == {"written": 4, "planned": 5}
    assert engine.calls(ASK) == 5


def test_many_equal_refusals_in_a_row_give_up_no_row(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, interactive_at_once=1)
    _load(engine, adverts=30, placeholders=30)
    refuse_after(engine, monkeypatch, 4, REFUSALS[2])

    with pytest.raises(RejectedError, match="with 10 requests to"):
        engine.run(name=JOBS)

    assert engine.ends() == {"written": 4, "planned": 26}
    assert engine.calls(ASK) == 14


def refuse_rows(engine: Engine, monkeypatch: pytest.MonkeyPatch, *parts: str) -> None:
    """Have requests with these texts sent in a form that the service refuses."""
    real = gemini().generate

    def generate(model: str, body: dict[str, object]) -> dict[str, object]:
        spoilt = any(part in json.dumps(body) for part in parts)
        return real(model, {**body, "unheard_of": 1} if spoilt else body)

    monkeypatch.setattr(gemini(), "generate", generate)


def test_a_row_that_is_refused_among_answered_ones_is_bad_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(engine, adverts=12, placeholders=12)
    refuse_rows(engine, monkeypatch, "reference 3)")

    said = engine.summary(name=JOBS)

    assert said.startswith("12 targets: 11 written, 0 empty, 1 bad")
    [bad] = [row for row in engine.generations() if row["state"] == "bad"]
    assert (bad["reason"], bad["attempts"]) == ("refused_request", 1)
    assert "Invalid JSON payload" in bad["detail"]


def test_the_last_rows_of_all_are_bad_where_others_were_answered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, interactive_at_once=1)
    _load(engine, adverts=12, placeholders=12)
    refuse_rows(engine, monkeypatch, "reference 10)", "reference 11)")

    engine.summary(name=JOBS)

    assert engine.ends() == {"written": 10, "bad: refused_request": 2}


def test_a_few_rows_that_are_all_refused_stop_the_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.asked_lately()  # so there is no canary
    _load(engine, adverts=4, placeholders=4)
    refuse(engine, 400, BARE)

    with pytest.raises(RejectedError, match="with 4 requests to"):
        engine.run(name=JOBS)

    assert engine.ends() == {"planned": 4}
    assert engine.calls(EMBED) == 4

    engine.no_faults()
    engine.summary(name=JOBS)

    assert engine.calls(EMBED) == 4
