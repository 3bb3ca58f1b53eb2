"""Two versions on the same targets: kept answers are read, the rest is asked, no row is written."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, forget_settings, sample_text
from prefect.client.schemas.objects import State
from songs_hand import sample, write_csv

from deployments.local.sample_jobs import jobs
from flows.compare import compare
from flows.try_rows import try_rows
from tasks.adapters import status
from tasks.adapters.postgres import connect, statements
from tasks.adapters.reference import usd_of
from tasks.core.errors import BackfillError, BudgetReachedError
from tasks.core.responses import Usage
from tasks.core.traces import sample_without

OTHER = "gemini-2.5-flash"
LINES = f'model = "{OTHER}"\nextractor_version = "v2"\n'


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what lets the site's section say something."""
    file = tmp_path / "backfills.toml"
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))
    monkeypatch.setenv("BACKFILL_FILES_ROOT", str(tmp_path))

    def say(lines: str) -> None:
        file.write_text(f"[{NAME}]\n{lines}")
        forget_settings()

    say("")
    return say


def compared(**options: object) -> State[Any]:
    chosen: dict[str, Any] = {"name": NAME, "approve_up_to_usd": 2.0, **options}
    return asyncio.run(compare.fn(**chosen))


def online(engine: Engine) -> dict[str, Any]:
    """Return what was answered at once, by model."""
    return dict(engine.http.get("/bill").json()["online"])


def billed_usd(engine: Engine, model: str) -> float:
    bill = online(engine)[model]
    used = Usage(bill["input_tokens"], bill["output_tokens"], bill.get("thought_tokens", 0))
    return usd_of(model, used, "interactive")


def page(tmp_path: Path, name: str = NAME) -> str:
    [*_, last] = sorted((tmp_path / "reports").glob(f"*-{name}-compare.md"))
    return last.read_text()


def test_a_worse_candidate_is_told_from_the_kept_answers_and_costs_what_the_service_bills(
    engine: Engine, site: Callable[[str], None], tmp_path: Path
) -> None:
    engine.load_samples(40)
    engine.summary()
    rows, legacy, asked = engine.rows(), engine.legacy(), online(engine)
    engine.fault("not_json", match={"model": OTHER}, share=0.5)

    state = compared(candidate_lines=LINES, targets=30)

    assert str(state.message).startswith(f"v2 fails more often than {VERSION}: ")
    assert " of 30 targets (" in str(state.message)
    assert (engine.rows(), engine.legacy()) == (rows, legacy)
    assert set(online(engine)) - set(asked) == {OTHER}
    [noted] = engine.sql("select * from backfill.comparisons")
    assert float(noted["spent_usd"]) == pytest.approx(billed_usd(engine, OTHER))
    assert f"{billed_usd(engine, OTHER):.4f} USD" in str(state.message)
    assert (noted["first_version"], noted["second_version"]) == (VERSION, "v2")
    shown = page(tmp_path)
    assert "| full run of 40, batch, USD |" in shown
    assert "strongest disagreements" in shown
    assert "the second is bad (not_json)" in shown
    forgotten = str(rows[0]["row"]["passage_id"])
    assert (forgotten in shown) == (sample_without(shown, [forgotten]) != shown)
    asked = online(engine)

    again = compared(candidate="v2", targets=30)

    assert "0 answers were asked for, 0.0000 USD" in str(again.message)
    assert online(engine) == asked
    asyncio.run(try_rows.fn(name=NAME, text=sample_text(0)))
    [booked] = engine.sql(
        "select (select sum(cost_usd) from backfill.tries)::float as tried,"
        " (select sum(spent_usd) from backfill.comparisons)::float as compared"
    )
    [standing] = status.read().backfills
    assert booked["tried"] > 0
    assert standing.tried_usd == pytest.approx(sum(booked.values()))
    engine.no_faults()
    site(LINES)
    assert " restored from kept answers, 0 USD" in engine.summary(without_pilot=True)


