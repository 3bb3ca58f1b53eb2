"""Rows whose source row is gone are listed, and swept when a person says so (and nothing else)."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from engine_hand import NAME, VERSION, Engine, forget_settings, sample_text

from flows.orphans import orphans
from tasks.adapters.leases import held
from tasks.core.errors import RunInProgressError


def sweep(**options: Any) -> str:
    chosen = {"name": NAME, "dry_run": False, **options}
    return str(asyncio.run(orphans.fn(**chosen)).message)


def rows_by_target(engine: Engine) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in engine.rows():
        found.setdefault(row["row"]["passage_id"], []).append(row)
    return found


def bill(engine: Engine) -> Any:
    return engine.http.get("/bill").json()["totals"]["requests"]


def test_rows_of_source_rows_that_are_gone_are_swept_and_come_back_for_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = engine.load_samples(10)
    engine.summary()
    first, legacy, asked = rows_by_target(engine), engine.legacy(), bill(engine)
    engine.sql("delete from passages where passage_id = any(%(ids)s::uuid[])", ids=ids[:2])
    engine.sql(
        "update passages set passage_id = gen_random_uuid() where passage_id = %(id)s", id=ids[2]
    )
    engine.sql(
        "update passage_concepts set confidence = 0.123 where passage_id = %(id)s"
        " and extractor_version = %(v)s",
        id=ids[1],
        v=VERSION,
    )
    site = f'[{NAME}.source]\nwhere = """passage_id <> \'{ids[3]}\'"""\n'
    (tmp_path / "backfills.toml").write_text(site, encoding="utf-8")
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(tmp_path / "backfills.toml"))
    forget_settings()

    counted = sweep(dry_run=True)
    assert len(rows_by_target(engine)) == 10
    with held("run", NAME, holder="another"), pytest.raises(RunInProgressError):
        sweep()
    said = sweep()

    assert counted == (
        f"Dry run: 2 targets of {NAME} have rows and no source row any more"
        f" ({', '.join(sorted([ids[0], ids[2]]))}). Nothing was changed. 1 more are left, because"
        " a person corrected their rows: tick also_edited to delete those as well."
    )
    assert "rows of 2 targets of passage_concepts deleted, whose source row is gone" in said
    left = rows_by_target(engine)
    assert set(left) == set(ids) - {ids[0], ids[2]}
    assert all(left[each] == first[each] for each in ids[3:])
    assert engine.legacy() == legacy

    engine.insert(ids[0], sample_text(0))
    assert engine.summary() == "Nothing to ask. 2 restored from kept answers, 0 USD."
    assert (rows_by_target(engine)[ids[0]], bill(engine)) == (first[ids[0]], asked)
    assert "rows of 1 targets" in sweep(also_edited=True)
    assert ids[1] not in rows_by_target(engine)


def test_a_table_that_was_loaded_anew_under_other_ids_leaves_orphans_of_every_version(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = engine.load_samples(30)
    engine.summary()
    (tmp_path / "backfills.toml").write_text(
        f'[{NAME}]\nextractor_version = "second_v1"\n', encoding="utf-8"
    )
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(tmp_path / "backfills.toml"))
    forget_settings()
    engine.summary(limit=5)
    asked = bill(engine)
    engine.sql("delete from passages")
    for number in range(30):
        engine.insert(str(UUID(int=number)), sample_text(number))

    listed = sweep(dry_run=True, extractor_version=VERSION)
    assert f"Dry run: 30 targets of {NAME}" in listed
    assert "and 10 more)" in listed
    assert "rows of 35 targets" in sweep(step=4)

    assert rows_by_target(engine) == {}
    assert sweep() == (
        f"0 rows of 0 targets of {NAME} deleted, whose source row is gone. Their answers are kept:"
        " a row that comes back gets its own again, 0 USD."
    )
    assert engine.summary(limit=1).endswith("5 restored from kept answers, 0 USD.")
    assert bill(engine) == asked + 1
    assert not set(rows_by_target(engine)) & set(ids)


@pytest.mark.parametrize("name", ["job_enrichment", "songs"])
def test_what_is_filled_in_in_place_has_no_orphans(engine: Engine, name: str) -> None:
    assert sweep(name=name) == (
        f"{name} has no orphans: its answers stand in the rows that were asked about."
    )
