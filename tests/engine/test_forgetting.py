"""What a person asks to be forgotten is gone everywhere; what is too old is kept no more."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, SPACE, VERSION, Engine, configure
from songs_hand import generated, is_answered, read_csv, sample, write_csv

import flows.redrive
import tasks.undo.forget
from deployments.local.sample_jobs import jobs
from tasks.adapters.postgres import connect, statements
from tasks.adapters.settings import settings
from tasks.core.answers import BadReason
from tasks.core.errors import PreflightError, RunInProgressError
from tasks.core.kept import unpack
from tasks.core.traces import as_shown, is_named
from tasks.undo.forget import forget_rows

LEDGER = ("generations", "questions", "projections", "answer_blocks", "restores", "csv_answers")


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: object, **__: object) -> int:
        return 0

    monkeypatch.setattr(tasks.undo.forget, "_clean_pages", none)


def forget(*ids: str, name: str = NAME, dry_run: bool = False) -> str:
    state = asyncio.run(forget_rows.fn(name, ",".join(ids), None, dry_run=dry_run))
    return str(state.message)


def bill(engine: Engine) -> Any:
    return engine.http.get("/bill").json()["totals"]["requests"]


def everything(engine: Engine) -> dict[str, object]:
    tables = [*(f"backfill.{name}" for name in LEDGER), "backfill.slices", "passage_concepts"]
    return {
        table: engine.sql(f"select to_jsonb(t) as row from {table} as t order by t::text")
        for table in tables
    }


def kept_texts(engine: Engine) -> list[str]:
    blocks = engine.sql("select payload from backfill.answer_blocks")
    return [each.text or "" for block in blocks for each in unpack(block["payload"])]


def mentioned(texts: Collection[str], number: int) -> bool:
    return any(f"quasar{number} " in text for text in texts)


def text(number: int) -> str:
    """Return a text of which every quote says which one it is."""
    word = f"quasar{number} "
    return f"{word * 3}was described early; {word * 3}in practice took years of {word * 3}theory."


def report_lines() -> str:
    files = [path for path in settings().reports_dir.glob("*") if path.suffix in (".csv", ".md")]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_a_row_is_forgotten_everywhere_and_never_asked_again(engine: Engine) -> None:
    ids = engine.load(*map(text, range(8)))
    engine.insert("00000000-0000-0000-0000-00000000abcd", text(5))  # says what 5 says
    engine.fault("not_json", match={"text": "quasar1 "})
    engine.summary()
    engine.no_faults()
    gone = [ids[1], ids[2], ids[5]]
    assert all(each in report_lines() for each in gone[:2])
    leftover = settings().work_dir / "x.requests.jsonl"
    leftover.write_text("of a slice that this ledger does not know")
    before, asked, legacy = everything(engine), bill(engine), engine.legacy()

    dry = forget(*gone, dry_run=True)
    assert everything(engine) == before
    assert all(each in report_lines() for each in gone[:2])
    said = forget(*gone)

    rows = sum(str(row["row"]["passage_id"]) in gone for row in before["passage_concepts"])  # type: ignore[index,attr-defined]
    counted = f"3 targets of {NAME}: {rows} rows, 2 kept answers, 3 ledger entries, 2 files"
    assert dry.startswith(f"Would be forgotten: {counted}")
    assert said.startswith(f"Forgotten: {counted}")
    assert "1 answers stay, because other rows say the same." in said
    assert leftover.exists()
    _is_gone(engine, gone)
    kept = kept_texts(engine)
    assert [mentioned(kept, number) for number in (0, 1, 2, 5)] == [True, False, False, True]
    assert sum(not text for text in kept) >= 2
    engine.check()
    [block] = engine.sql(
        "select sum(answers) as n, (select count(*) from backfill.questions) as questions"
        " from backfill.answer_blocks"
    )
    assert block["n"] == block["questions"] == 6
    assert engine.sql("select target_id from backfill.forgotten order by 1") == [
        {"target_id": each} for each in sorted(gone)
    ]
    assert engine.legacy() == legacy
    assert engine.processed() == 6
    assert engine.summary() == "Nothing to do."
    assert bill(engine) == asked
    engine.sql("delete from passage_concepts where extractor_version = %(v)s", v=VERSION)
    assert engine.summary() == "Nothing to ask. 6 restored from kept answers, 0 USD."
    assert "0 rows, 0 kept answers, 0 ledger entries, 0 files" in forget(*gone)
    assert ", 1 kept answers, 1 ledger entries" in forget("00000000-0000-0000-0000-00000000abcd")
    assert not mentioned(kept_texts(engine), 5)


def _is_gone(engine: Engine, ids: list[str]) -> None:
    assert [each for each in ids if each in report_lines()] == []
    for table in ("generations", "projections", "restores"):
        assert (
            engine.sql(f"select 1 from backfill.{table} where target_id = any(%(ids)s)", ids=ids)
            == []
        )
    assert [row for row in engine.rows() if row["row"]["passage_id"] in ids] == []


def test_what_is_on_its_way_is_refused_and_what_was_only_planned_is_not(engine: Engine) -> None:
    ids = sorted(engine.load_samples(5))
    slice_id, last = engine.plan(slice_size=3)

    forget(ids[0], *ids[3:])
    counts = [engine.slice(each).request_count for each in (slice_id, last)]
    assert sorted(counts) == [0, 2]
    engine.sql("update backfill.slices set state = 'submitted' where state = 'planned'")
    with pytest.raises(RunInProgressError, match="1 of these targets are in batch jobs"):
        forget(ids[1])
    with pytest.raises(PreflightError, match="No ids were given"):
        forget(" ", "\n")
    engine.sql("update backfill.slices set state = 'planned' where state = 'submitted'")

    assert engine.summary().startswith("2 targets: 2 written")
    engine.check()


def test_songs_and_adverts_lose_their_answers_and_nothing_else(
    engine: Engine, tmp_path: Path
) -> None:
    path, out = write_csv(tmp_path / "songs.csv", sample(4)), tmp_path / "out.csv"
    options = {"name": "songs", "csv_in": str(path), "csv_out": str(out)}
    engine.summary(**options)
    [one] = engine.sql("select target_id from backfill.csv_rows order by row_number limit 1")
    assert "1 rows, 1 kept answers" in forget(one["target_id"], name="songs")
    engine.summary(**options)
    _, rows = read_csv(out)
    assert [is_answered(row) for row in rows] == [False, True, True, True]
    assert set(generated(rows)[0][1:]) == {""}

    adverts = statements("demo/jobs.sql")
    with connect() as connection:
        connection.execute(adverts["create_tables"])
        connection.cursor().executemany(adverts["insert_target"], jobs(3, 3))
    engine.summary(name="job_enrichment", transport="batch")
    ids = [row["id"] for row in engine.sql("select id from jobs_enriched order by id")]
    foreign = engine.sql(adverts["foreign_checksum"])
    assert "1 rows, 1 kept answers" in forget(ids[0], name="job_enrichment")
    assert engine.sql(adverts["foreign_checksum"]) == foreign
    filled = engine.sql("select id from jobs_enriched where summary is not null order by id")
    assert [row["id"] for row in filled] == ids[1:]
    before = engine.sql("select target_id from backfill.filled order by 1")
    assert [row["target_id"] for row in before] == ids[1:]
    assert engine.summary(name="job_enrichment") == "Nothing to do."


def test_answers_that_are_too_old_are_thinned_and_asked_again_by_a_person_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = engine.load(*map(text, range(6)))
    engine.summary()
    first, asked = engine.rows(), bill(engine)
    engine.sql("update backfill.answer_blocks set kept_at = now() - interval '31 days'")
    engine.summary()
    assert mentioned(kept_texts(engine), 1)
    configure(monkeypatch, keep_answers_days=30)
    assert engine.summary() == "Nothing to do."
    assert kept_texts(engine) == []
    engine.sql(
        "delete from passage_concepts where passage_id = any(%(ids)s::uuid[])"
        " and extractor_version = %(v)s",
        ids=ids[:2],
        v=VERSION,
    )
    # A row that says what was answered once is no new question either.
    engine.insert(str(SPACE), text(4))

    assert engine.summary() == "Nothing to do."
    assert bill(engine) == asked
    assert "0 bad generations (none)" in redrive()
    assert "3 thinned" in redrive(BadReason.THINNED, dry_run=True)
    assert "3 thinned" in redrive(BadReason.THINNED)
    said = engine.summary()

    assert said.startswith("3 targets: 3 written")
    assert bill(engine) == asked + 3
    mine = [row for row in first if row["row"]["passage_id"] in ids[2:]]
    assert [row for row in engine.rows() if row["row"]["passage_id"] in ids[2:]] == mine
    assert engine.ends() == {"written": 7}
    assert engine.processed() == 7


def redrive(*reasons: BadReason, dry_run: bool = False) -> str:
    state = asyncio.run(flows.redrive.redrive.fn(name=NAME, reasons=reasons, dry_run=dry_run))
    return str(state.message)


def test_pages_speak_of_a_target_where_its_id_or_name_begins_a_row_or_section() -> None:
    shown = as_shown(["a_1", "5", "The | bar", "A long name that is cut"])

    for line in ("| 5 | not_json | 3 |", r"### 2. a\_1", "`5`", r"| The \| bar | x |"):
        assert is_named(f"first\n{line}\nlast", shown)
    assert is_named("* A long name …", shown)
    for line in ("| 55 | not_json | 5 |", "| all | | 5 |", "5 rows", "* 5 rows"):
        assert not is_named(line, shown)
