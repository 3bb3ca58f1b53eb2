"""Job adverts: placeholders are found, two questions are asked, both answers land in one update."""

import json

import pytest
from engine_hand import Engine, configure

import tasks.slices.one_by_one
from deployments.local.sample_jobs import jobs
from tasks.adapters import measures
from tasks.adapters.postgres import Row, connect, statements
from tasks.adapters.settings import settings
from tasks.backfills.job_enrichment import BACKFILL
from tasks.core.errors import QuotaError
from tasks.slices.transport import choose
from tasks.writing.transaction import Ingestion

NAME = "job_enrichment"
SQL = statements("demo/jobs.sql")


def _load(engine: Engine, adverts: int, placeholders: int) -> None:
    with connect() as connection:
        connection.execute(SQL["create_tables"])
        connection.cursor().executemany(SQL["insert_target"], jobs(adverts, placeholders))


def _rows(engine: Engine) -> list[dict[str, object]]:
    return engine.sql("select to_jsonb(jobs_enriched) as row from jobs_enriched order by id")


def _verify() -> list[Row]:
    with connect() as connection:
        return measures.verify(connection, BACKFILL)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_placeholders_become_real_vectors_and_other_columns_stay(
    engine: Engine, transport: str
) -> None:
    _load(engine, adverts=20, placeholders=12)
    before = _rows(engine)
    foreign = engine.sql(SQL["foreign_checksum"])
    told = {"skills": ["SQL"], "seniority": "Mid", "summary": "Go\u200bod\u202e\0 work.\nYes"}
    first = str(before[0]["row"]["description"])[:80]
    engine.fault("says", match={"text": first}, text=json.dumps(told))

    said = engine.summary(name=NAME, transport=transport)

    assert said.startswith("12 targets: 12 written")
    after = _rows(engine)
    assert after[12:] == before[12:]
    assert engine.sql(SQL["foreign_checksum"]) == foreign
    for row in (each["row"] for each in after[:12]):
        vector = json.loads(row["embedding"])
        assert len(vector) == 768
        assert sum(value * value for value in vector) == pytest.approx(1.0)
        assert row["seniority"]
        assert row["summary"]
    assert after[0]["row"]["summary"] == "Good work.\nYes"  # nothing that nobody sees
    found = _verify()
    assert found == [
        {"is_good": True, "finding": "real, 768 dimensions, unit length", "targets": 20}
    ]


def test_both_transports_write_the_same_vectors(engine: Engine) -> None:
    _load(engine, adverts=6, placeholders=6)
    engine.summary(name=NAME, transport="batch", limit=3)
    first = _rows(engine)[:3]
    engine.sql("update jobs_enriched set embedding = null")
    engine.sql("delete from backfill.generations")
    engine.sql("delete from backfill.questions")  # or its kept answers would be written again

    engine.summary(name=NAME, transport="interactive")

    again = _rows(engine)[:3]
    assert [each["row"]["embedding"] for each in again] == [
        each["row"]["embedding"] for each in first
    ]


@pytest.mark.parametrize(
    ("column", "skills"), [("text", "text[]"), ("float8[]", "text"), ("vector", "jsonb")]
)
def test_every_type_of_column_is_updated_in_place(engine: Engine, column: str, skills: str) -> None:
    if column == "vector":
        engine.sql("create extension if not exists vector")
    engine.sql(
        f"create table jobs_enriched (id bigint primary key, position text, company text,"
        f" description text, skills {skills},"
        f" seniority varchar(20), summary text, embedding {column}, note text)"
    )
    engine.sql(
        "insert into jobs_enriched (id, description, note)"
        " values (7, 'A welder is wanted.', 'mine')"
    )

    said = engine.summary(name=NAME)

    assert said.startswith("1 targets: 1 written")
    [found] = _verify()
    assert found["finding"] == "real, 768 dimensions, unit length"
    [row] = engine.sql("select note, skills, seniority from jobs_enriched")
    assert row["note"] == "mine"
    assert row["skills"]


def test_a_row_without_a_description_is_skipped_and_counted(engine: Engine) -> None:
    _load(engine, adverts=6, placeholders=6)
    engine.sql("update jobs_enriched set description = ' ' where id = 'job-0002'")
    engine.sql("update jobs_enriched set description = null where id = 'job-0003'")

    said = engine.summary(name=NAME)

    assert said.startswith("4 targets: 4 written")
    assert engine.ends() == {"written": 4, "skipped: empty_text": 2}
    assert [row["finding"] for row in _verify()] == [
        "real, 768 dimensions, unit length",
        "all zeros, and no text to ask about",
        "null, and no text to ask about",
    ]


@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_one_failing_row_does_not_stop_the_rest_and_stays_as_it_was(
    engine: Engine, transport: str
) -> None:
    _load(engine, adverts=8, placeholders=8)
    before = _rows(engine)[3]
    engine.fault("not_json", match={"text": "reference 3)"})

    state = engine.run(name=NAME, transport=transport)

    assert engine.ends() == {"written": 7, "bad: not_json": 1}, state
    assert _rows(engine)[3] == before


