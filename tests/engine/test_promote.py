"""Promoting: which version views, exports and CSVs show, at once, on record, and back."""

import asyncio
import contextvars
import csv
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, forget_settings, sample_text
from prefect.client.schemas.objects import State
from songs_hand import generated, read_csv, sample, write_csv

import flows.backfill
import flows.promote
import flows.rollback
from deployments.local.sample_jobs import jobs
from flows.backfill_slice import backfill_slice
from flows.promote import promote
from flows.rollback import rollback
from tasks import backfills
from tasks.adapters import views
from tasks.adapters.postgres import connect, statements
from tasks.adapters.processes import processes
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.concepts import ConceptAnswer
from tasks.core.errors import PreflightError
from tasks.core.models import SliceResult
from tasks.planning import preflight
from tasks.reports.export import write
from tasks.writing import ingest

NEW = "00000000-0000-0000-0000-00000000abc{}"
ALIKE = """
update passage_concepts set confidence = 1.0, concept_name = 'same' where ctid in (
    select distinct on (passage_id, extractor_version) ctid from passage_concepts
    where extractor_version in ('v2', %(v)s)
)
"""


class Worker:
    """Takes slices as a process of its own does, which knows nothing of what the run asks."""

    async def __call__(self, *slice_of: str) -> SliceResult:
        knows_nothing = contextvars.Context()
        return await asyncio.create_task(backfill_slice.fn(*slice_of), context=knows_nothing)


class Other(ConceptAnswer):
    """An answer of another shape than was asked for."""

    mood: str = ""


