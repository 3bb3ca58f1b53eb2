"""In place: what stood before is kept and comes back; what a person wrote since is left."""

import asyncio
from functools import partial
from typing import Any

import pytest
from engine_hand import Engine, configure

import tasks.undo.restore
import tasks.undo.rollback
from deployments.local.sample_jobs import jobs
from flows.rollback import rollback
from tasks.adapters.postgres import connect, statements
from tasks.backfills.job_enrichment import BACKFILL

NAME = BACKFILL.name
SQL = statements("demo/jobs.sql")
EMPTIED = "update jobs_enriched set embedding = null"


@pytest.fixture(autouse=True)
def adverts(engine: Engine) -> None:
    """Load six adverts with placeholders and two with vectors."""
    with connect() as connection:
        connection.execute(SQL["create_tables"])
        connection.cursor().executemany(SQL["insert_target"], jobs(8, 6))


run = partial(Engine.summary, name=NAME, transport="batch")
restored = tasks.undo.restore.restore_version.directly


def undo(**options: Any) -> str:
    return str(asyncio.run(rollback.fn(name=NAME, dry_run=False, **options)).message)


def rows(engine: Engine) -> list[dict[str, Any]]:
    return engine.sql("select * from jobs_enriched order by id")


def bill(engine: Engine) -> int:
    return int(engine.http.get("/bill").json()["totals"]["requests"])


def test_a_rollback_puts_back_what_stood_before_the_first_answer_and_leaves_what_was_edited(
    engine: Engine,
) -> None:
    before = rows(engine)
    run(engine)
    engine.sql(
        "update jobs_enriched set description = description || ' And more.' where id = 'job-0001'"
    )
    engine.sql(f"{EMPTIED}, summary = null where id in ('job-0001', 'job-0002')")
    said = run(engine)
    assert "1 restored" in said
    engine.sql("update jobs_enriched set summary = 'mine' where id = 'job-0003'")
    filled = rows(engine)

    said = undo(step=2)

    owned = ("skills", "seniority", "summary", "embedding")
    now = rows(engine)
    assert "5 rows hold again what they held before" in said
    assert "1 targets keep their rows" in said
    assert now[3] == filled[3]
    for place in (0, 1, 2, 4, 5, 6, 7):
        assert [now[place][name] for name in owned] == [before[place][name] for name in owned]
    asked = bill(engine)
    restored(NAME, None, dry_run=False)
    assert (rows(engine), bill(engine)) == (filled, asked)
    undo(also_edited=True)
    assert [row["embedding"] for row in rows(engine)] == [row["embedding"] for row in before]


def test_an_emptied_row_is_restored_unless_a_person_wrote_into_it(engine: Engine) -> None:
    before = rows(engine)
    run(engine)
    filled = rows(engine)
    asked = bill(engine)
    engine.sql(f"{EMPTIED} where id = 'job-0001'")
    engine.sql(
        "update jobs_enriched set embedding = %(was)s, summary = null where id = 'job-0002'",
        was=before[2]["embedding"],
    )
    engine.sql(f"{EMPTIED}, summary = 'mine' where id = 'job-0003'")
    mine = rows(engine)[3]

    said = run(engine)

    assert said == "Nothing to ask. 2 restored from kept answers, 0 USD."
    assert rows(engine) == [*filled[:3], mine, *filled[4:]]
    assert engine.ends() == {"written": 5, "skipped: edited": 1}
    assert (run(engine), bill(engine)) == ("Nothing to do.", asked)


def test_a_new_version_asks_what_an_older_one_filled_in_and_nothing_else(
    engine: Engine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(engine)
    run(engine)
    engine.sql("update jobs_enriched set summary = 'mine' where id = 'job-0003'")
    first = rows(engine)
    site = tmp_path / "backfills.toml"
    site.write_text(f'[{NAME}]\nextractor_version = "enrichment_v2"\n', encoding="utf-8")
    configure(monkeypatch, site_file=site)

    said = run(engine)

    second = rows(engine)
    assert said.startswith("6 targets: 5 written")
    assert second[3] == first[3]
    assert second[6:] == before[6:]
    assert run(engine) == "Nothing to do."
    undo()
    assert rows(engine) == first
    undo(extractor_version=BACKFILL.extractor_version)
    assert rows(engine) == [*before[:3], first[3], *before[4:]]


def test_a_vector_that_came_while_its_row_was_away_is_not_paid_again(engine: Engine) -> None:
    engine.set(run_seconds=30)
    away = engine.sql("select * from jobs_enriched where id = 'job-0002'")
    engine.at_event("poll", _take_away, engine)
    run(engine)
    assert engine.ends() == {"written": 5, "skipped: row_deleted": 1}
    names = ", ".join(away[0])
    engine.set(run_seconds=0)
    engine.sql(
        f"insert into jobs_enriched ({names}) values"
        f" ({', '.join(f'%({name})s' for name in away[0])})",
        **away[0],
    )

    said = run(engine)

    assert said.startswith("1 targets: 1 written")
    assert engine.ends() == {"written": 6}
    assert bill(engine) == 6 + 6
    assert rows(engine)[2]["summary"]


def _take_away(engine: Engine) -> None:
    engine.sql("delete from jobs_enriched where id = 'job-0002'")
    engine.set(run_seconds=0)
    engine.advance(60)
