"""A version on the diet: the same rows for less, and its answers are read for ever."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from engine_hand import NAME, VERSION, Engine, configure, sample_text
from pydantic import BaseModel, model_validator

from flows.compare import compare
from flows.explain import explain
from flows.try_rows import try_rows
from tasks import backfills
from tasks.adapters.ledger import versions
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect
from tasks.adapters.reference import models
from tasks.adapters.settings import settings
from tasks.core.asking import refusals
from tasks.core.differences import Kind
from tasks.core.errors import PreflightError
from tasks.planning.answers_in_out import read_answers, write_answers
from tasks.planning.dry_run import estimate_rest
from tasks.writing.reread import Scope, look_again

FILE = "kept.jsonl"
Say = Callable[[str], None]


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return a function that gives the site one line, or none."""

    def said(line: str) -> None:
        site = tmp_path / "backfills.toml"
        site.write_text(f"[{NAME}]\n{line}\n")
        configure(monkeypatch, site_file=site)

    return said


def coarse(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows by name, without their confidence, which the diet asks in steps."""
    rows = sorted(rows, key=lambda row: (row["row"]["passage_id"], row["row"]["concept_name"]))
    evidence = [{**row["row"]["evidence"], "quality": None} for row in rows]
    return [
        {**row["row"], "confidence": None, "evidence": shown}
        for row, shown in zip(rows, evidence, strict=True)
    ]


def tokens_out(engine: Engine) -> int:
    [row] = engine.sql("select sum(output_tokens)::int as n from backfill.slices")
    return int(row["n"])


def paid(engine: Engine) -> Any:
    return engine.http.get("/bill").json()["totals"]["requests"]


def page(kind: str) -> str:
    """Return the only page of a kind."""
    [path] = settings().reports_dir.glob(f"*-{NAME}-{kind}.md")
    return path.read_text(encoding="utf-8")


def start_again(engine: Engine) -> None:
    """Leave the passages, and nothing else."""
    engine.sql("drop schema backfill cascade")
    apply_migrations()
    engine.forget()


def test_a_version_on_the_diet_gets_the_same_rows_and_is_read_by_its_own_names_for_ever(
    engine: Engine, say: Say
) -> None:
    ids = engine.load_samples(6)
    say('wire = "plain"')
    engine.summary()
    plain, plain_tokens = engine.rows(), tokens_out(engine)
    start_again(engine)
    say("")  # a new version needs no word

    assert estimate_rest(NAME).offers[0].wire == "diet"
    assert engine.summary().startswith("6 targets: 6 written")

    engine.check()
    rows = engine.rows()
    assert coarse(rows) == coarse(plain) != []
    assert {round(each["row"]["confidence"] * 100) % 5 for each in rows} == {0}
    assert tokens_out(engine) < 0.85 * plain_tokens
    [version] = engine.sql("select meaning from backfill.versions")
    assert version["meaning"]["wire"]["concepts.name"] == "n"

    # Whatever the declaration becomes, a version's answers go by what it recorded.
    say('wire = "plain"')
    assert look_again(backfills.get(NAME), Scope.ALL).counted == [(Kind.SAME, 6)]

    say("")
    write_answers.directly(NAME, None, FILE)
    start_again(engine)
    read_answers.directly(NAME, FILE)
    engine.summary()
    assert (engine.rows(), paid(engine)) == (rows, 0)

    start_again(engine)
    assert engine.summary(transport="interactive").startswith("6 targets: 6 written")
    engine.check()

    say('extractor_version = "plain"')
    asyncio.run(compare.fn(name=NAME, candidate=VERSION, targets=6, approve_up_to_usd=2.0))
    asyncio.run(explain.fn(name=NAME, target_id=ids[0]))
    assert "## Rows of the 6 targets that both can use" in page("compare")
    shown = page("explain")
    assert '"n":' in shown
    assert "\nQuotes:\n" in shown


def test_a_version_that_was_answered_in_plain_goes_on_so_where_nobody_says_it(
    engine: Engine, say: Say
) -> None:
    say('wire = "plain"')
    engine.load_samples(3)
    engine.summary()
    engine.insert(str(UUID(int=1)), sample_text(8))
    engine.plan()  # a slice of before, which today's code sends and reads
    engine.insert(str(UUID(int=2)), sample_text(9))
    write_answers.directly(NAME, None, FILE)

    say("")

    assert estimate_rest(NAME).offers[0].wire == "plain"
    asyncio.run(try_rows.fn(name=NAME, text=sample_text(7)))
    assert '"concepts":' in page("try")
    assert engine.summary().startswith("2 targets: 2 written")
    engine.check()
    [version] = engine.sql("select meaning ? 'wire' as has_names from backfill.versions")
    assert (version["has_names"], paid(engine)) == (False, 6)

    say('wire = "diet"')
    with pytest.raises(PreflightError, match="its extractor_version is still"):
        engine.summary()
    start_again(engine)
    say("")
    read_answers.directly(NAME, FILE)
    assert engine.summary().startswith("2 targets: 2 written")
    assert estimate_rest(NAME).offers[0].wire == "plain"


def test_what_the_diet_cannot_carry_is_asked_in_plain(engine: Engine) -> None:
    class Checked(BaseModel):
        size: float

        @model_validator(mode="before")
        @classmethod
        def looks_first(cls, said: object) -> object:
            return said

    class Outer(BaseModel):
        parts: list[Checked]

    songs = backfills.declared()["songs"]
    searching = replace(songs, google_search=True, model="gemini-2.5-flash")
    with connect() as connection:
        asked = [
            versions.as_travelling(connection, each).wire
            for each in (songs, searching, replace(songs, answer=Outer))
        ]

    assert asked == ["diet", "plain", "plain"]
    [said] = refusals(replace(songs, answer=Outer, wire="diet"), models())
    assert said.startswith('wire is "diet", and a validator of the answer looks at it before')
