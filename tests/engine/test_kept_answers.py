"""What was paid for is kept, and rows follow it: lost ones come back, repeats are asked once."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, sample_text
from songs_hand import generated, is_answered, read_csv, sample, write_csv

import flows.backfill_slice
import flows.rollback
import tasks.undo.restore
import tasks.undo.rollback
from flows.rollback import rollback
from tasks.adapters import measures
from tasks.adapters.postgres import connect
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.errors import PreflightError

restored = partial(tasks.undo.restore.restore_version.directly, NAME, None)


def bill(engine: Engine) -> Any:
    return engine.http.get("/bill").json()["totals"]["requests"]


def edit(engine: Engine, passage_id: str, text: str) -> None:
    engine.sql(
        "update passages set passage_text = %(text)s where passage_id = %(id)s::uuid",
        text=text,
        id=passage_id,
    )


def test_a_text_that_came_back_gets_the_rows_of_its_own_answer_for_nothing(engine: Engine) -> None:
    ids = engine.load_samples(12)
    engine.summary()
    first = engine.rows()
    edit(engine, ids[3], sample_text(77))
    engine.summary()
    asked = bill(engine)
    edit(engine, ids[3], sample_text(3))

    said = engine.summary()

    assert said == "Nothing to ask. 1 restored from kept answers, 0 USD."
    assert bill(engine) == asked
    assert engine.rows() == first
    engine.check()


def test_rows_that_were_deleted_by_hand_come_back_for_nothing(engine: Engine) -> None:
    engine.load_samples(30)
    engine.summary()
    first, asked = engine.rows(), bill(engine)
    engine.sql("delete from passage_concepts where extractor_version = %(v)s", v=VERSION)

    said = engine.summary()

    assert said == "Nothing to ask. 30 restored from kept answers, 0 USD."
    assert (engine.rows(), bill(engine)) == (first, asked)
    assert engine.summary() == "Nothing to do."


def test_a_source_that_is_emptied_and_loaded_again_asks_nothing(engine: Engine) -> None:
    engine.load_samples(20)
    engine.summary()
    first, asked = engine.rows(), bill(engine)
    engine.sql("delete from passage_concepts where extractor_version = %(v)s", v=VERSION)
    engine.sql("delete from passages")
    engine.summary()
    engine.load_samples(20)

    said = engine.summary()

    assert "20 restored" in said
    assert (engine.rows(), bill(engine)) == (first, asked)


def test_rows_that_were_away_while_their_answer_came_are_written_when_they_are_back(
    engine: Engine,
) -> None:
    engine.load_samples(8)
    engine.set(run_seconds=30)
    engine.at_event("poll", _reload_later, engine)

    engine.summary()
    assert engine.ends() == {"skipped: row_deleted": 8}
    asked = bill(engine)
    engine.load_samples(8)
    said = engine.summary()

    assert "8 restored" in said or "8 written" in said
    assert bill(engine) == asked
    assert engine.ends() == {"written": 8}


def _reload_later(engine: Engine) -> None:
    engine.sql("delete from passages")
    engine.advance(60)


def test_forty_rows_with_one_text_are_one_answer(engine: Engine) -> None:
    engine.load(*[sample_text(1)] * 40, sample_text(2))

    said = engine.summary()

    assert bill(engine) == 2
    assert said.startswith("2 targets: 2 written")
    assert "39 restored from kept answers, 0 USD" in said
    assert engine.ends() == {"written": 41}
    counts = engine.sql(
        "select count(*) as n from passage_concepts where extractor_version = %(v)s"
        " group by passage_id",
        v=VERSION,
    )
    assert len(counts) == 41
    assert engine.processed() == 41


def test_a_new_row_with_a_text_that_was_answered_before_asks_nothing(engine: Engine) -> None:
    engine.load_samples(5)
    engine.summary()
    asked = bill(engine)
    engine.insert("00000000-0000-0000-0000-00000000abcd", sample_text(4))

    said = engine.summary()

    assert said == "Nothing to ask. 1 restored from kept answers, 0 USD."
    assert bill(engine) == asked


def test_a_double_id_is_asked_once_the_other_one_is_gone(engine: Engine) -> None:
    engine.sql("alter table passages drop constraint passages_pkey cascade")
    [one] = engine.load_samples(1)
    engine.insert(one, sample_text(50))
    engine.summary()
    assert engine.ends() == {"written": 1, "skipped: duplicate_id": 1}
    [asked] = _sources(engine)
    engine.sql("delete from passages where passage_text = %(text)s", text=asked)

    engine.summary()

    assert engine.ends() == {"written": 2}
    assert _sources(engine) == {sample_text(0), sample_text(50)} - {asked}


def _sources(engine: Engine) -> set[str]:
    rows = engine.sql(
        "select distinct evidence ->> 'source_text' as text from passage_concepts"
        " where extractor_version = %(v)s",
        v=VERSION,
    )
    return {row["text"] for row in rows}


def test_foreign_rows_that_came_while_a_text_was_empty_are_left_alone(engine: Engine) -> None:
    [one] = engine.load("")
    engine.summary()
    engine.sql(
        "insert into passage_concepts (passage_id, concept_name, extractor_model,"
        " extractor_version) values (%(id)s, 'theirs', 'm', %(v)s)",
        id=one,
        v=VERSION,
    )
    edit(engine, one, sample_text(9))

    said = engine.summary()

    assert said == "Nothing to do."
    assert [row["row"]["concept_name"] for row in engine.rows()] == ["theirs"]


def test_a_rollback_keeps_answers_and_a_restore_takes_it_back_for_nothing(engine: Engine) -> None:
    engine.load_samples(25)
    engine.summary()
    first, asked = engine.rows(), bill(engine)
    asyncio.run(rollback.fn(name=NAME, dry_run=False))
    assert engine.rows() == []

    with pytest.raises(PreflightError, match=r"was rolled back on .* run restore/withdrawn"):
        engine.run()
    counted = restored(dry_run=True)
    state = restored(dry_run=False)

    assert "25 targets of gemini_batch_v1 would be restored" in str(counted.message)
    assert "25 targets of gemini_batch_v1 restored from kept answers, 0 USD" in str(state.message)
    assert (engine.rows(), bill(engine)) == (first, asked)
    assert engine.summary() == "Nothing to do."


def correct(engine: Engine, passage_id: str) -> None:
    """Correct one row by hand."""
    engine.sql(
        "update passage_concepts set concept_name = 'by_hand' where ctid = (select ctid from"
        " passage_concepts where passage_id = %(id)s::uuid and extractor_version = %(v)s limit 1)",
        id=passage_id,
        v=VERSION,
    )


def rows_of(engine: Engine, passage_id: str) -> list[Any]:
    return [row for row in engine.rows() if row["row"]["passage_id"] == passage_id]


def test_rows_that_a_person_corrected_are_left_by_a_new_text_and_its_answer_is_kept(
    engine: Engine,
) -> None:
    ids = engine.load_samples(6)
    engine.summary()
    correct(engine, ids[2])
    mine = rows_of(engine, ids[2])
    edit(engine, ids[2], sample_text(66))

    said = engine.summary()

    assert rows_of(engine, ids[2]) == mine
    assert "1 skipped" in said
    assert engine.ends()["skipped: edited"] == 1
    asked = bill(engine)
    assert engine.summary() == "Nothing to do."
    edit(engine, ids[2], sample_text(2))
    assert engine.summary() == "Nothing to do."
    assert (rows_of(engine, ids[2]), bill(engine)) == (mine, asked)


def test_rows_that_a_person_corrected_are_left_by_a_rollback_unless_it_is_told(
    engine: Engine,
) -> None:
    ids = engine.load_samples(6)
    engine.summary()
    correct(engine, ids[2])
    mine = rows_of(engine, ids[2])

    state = asyncio.run(rollback.fn(name=NAME, dry_run=False))

    assert engine.rows() == mine
    assert "1 targets keep their rows, because a person corrected them" in str(state.message)
    restored(dry_run=False)
    assert rows_of(engine, ids[2]) == mine
    assert len({row["row"]["passage_id"] for row in engine.rows()}) == 6
    asyncio.run(rollback.fn(name=NAME, dry_run=False, also_edited=True))
    assert engine.rows() == []


def test_songs_that_came_back_get_their_answers_and_a_row_on_top_asks_one(
    engine: Engine, tmp_path: Path
) -> None:
    rows = sample(10)
    path, out = write_csv(tmp_path / "songs.csv", rows), tmp_path / "out.csv"
    options = {"name": "songs", "csv_in": str(path), "csv_out": str(out)}
    engine.summary(**options)
    asked = bill(engine)
    write_csv(path, rows[:4])
    engine.summary(**options)
    write_csv(path, [*sample(11)[10:], *rows])

    engine.summary(**options)

    _, merged = read_csv(out)
    assert all(map(is_answered, merged))
    assert len({row[2] for row in generated(merged)}) > 1
    assert bill(engine) == asked + 1


def test_kept_answers_are_small(engine: Engine) -> None:
    engine.load_samples(250)

    engine.summary(slice_size=250)

    [size] = engine.sql(
        "select sum(length(payload)) / sum(answers) as each, count(*) as blocks"
        " from backfill.answer_blocks"
    )
    assert size["each"] < 900
    assert size["blocks"] <= 3


def test_songs_of_a_file_whose_job_was_in_flight_when_another_came_are_all_answered(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    songs, out = sample(12), tmp_path / "out.csv"
    first = write_csv(tmp_path / "a.csv", songs[:8])
    second = write_csv(tmp_path / "b.csv", songs[8:])
    options = {"name": "songs", "csv_out": str(out)}

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(flows.backfill_slice, "await_job", die)
        with pytest.raises(SystemExit):
            engine.run(csv_in=str(first), **options)
    assert engine.jobs() == 1
    for path, count in ((second, 4), (first, 8)):
        engine.summary(csv_in=str(path), **options)
        assert sum(map(is_answered, read_csv(out)[1])) == count

    assert engine.ends() == {"written": 12}
    assert bill(engine) == 12


def test_rows_without_evidence_count_against_its_share(engine: Engine) -> None:
    engine.load_samples(30)
    engine.summary()
    here = "where extractor_version = %(v)s"
    rows = len(engine.rows())
    engine.sql(
        "update passage_concepts set evidence = null where ctid in (select ctid from"
        f" passage_concepts {here} order by ctid limit 20)",
        v=VERSION,
    )
    [run] = engine.sql("select distinct run_id from backfill.slices where written = 30")

    with connect() as connection:
        found = measures.measure(connection, BACKFILL, run["run_id"])

    assert found["evidence_coverage"] == pytest.approx((rows - 20) / rows)
    [gate] = [gate for gate in BACKFILL.gates if gate.measurement == "evidence_coverage"]
    assert not gate.passes(found["evidence_coverage"])