@pytest.fixture
def site(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what lets the site file say something."""
    del engine
    file = tmp_path / "backfills.toml"
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))

    def say(section: str) -> None:
        file.write_text(section)
        forget_settings()

    say("")
    return say


def promoted(version: str | None, **options: object) -> State[Any]:
    chosen: dict[str, Any] = {"by": "Ada", "reason": "fewer bad", "dry_run": False, **options}
    return asyncio.run(promote.fn(**{"name": NAME, "extractor_version": version, **chosen}))


def best(engine: Engine) -> set[str]:
    """Return whose rows the view shows where two versions have the same concept."""
    rows = engine.sql(
        "select extractor_version from backfill.passage_concepts_best where concept_name = 'same'"
    )
    return {row["extractor_version"] for row in rows}


def exported() -> set[str]:
    _, file = write(NAME, "csv", None, None, best=False)
    with file.open(newline="", encoding="utf-8") as lines:
        return {row["extractor_version"] for row in csv.DictReader(lines)}


def test_readers_get_the_promoted_version_at_once_and_the_other_one_back_as_easily(
    engine: Engine, site: Callable[[str], None]
) -> None:
    engine.load_samples(8)
    engine.summary()
    with connect() as connection:
        views.create_on(connection, BACKFILL)
    site(f'[{NAME}]\nextractor_version = "v2"\n')
    engine.summary()
    engine.sql(ALIKE, v=VERSION)
    rows = engine.sql("select * from passage_concepts order by 1, 2, 4, 5")
    assert (best(engine), exported()) == ({VERSION}, {"v2"})

    shown = promoted("v2", dry_run=True)
    assert "v2 covers 100.0% of 8 targets" in str(shown.message)
    assert best(engine) == {VERSION}
    state = promoted("v2")

    assert str(state.message).startswith(f"v2 is what readers of {NAME} get now. Before it was v2,")
    assert (best(engine), exported()) == ({"v2"}, {"v2"})
    back = promoted(VERSION)
    assert "Before it was v2: promote that to go back." in str(back.message)
    assert f"Incremental runs ask under {VERSION} what is new; others go on" in str(back.message)
    notes = preflight.look(backfills.get(NAME)).notes
    assert [note for note in notes if note.startswith(f"Readers get {VERSION}, which a person")]
    assert (best(engine), exported()) == ({VERSION}, {VERSION})
    assert engine.sql("select * from passage_concepts order by 1, 2, 4, 5") == rows
    noted = engine.sql("select * from backfill.promotions order by promotion_id")
    assert [(row["extractor_version"], row["promoted_by"], row["reason"]) for row in noted] == [
        ("v2", "Ada", "fewer bad"),
        (VERSION, "Ada", "fewer bad"),
    ]
    asyncio.run(rollback.fn(name=NAME, extractor_version=VERSION, dry_run=False))
    assert exported() == {"v2"}
    with pytest.raises(PreflightError, match=r"run restore/withdrawn, then promote it"):
        promoted(VERSION)


def test_what_is_new_is_asked_the_promoted_versions_question_or_it_is_said_why_not(
    engine: Engine, site: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(6)
    engine.summary()
    promoted(None)
    prompt = Path(os.environ["BACKFILL_SITE_FILE"]).with_name("v2.md")
    prompt.write_text("Name the concepts of the text, the rarest first.")
    site(f'[{NAME}]\nextractor_version = "v2"\nprompt = "v2.md"\nthinking = "high"\n')
    engine.summary(kind="full", limit=3)
    monkeypatch.setattr(flows.backfill, "Workers", Worker)
    monkeypatch.setattr(ingest, "SMALL", 0)  # as of a slice so large that processes write it
    ways = [("batch", "process"), ("batch", "workers"), ("interactive", "workers")]

    for number, (transport, fan_out) in enumerate(ways):
        engine.insert(NEW.format(number), sample_text(99 + number))
        engine.summary(kind="incremental", transport=transport, fan_out=fan_out)
        assert processes._pool is not None

    written = engine.sql(
        "select distinct passage_id::text as target, extractor_version as version"
        " from passage_concepts where passage_id::text like '%-00000000abc_' order by 1"
    )
    assert written == [{"target": NEW.format(n), "version": VERSION} for n in range(len(ways))]
    asked = engine.sql(
        "select extractor_version, count(*) as n from backfill.generations group by 1 order by 1"
    )
    assert [(row["extractor_version"], row["n"]) for row in asked] == [(VERSION, 9), ("v2", 3)]
    assert backfills.get(NAME).extractor_version == "v2"
    other = replace(backfills.get(NAME), answer=Other)
    why = f"get {VERSION}, and today's code does not ask its question"
    with monkeypatch.context() as patch:
        patch.setattr(backfills, "_all", lambda: {NAME: other})
        with pytest.raises(PreflightError, match=why):
            engine.run(kind="incremental")


def test_gaps_are_shown_with_their_price_and_want_a_yes(
    engine: Engine, site: Callable[[str], None]
) -> None:
    del site
    engine.load_samples(10)
    engine.insert("00000000-0000-0000-0000-00000000abcd", "")
    engine.summary(limit=6)

    with pytest.raises(PreflightError, match=r"covers 60\.0% of 10 targets .* the 4 missing ones"):
        promoted(None)
    with pytest.raises(PreflightError, match="fill in by and reason"):
        promoted(None, accept_gaps=True, reason=" ")
    with pytest.raises(PreflightError, match="no version 'v9' in the ledger"):
        promoted("v9")
    assert engine.sql("select * from backfill.promotions") == []
    promoted(None, accept_gaps=True)
    [noted] = engine.sql("select coverage from backfill.promotions")
    assert noted["coverage"] == pytest.approx(0.6)


def test_a_csv_goes_out_with_the_answers_of_the_promoted_version(
    engine: Engine, site: Callable[[str], None], tmp_path: Path
) -> None:
    path, out = write_csv(tmp_path / "songs.csv", sample(4)), tmp_path / "out.csv"
    options = {"name": "songs", "csv_in": str(path), "csv_out": str(out)}
    engine.summary(**options)
    first = generated(read_csv(out)[1])
    promoted(None, name="songs")
    site('[songs]\nextractor_version = "v2"\nmodel = "gemini-2.5-flash"\n')
    engine.sql('update backfill.csv_answers set answer = answer || \'{"reasoning": "the first"}\'')

    engine.summary(**options)

    shown = generated(read_csv(out)[1])
    assert len(shown) == len(first)
    assert {row[2] for row in shown} == {"the first"}


def test_in_place_the_version_stands_that_the_site_names(
    engine: Engine, site: Callable[[str], None]
) -> None:
    demo = statements("demo/jobs.sql")
    with connect() as connection:
        connection.execute(demo["create_tables"])
        connection.cursor().executemany(demo["insert_target"], jobs(6, 4))
    engine.summary(name="job_enrichment")
    told = "select id, skills, seniority, summary from jobs_enriched order by id"
    first = engine.sql(told)
    site('[job_enrichment]\nextractor_version = "v2"\nmodel = "gemini-2.5-flash"\n')
    assert engine.summary(name="job_enrichment").startswith("4 targets: 4 written")
    assert engine.sql(told)[:4] != first[:4]

    with pytest.raises(PreflightError, match=r"write extractor_version = \"gemini_enrichment_v1\""):
        promoted("gemini_enrichment_v1", name="job_enrichment")
    site("")
    state = promoted(None, name="job_enrichment", accept_gaps=True)

    assert "4 targets of gemini_enrichment_v1 restored from kept answers" in str(state.message)
    assert engine.sql(told) == first
