"""Before money is spent: what it would cost, how sure that is, how long it may take."""

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, Engine
from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.objects import State
from worlds_hand import ROWS, WORLDS, World, build

import tasks.planning.dry_run
from flows.backfill import backfill
from tasks.core.money import Forecast
from tasks.planning.dry_run import estimate_rest, look
from tasks.planning.estimate import estimate_page
from tasks.planning.plan import PlanOptions


def page(name: str = NAME) -> str:
    estimate = estimate_rest(name)
    return estimate_page(name, estimate, estimate.usd())


def test_before_the_first_job_nobody_pretends_to_know(engine: Engine) -> None:
    engine.load_samples(30)

    markdown = page()

    assert "| Targets | 30 |" in markdown
    assert "no batch job has finished yet" in markdown
    assert "characters, not counted" in markdown


def test_a_pilots_measurements_replace_the_guess(engine: Engine) -> None:
    engine.load_samples(120)
    engine.summary(kind="pilot", limit=60)

    markdown = page()

    assert "| Targets | 60 |" in markdown
    assert "measured on 60 answers" in markdown
    assert "Tokens out in 8 of 10 answers so far" in markdown
    assert "| One batch job took (median, 9 of 10 within) |" in markdown


@given(slices=st.integers(0, 500), at_once=st.integers(1, 100), each=st.floats(0, 1e6))
def test_a_run_takes_as_many_rounds_as_its_jobs_need(
    slices: int, at_once: int, each: float
) -> None:
    expected = Forecast(1, each, each, None, None).seconds(slices, at_once)

    assert expected is not None
    rounds = 0
    while rounds * at_once < slices:
        rounds += 1
    assert expected == pytest.approx(rounds * each)


@dataclass
class Shown:
    """What a dry run put on its page and into its log."""

    page: str = ""
    log: list[str] = field(default_factory=list)

    async def artifact(self, *, markdown: str, **_: object) -> None:
        self.page = markdown

    def info(self, line: str) -> None:
        self.log.append(line)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    seen = Shown()
    monkeypatch.setattr(tasks.planning.dry_run, "acreate_markdown_artifact", seen.artifact)
    monkeypatch.setattr(tasks.planning.dry_run, "get_run_logger", lambda: seen)
    return seen


def dry_run(world: World, **options: Any) -> State[Any]:
    files = {"csv_in": str(world.csv), "csv_out": str(world.csv_out)} if world.csv else {}
    return asyncio.run(backfill.fn(name=world.name, dry_run=True, **{**files, **options}))


@pytest.mark.parametrize("name", WORLDS)
def test_a_dry_run_sends_nothing_writes_nothing_and_lists_its_rows_by_name(
    name: str, engine: Engine, shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build(name, engine, tmp_path, monkeypatch)

    state = dry_run(world, transport="batch")

    assert f"{ROWS} targets would be asked in 1 batch job for about" in str(state.message)
    named, more, last = shown.log[:-2], shown.log[-2], shown.log[-1]
    assert len(named) == 20
    assert (more, last) == (f"… and {ROWS - 20} more", state.message)
    looks = {
        "job_enrichment": r"[A-Z].* at [A-Z].*",
        "songs": r".+ - .+",
        "reviews": r"Review 100% no\. \d+",
        "chunk_concepts": r"[\w.]+",
    }
    assert all(re.fullmatch(looks.get(name, r"[0-9a-f-]{36}"), each) for each in named), named
    assert shown.page.count("\n* ") == 21
    assert engine.generations() == []
    for table in ("runs", "slices", "csv_files", "csv_rows", "versions"):
        assert engine.sql(f"select 1 from backfill.{table}") == []
    assert engine.sql("select 1 from kb_migrations") == []
    assert engine.http.get("/calls").json() == {}


def test_a_dry_run_lists_in_the_order_in_which_a_run_asks(
    engine: Engine, shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build("job_enrichment", engine, tmp_path, monkeypatch)
    first = engine.sql(
        "select position || ' at ' || company as name from jobs_enriched order by id limit 3"
    )

    dry_run(world, limit=3)

    assert shown.log[:-1] == [row["name"] for row in first]


def test_a_dry_run_counts_vectors_and_the_transport_that_a_run_would_take(
    engine: Engine, shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build("job_enrichment", engine, tmp_path, monkeypatch)

    one_by_one, batch = dry_run(world), dry_run(world, transport="batch")
    estimate = look(world.name, PlanOptions.of("full", None, 5000, fresh=False), "auto").estimate
    world.run(transport="auto")

    assert "would be asked one by one" in str(one_by_one.message)
    assert "in 1 batch job" in str(batch.message)
    [run] = engine.sql("select estimated_usd from backfill.runs")
    assert estimate.embedding_usd("interactive") > 0
    assert float(run["estimated_usd"]) == pytest.approx(estimate.usd(), rel=0.25)


def test_a_dry_run_of_a_csv_asks_that_file_alone_and_leaves_what_came_in_before(
    engine: Engine, shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build("songs", engine, tmp_path, monkeypatch)
    world.run()
    other = tmp_path / "other.csv"
    other.write_text("title,artist\nHarbour,Vega\n", encoding="utf-8")

    state = dry_run(world, csv_in=str(other))

    assert "1 targets would be asked" in str(state.message)
    assert shown.log[0] == "Vega - Harbour"
    [file] = engine.sql("select file from backfill.csv_files")
    assert file["file"] == str(world.csv)
