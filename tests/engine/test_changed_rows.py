"""Incremental runs look only at what changed, where the table says so, and miss nothing."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, Engine, forget_settings, sample_text

import flows.backfill
from tasks import backfills
from tasks.adapters.ledger import looks
from tasks.adapters.postgres import connect
from tasks.planning.preflight import look

ADD = "alter table passages add column updated_at timestamptz default now()"
INCREMENTAL: dict[str, Any] = {"kind": "incremental", "limit": 50}


def site(place: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    file = place / "backfills.toml"
    file.write_text("\n".join([f"[{NAME}.source]", *lines]), encoding="utf-8")
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))
    forget_settings()


@pytest.fixture
def changing(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return an engine over passages that say when they changed: 12 of them, two days ago."""
    engine.sql(ADD)
    engine.sql("create index on passages (updated_at)")
    site(tmp_path, monkeypatch, 'changed = "updated_at"')
    engine.load_samples(12)
    engine.sql("update passages set updated_at = now() - interval '2 days'")
    return engine


def since() -> object:
    with connect() as connection:
        return looks.since(connection, backfills.get(NAME))


def touch(engine: Engine, passage_id: str, number: int, ago: str) -> None:
    engine.sql(
        "update passages set passage_text = %(text)s, updated_at = now() - %(ago)s::interval"
        " where passage_id = %(id)s::uuid",
        text=sample_text(number),
        id=passage_id,
        ago=ago,
    )


def ids(engine: Engine) -> list[str]:
    return [
        row["id"] for row in engine.sql("select passage_id::text as id from passages order by 1")
    ]


def test_only_changed_rows_are_looked_at_and_all_of_them_once_a_week(changing: Engine) -> None:
    assert look(backfills.get(NAME)).notes == []
    changing.summary(**INCREMENTAL)
    assert since() is not None
    one, two, three, *_ = ids(changing)

    touch(changing, one, 91, "50 minutes")  # its transaction was open while the last look was taken
    touch(changing, two, 92, "2 days")  # nobody could know
    changing.sql("update passages set updated_at = null where passage_id = %(id)s", id=three)
    changing.sql(
        "delete from passage_concepts where passage_id = any(%(ids)s::uuid[])", ids=[three]
    )
    said = changing.summary(**INCREMENTAL)
    assert said.startswith("1 targets: 1 written")
    assert said.endswith("0 remain. 1 restored from kept answers, 0 USD.")
    [report] = changing.sql("select count(*) as n from backfill.looks")
    assert report["n"] == 1

    changing.sql("update backfill.looks set whole_at = now() - interval '8 days'")
    assert since() is None
    assert changing.summary(**INCREMENTAL).startswith("1 targets: 1 written")
    last = since()
    assert isinstance(last, datetime)
    changing.sql("alter table passages alter column updated_at type timestamp")
    assert since() == last - timedelta(hours=23), "nobody knows whose clock it shows"
    assert changing.summary() == "Nothing to do."
    changing.check()


def test_what_a_limit_a_fresh_plan_or_a_rollback_left_is_looked_at_again(
    changing: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "2 remain" in changing.summary(kind="incremental", limit=10)
    assert since() is None, "a limited look that left rows is none"
    assert changing.summary(**INCREMENTAL).startswith("2 targets: 2 written")
    first = since()
    assert first is not None

    touch(changing, ids(changing)[0], 71, "1 second")
    touch(changing, ids(changing)[1], 72, "1 second")
    assert "1 remain" in changing.summary(kind="incremental", limit=1)
    assert since() == first, "the mark stays where it was"
    assert changing.summary(**INCREMENTAL).startswith("1 targets")

    touch(changing, ids(changing)[2], 73, "1 second")
    with monkeypatch.context() as patch:
        patch.setattr(flows.backfill, "obtain_approval", _die)
        with pytest.raises(SystemExit):
            changing.run(kind="incremental")
    changing.sql("update passages set updated_at = now() - interval '2 days'")
    assert changing.summary(**INCREMENTAL).startswith("1 targets: 1 written"), "it was forgotten"

    assert since() is not None
    site(tmp_path, monkeypatch, 'changed = "updated_at"', 'where = "true"')
    assert since() is None, "another scope is another look"


async def _die(*_: object, **__: object) -> None:
    raise SystemExit


def test_preflight_names_the_index_that_is_wanted_and_refuses_what_is_no_time(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql(ADD)
    engine.load_samples(1)

    def said(column: str) -> tuple[list[str], list[str]]:
        site(tmp_path, monkeypatch, f'changed = "{column}"')
        found = look(backfills.get(NAME))
        return found.problems, found.notes

    problems, [note] = said("updated_at")
    assert problems == []
    assert note == (
        "No index begins with passages.updated_at, so an incremental run reads the whole table"
        ' to find what changed: create index concurrently on "public"."passages" ("updated_at");'
    )
    [problem], _ = said("page_num")
    assert "is passages.page_num, of type integer: name a timestamp column" in problem
    [problem], _ = said("updated")
    assert "passages has no column updated; it has updated_at: set source.changed" in problem
