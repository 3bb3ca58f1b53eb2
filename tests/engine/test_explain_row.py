"""Why a row says what it says: one page from its text to what stands in the table."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, sample_text
from prefect.client.schemas.objects import State
from songs_hand import sample, write_csv
from test_job_enrichment import _load

from flows.explain import explain
from flows.try_rows import try_rows
from tasks.adapters.settings import settings
from tasks.core.errors import PreflightError
from tasks.core.traces import sample_without


def explained(target_id: str, name: str = NAME) -> State[Any]:
    return asyncio.run(explain.fn(name=name, target_id=target_id))


def page(name: str = NAME) -> str:
    """Return the page of a backfill's last row."""
    return max(settings().reports_dir.glob(f"*-{name}-explain.md")).read_text(encoding="utf-8")


def test_a_rows_life_is_told_from_its_text_to_what_stands_now(engine: Engine) -> None:
    ids = engine.load_samples(4)
    engine.summary()

    said = str(explained(ids[1]).message)

    [row] = engine.sql("select * from backfill.generations where target_id = %(id)s", id=ids[1])
    [of] = engine.sql("select * from backfill.slices where slice_id = %(id)s", id=row["slice_id"])
    shown = page()
    assert said == (
        f"{ids[1]} is written under {VERSION} of {NAME}, after 1 try; rows of 1 of 1 texts and"
        " versions stand."
    )
    for part in (
        f"`{ids[1]}`",
        f"| Slice | `{of['slice_id']}`, wave 1, 4 rows, batch |",
        f"| Batch job | {of['job_name']} |",
        f"{row['input_tokens']:,}, {row['output_tokens']:,} |",
        f"{row['model_version']} |",
        "| Approved | 100.0000 USD, by ",
        "| Read by | reading 1; today's is 1 |",
        "| Corrected by a person since | no |",
        '    {"c":',
        "exact, characters",
        "    concept_name: ",
        '"propertyOrdering":',
    ):
        assert part in shown, part
    assert ids[1] not in sample_without(shown, [ids[1]])
    shares = []
    for each in ids:
        explained(each)
        shares.append(float(page().split("slice's cost | ")[1].split(" ")[0]))
    assert sum(shares) == pytest.approx(float(of["cost_usd"]), abs=5e-6)


def test_corrections_changed_texts_and_rows_that_are_gone_are_said(engine: Engine) -> None:
    ids = engine.load(*map(sample_text, range(3)), "")
    engine.summary()
    engine.sql(
        "update passage_concepts set concept_type = 'field', confidence = 0.123"
        " where passage_id = %(id)s::uuid and extractor_version = %(version)s",
        id=ids[0],
        version=VERSION,
    )
    engine.sql(
        "update passages set passage_text = 'Another <b>text</b>' where passage_id = %(id)s::uuid",
        id=ids[1],
    )
    engine.sql("delete from passages where passage_id = %(id)s::uuid", id=ids[2])

    explained(ids[0])
    corrected = page()
    explained(ids[1])
    changed = page()
    gone = str(explained(ids[2]).message)
    blank = str(explained(ids[3]).message)

    assert "| Corrected by a person since | yes |" in corrected
    assert "    confidence: 0.123" in corrected
    assert "Another \\<b\\>text\\</b\\>" in changed
    assert "The text is not what was asked then" in changed
    assert gone.endswith("Its row is gone from the source.")
    assert "skipped (empty_text)" in blank


def test_a_row_that_was_never_asked_says_so_and_an_unknown_id_is_one_sentence(
    engine: Engine,
) -> None:
    [one] = engine.load_samples(1)

    assert str(explained(one).message) == (
        f"{one} was never asked by {NAME}: no run has taken it on."
    )
    with pytest.raises(PreflightError) as raised:
        explained("nobody")
    assert str(raised.value) == (
        "Nothing is known of 'nobody': there is no such row in passages, and passage_concepts"
        " never asked it, or it was forgotten on request."
    )
    with pytest.raises(PreflightError, match="Nothing is known of '': there is no such row"):
        explained("")


def test_a_song_of_a_csv_and_an_advert_filled_in_in_place_are_tried_and_explained(
    engine: Engine, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(3))
    engine.summary(name="songs", csv_in=str(path), csv_out=str(tmp_path / "out.csv"))
    _load(engine, adverts=3, placeholders=3)
    engine.summary(name="job_enrichment", transport="batch")
    [song] = engine.sql("select min(target_id) as id from backfill.csv_rows")
    [advert] = engine.sql("select min(id)::text as id from jobs_enriched")

    heard = str(explained(song["id"], "songs").message)
    of_song = page("songs")
    read = str(explained(advert["id"], "job_enrichment").message)
    of_advert = page("job_enrichment")
    tried = [
        str(asyncio.run(try_rows.fn(name=name, text="Jazz cook wanted.")).message)
        for name in ("songs", "job_enrichment")
    ]

    assert "is written under" in heard
    assert "is written under" in read
    assert "    ai_energy: " in of_song
    assert "    seniority: " in of_advert
    assert of_song.count("| Corrected by a person since | no |") == 1
    assert of_advert.count("| Corrected by a person since | no |") == 1
    assert ["usable answers: 1;" in said for said in tried] == [True, True]
    shown = max(settings().reports_dir.glob("*-job_enrichment-try.md")).read_text()
    assert "    embedding: null" in shown
    assert "The vector is not asked for in a try" in shown
