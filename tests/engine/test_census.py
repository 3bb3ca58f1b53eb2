"""What stands is counted, class by class, and said where a person looks."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from engine_hand import NAME, VERSION, Engine, forget_settings, sample_text
from songs_hand import sample, write_csv

from deployments import status as command
from tasks import backfills
from tasks.adapters import census
from tasks.adapters.pages import render
from tasks.adapters.postgres import connect
from tasks.core.census import Census
from tasks.reports.audit import look


def counted(name: str = NAME, since: datetime | None = None) -> Census:
    with connect() as connection:
        return census.take(connection, backfills.get(name), since)


def site(place: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    file = place / "backfills.toml"
    file.write_text(lines, encoding="utf-8")
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))
    forget_settings()


def disturb(engine: Engine, ids: list[str]) -> None:
    """Do to one target after the other what makes it one of each class; leave the rest."""
    change = "update passages set passage_text = %(text)s where passage_id = %(id)s::uuid"
    delete = "delete from passage_concepts where passage_id = %(id)s and extractor_version = %(v)s"
    engine.sql(change, text=sample_text(70), id=ids[0])
    engine.sql("delete from passages where passage_id = any(%(ids)s::uuid[])", ids=ids[1:3])
    engine.sql(delete, id=ids[3], v=VERSION)
    engine.sql(delete, id=ids[4], v=VERSION)
    engine.sql(
        "update backfill.questions set block_id = null where question_id = (select"
        " backfill.question_id(backfill, extractor_version, content_hash)"
        " from backfill.generations where target_id = %(id)s)",
        id=ids[4],
    )
    engine.sql(
        "update passage_concepts set confidence = 0.123 where passage_id = any(%(ids)s::uuid[])"
        " and extractor_version = %(v)s",
        ids=[ids[2], ids[5]],
        v=VERSION,
    )


def test_every_class_is_counted_and_shown(
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ids = engine.load_samples(12)
    engine.summary()
    assert counted() == Census()
    disturb(engine, ids)
    site(tmp_path, monkeypatch, f'[{NAME}.source]\nwhere = """passage_id <> \'{ids[6]}\'"""\n')

    found = counted()

    assert found == Census(
        stale=1, orphans=2, thinned=1, edited=2, out_of_scope=1, restorable=1, askable=1
    )
    [first] = engine.sql("select min(projected_at) as written from backfill.projections")
    assert counted(since=first["written"]) == replace(found, edited=0)
    command.once(as_json=True, census=True)
    [each] = json.loads(capsys.readouterr().out)["backfills"]
    assert each["census"]["orphans"] == 2
    audited = look("3", timedelta(hours=6))
    said = "\n".join(audited.findings)
    assert (
        f"{NAME}: 2 targets have rows although their source row is gone; rollback/orphans" in said
    )
    assert f"{NAME}: 1 targets lack the rows of an answer that is kept" in said
    page = render("audit.md", audit=audited, gb=str, quota=1)
    assert "| orphans: the source row is gone | 2 |" in page
    assert f"{NAME}: 1 source rows are left out by `where`" in page

    engine.summary()
    assert counted() == Census(orphans=2, thinned=1, edited=2, out_of_scope=1)
    report = max((tmp_path / "reports").glob(f"*-{NAME}-full.md"))
    assert "| orphans: the source row is gone | 2 |" in report.read_text(encoding="utf-8")


def test_songs_have_no_orphans(engine: Engine, tmp_path: Path) -> None:
    path, out = write_csv(tmp_path / "songs.csv", sample(6)), tmp_path / "out.csv"
    options = {"name": "songs", "csv_in": str(path), "csv_out": str(out)}
    engine.summary(**options)
    write_csv(path, sample(3))
    engine.summary(**options)

    assert counted("songs") == Census()


def test_of_rows_that_were_printed_by_their_texts_corrections_are_still_known(
    engine: Engine,
) -> None:
    [first, *_] = engine.load_samples(4)
    engine.summary()
    [reading] = engine.sql("select columns, by_text from backfill.readings")
    assert not reading["by_text"]
    engine.sql("update backfill.readings set by_text = true")
    columns = ", ".join(reading["columns"])
    engine.sql(
        "update backfill.projections set fingerprint = (select"
        f" bit_xor(hashtextextended(row({columns})::text, 0)) from passage_concepts as those"
        " where those.passage_id::text = target_id and those.extractor_version = %(v)s)",
        v=VERSION,
    )
    assert counted() == Census()

    engine.sql("update passage_concepts set confidence = 0.123 where passage_id = %(id)s", id=first)

    assert counted() == Census(edited=1)
    engine.sql("update backfill.readings set by_text = false")
    assert counted().edited == 4