def test_a_refused_row_is_bad_and_the_others_are_written(engine: Engine) -> None:
    _load(engine, adverts=5, placeholders=5)
    engine.fault("error", code=400, message="no", times=1, match={"method": "models.embedContent"})

    said = engine.summary(name=NAME)

    assert said.startswith("5 targets: 4 written, 0 empty, 1 bad")
    assert engine.ends() == {"written": 4, "bad: refused_request": 1}
    tries = engine.sql("select attempts from backfill.generations")
    assert [row["attempts"] for row in tries] == [1, 1, 1, 1, 1]


def test_interruptions_at_any_row_lose_none_and_pay_for_no_answer_twice(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_INTERACTIVE_AT_ONCE", "1")
    settings.cache_clear()
    _load(engine, adverts=9, placeholders=9)
    real = Ingestion.write_target
    left = [4]

    def die_at_the_fifth(self: Ingestion, *arguments: object) -> object:
        if left[0] == 0:
            raise SystemExit
        left[0] -= 1
        return real(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Ingestion, "write_target", die_at_the_fifth)
        with pytest.raises(SystemExit):
            engine.run(name=NAME)
    assert engine.ends() == {"written": 4, "planned": 5}

    said = engine.summary(name=NAME)

    assert said.startswith("9 targets: 9 written")
    assert engine.calls("models.embedContent") == 9
    assert engine.calls("models.generateContent") == 10


def test_the_service_says_when_to_come_again_and_is_obeyed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(engine, adverts=3, placeholders=3)
    slept: list[float] = []
    monkeypatch.setenv("BACKFILL_QUOTA_PATIENCE_SECONDS", "600")
    settings.cache_clear()
    engine.set(requests_per_minute=2)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        engine.advance(seconds)

    monkeypatch.setattr(tasks.slices.one_by_one.asyncio, "sleep", sleep)
    said = engine.summary(name=NAME)

    assert said.startswith("3 targets: 3 written")
    assert slept
    assert set(slept) == {61.0}


def test_no_more_rows_are_in_flight_than_one_process_may_have_whatever_their_slices(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(engine, adverts=24, placeholders=24)
    engine.fault("slow", match={"method": "models.generateContent"}, params={"seconds": 0.05})
    configure(monkeypatch, interactive_at_once=2)
    real = tasks.slices.one_by_one.gemini().generate
    in_flight: list[str] = []
    most: list[int] = []

    def generate(model: str, body: dict[str, object]) -> dict[str, object]:
        in_flight.append(model)
        most.append(len(in_flight))
        try:
            return real(model, body)
        finally:
            in_flight.remove(model)

    monkeypatch.setattr(tasks.slices.one_by_one.gemini(), "generate", generate)

    said = engine.summary(name=NAME, transport="interactive", slice_size=8)

    assert said.startswith("24 targets: 24 written")
    assert len(engine.slices()) == 3
    assert max(most) == 2


def test_a_quota_of_the_day_ends_the_run_cleanly_and_the_next_one_goes_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _load(engine, adverts=6, placeholders=6)
    real = tasks.slices.one_by_one.gemini().generate
    answered: list[str] = []

    def generate(model: str, body: dict[str, object]) -> dict[str, object]:
        if len(answered) == 2:
            quota = QuotaError("The Gemini API has no quota left for this (per day).")
            quota.daily = True
            raise quota
        answered.append(model)
        return real(model, body)

    with monkeypatch.context() as patch:
        patch.setattr(tasks.slices.one_by_one.gemini(), "generate", generate)
        stopped = engine.run(name=NAME)
    assert stopped.name == "QuotaExhausted"
    assert "no quota left" in str(stopped.message)
    assert engine.ends() == {"written": 2, "planned": 4}

    said = engine.summary(name=NAME)

    assert said.startswith("6 targets: 6 written")
    assert engine.calls("models.embedContent") == 6


def test_auto_takes_the_transport_by_count_and_says_why() -> None:
    few, why = choose(BACKFILL, 116, "auto")
    many, why_not = choose(BACKFILL, 5000, "auto")

    assert (few, why) == (
        "interactive",
        "Transport: interactive, because 116 targets are at most 500.",
    )
    assert (many, why_not) == (
        "batch",
        "Transport: batch, because 5,000 targets are more than 500.",
    )
    assert choose(BACKFILL, 5, "batch")[0] == "batch"


def test_vectors_that_failed_in_a_batch_are_asked_again_and_then_answered(engine: Engine) -> None:
    _load(engine, adverts=10, placeholders=10)
    engine.fault("error_line", match={"text": "reference 4)"}, times=1)

    said = engine.summary(name=NAME, transport="batch")

    assert said.startswith("10 targets: 10 written")
    names = ("question", "request_count", "moved", "written", "bad")
    slices = sorted(engine.slices(), key=lambda row: (row["request_count"] < 9, row["moved"] == 0))
    assert [tuple(row[name] for name in names) for row in slices] == [
        ("embedding", 10, 9, 0, 1),
        ("answer", 9, 0, 9, 0),
        ("embedding", 1, 1, 0, 0),
        ("answer", 1, 0, 1, 0),
    ]
