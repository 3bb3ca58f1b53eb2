"""A version on the diet: the same rows for less, and its answers are read for ever."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, configure

from flows.compare import compare
from flows.explain import explain
from tasks import backfills
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.settings import settings
from tasks.core.differences import Kind
from tasks.planning.answers_in_out import read_answers, write_answers
from tasks.writing.reread import Scope, look_again

FILE = "kept.jsonl"


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
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "backfills.toml"

    def say(line: str) -> None:
        site.write_text(f"[{NAME}]\n{line}\n")
        configure(monkeypatch, site_file=site)

    ids = engine.load_samples(6)
    engine.summary()
    plain, plain_tokens = engine.rows(), tokens_out(engine)
    start_again(engine)
    say('wire = "diet"')

    assert engine.summary().startswith("6 targets: 6 written")

    engine.check()
    rows = engine.rows()
    assert coarse(rows) == coarse(plain) != []
    assert {round(each["row"]["confidence"] * 100) % 5 for each in rows} == {0}
    assert tokens_out(engine) < 0.85 * plain_tokens
    [version] = engine.sql("select meaning from backfill.versions")
    assert version["meaning"]["wire"]["concepts.name"] == "n"

    say("")  # whatever the declaration becomes, a version's answers go by what it recorded
    assert look_again(backfills.get(NAME), Scope.ALL).counted == [(Kind.SAME, 6)]

    say('wire = "diet"')
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