def test_a_version_is_asked_what_was_recorded_of_it_and_compared_where_it_is_in_doubt(
    engine: Engine, site: Callable[[str], None], tmp_path: Path
) -> None:
    engine.load_samples(12)
    site('[passage_concepts.options]\nconcept_types = ["method", "field"]\n')
    engine.fault("not_json", times=3, match={"text": "Chapter 3 "})
    engine.summary()
    engine.no_faults()
    site('extractor_version = "v2"\n')
    engine.summary()
    engine.insert("00000000-0000-0000-0000-00000000abcd", sample_text(99))

    state = compared(candidate=VERSION, targets=100)

    assert "2 answers were asked for" in str(state.message)
    shown = page(tmp_path)
    assert "13 targets, chosen at random" in shown
    closed = shown.split("## concept_type, in the rows of both")[1].split("## ")[0]
    words = [line.split("|") for line in closed.splitlines() if line.startswith("| ")]
    by_old = {cells[1].strip() for cells in words[1:] if cells[3].strip() != "0"}
    assert by_old
    assert by_old <= {"method", "field"}

    doubtful = compared(candidate="v2", against=VERSION, targets=3, how="doubtful", seed=7)

    assert "3 targets chosen for their doubt" in str(doubtful.message)
    assert "the first is bad (not_json)" in page(tmp_path)


def test_what_cannot_be_compared_is_said_in_one_sentence_before_anything_is_asked(
    engine: Engine, site: Callable[[str], None]
) -> None:
    engine.load_samples(5)
    del site
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"candidate": "v9"}, f"{NAME} has no version 'v9' in the ledger; it has: {VERSION}."),
        ({"candidate": VERSION}, "would be compared with itself"),
        ({}, "one of both"),
        ({"candidate": "v9", "candidate_lines": LINES}, "one of both"),
        ({"candidate_lines": LINES, "targets": 0}, "targets is 0"),
        ({"candidate_lines": "model ="}, "not TOML"),
        ({"candidate_lines": 'table = "x"'}, "name 'table', which a comparison cannot change"),
        ({"candidate_lines": 'model = "gemini-9"'}, "There is no model 'gemini-9'"),
        ({"candidate_lines": "temperature = 0.5"}, "asks already"),
        ({"candidate_lines": 'prompt = "../../etc/passwd"'}, "hidden or outside"),
        ({"candidate_lines": LINES, "approve_up_to_usd": 0.00001}, "One answer may cost"),
        ({"candidate_lines": LINES, "approve_up_to_usd": 0.004}, "raise approve_up_to_usd"),
    ]
    for options, said in wrong:
        with pytest.raises(BackfillError, match=said.replace("(", r"\(")) as error:
            compared(**options)
        assert "\n" not in str(error.value)
    assert online(engine) == {}
    assert engine.sql("select * from backfill.comparisons") == []


@pytest.mark.usefixtures("plain")
def test_what_was_answered_before_the_money_ran_out_is_not_paid_for_twice(
    engine: Engine, site: Callable[[str], None]
) -> None:
    engine.load_samples(12)
    del site
    engine.summary()
    engine.fault("max_tokens", match={"model": OTHER})

    with pytest.raises(BudgetReachedError, match="is kept and not paid for twice"):
        compared(candidate_lines=LINES, approve_up_to_usd=0.02)

    [noted] = engine.sql("select spent_usd from backfill.comparisons")
    assert 0 < float(noted["spent_usd"]) <= 0.02
    assert float(noted["spent_usd"]) == pytest.approx(billed_usd(engine, OTHER))
    kept = online(engine)[OTHER]["requests"]
    engine.no_faults()
    compared(candidate_lines=LINES)
    assert online(engine)[OTHER]["requests"] < kept + 12


def test_answers_of_csv_rows_and_of_rows_that_are_filled_in_in_place_are_compared_by_column(
    engine: Engine, site: Callable[[str], None], tmp_path: Path
) -> None:
    del site
    songs = write_csv(tmp_path / "songs.csv", sample(4))
    engine.summary(name="songs", csv_in=str(songs), csv_out=str(tmp_path / "out.csv"))
    demo = statements("demo/jobs.sql")
    with connect() as connection:
        connection.execute(demo["create_tables"])
        connection.cursor().executemany(demo["insert_target"], jobs(6, 4))
    engine.summary(name="job_enrichment")
    before = engine.sql("select * from jobs_enriched order by id")
    vectors = engine.calls("models.embedContent")
    assert vectors

    for name, column, targets in (("songs", "energy", 4), ("job_enrichment", "seniority", 6)):
        state = compared(name=name, candidate_lines=f'model = "{OTHER}"')
        assert f" {targets} targets" in str(state.message)
        shown = page(tmp_path, name)
        assert f"| {column} | " in shown
        assert "Rows go together by their place" in shown
        assert "`candidate_" in shown
    assert engine.sql("select * from jobs_enriched order by id") == before
    assert "8 answers were asked for" in str(state.message)
    assert engine.calls("models.embedContent") == vectors
