"""Kept answers leave one ledger and come into another; a wrong file is one sentence."""

import gzip
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, forget_settings

from tasks.adapters.migrations import apply_migrations
from tasks.adapters.settings import settings
from tasks.core.errors import PreflightError, VersionChangedError
from tasks.planning.answers_in_out import read_answers, write_answers

import_answers = partial(read_answers.directly, NAME)
FILE = "kept.jsonl"


def export_answers(file: str = FILE, version: str | None = None) -> str:
    return str(write_answers.directly(NAME, version, file).message)


def bill(engine: Engine) -> Any:
    return engine.http.get("/bill").json()["totals"]["requests"]


def lose_the_ledger(engine: Engine) -> None:
    engine.sql("drop schema backfill cascade")
    apply_migrations()


def count(engine: Engine) -> int:
    [row] = engine.sql("select count(*) as n from backfill.questions where block_id is not null")
    return int(row["n"])


@pytest.mark.parametrize("file", [FILE, "moved/kept.jsonl.gz"])
def test_a_lost_ledger_gets_its_answers_back_and_its_rows_cost_nothing(
    engine: Engine, file: str
) -> None:
    ids = engine.load_samples(30)
    engine.fault("safety", match={"text": "Chapter 2 deals"})
    engine.summary()
    engine.no_faults()
    rows, asked = engine.rows(), bill(engine)
    said = export_answers(file)
    path = settings().reports_dir / file
    assert said == f"30 kept answers of {NAME} in {path} ({path.stat().st_size:,} bytes)."
    held = path.read_bytes() if file == FILE else gzip.decompress(path.read_bytes())
    assert b"Chapter 7 deals" not in held
    assert [each.name for each in path.parent.glob("*.part")] == []
    lose_the_ledger(engine)
    engine.sql("delete from passage_concepts where extractor_version = %(v)s", v=VERSION)
    engine.sql(  # rows of this version that others wrote are not restored over
        "insert into passage_concepts (passage_id, concept_name, extractor_model,"
        " extractor_version) values (%(id)s, 'theirs', 'm', %(v)s)",
        id=ids[4],
        v=VERSION,
    )

    first, again = import_answers(file), import_answers(file)
    run = engine.summary()

    assert "30 answers" in str(first.message)
    assert f"0 answers of {NAME} imported from {path}, 30 were kept already" in str(again.message)
    # What could not be used is asked again: here no row is bad for it.
    assert run.startswith("1 targets: 1 written"), run
    assert "28 restored from kept answers, 0 USD" in run
    theirs = [row for row in engine.rows() if row["row"]["passage_id"] == ids[4]]
    assert [row["row"]["concept_name"] for row in theirs] == ["theirs"]
    mine = [row for row in rows if row["row"]["passage_id"] != ids[4]]
    new = {row["row"]["passage_id"] for row in engine.rows()} - {
        row["row"]["passage_id"] for row in rows
    }
    others = {ids[4], *new}
    assert [row for row in engine.rows() if row["row"]["passage_id"] not in others] == mine
    assert (len(new), bill(engine)) == (1, asked + 1)
    assert engine.summary() == "Nothing to do."
    export_answers("again.jsonl")
    assert len((settings().reports_dir / "again.jsonl").read_bytes().splitlines()) == 32


def test_an_import_that_was_killed_goes_on_and_keeps_what_is_usable(engine: Engine) -> None:
    engine.load_samples(12)
    engine.summary()
    export_answers()
    engine.sql("update backfill.questions set answered_at = '2020-01-01'")
    engine.sql(
        "delete from backfill.questions where question_id in"
        " (select question_id from backfill.questions order by question_id limit 5)"
    )
    engine.sql(
        "update backfill.questions set is_usable = false where question_id ="
        " (select max(question_id::text)::uuid from backfill.questions)"
    )

    state = import_answers(FILE)

    assert "6 answers" in str(state.message)
    old = engine.sql("select 1 from backfill.questions where answered_at = '2020-01-01'")
    bad = engine.sql("select 1 from backfill.questions where not is_usable")
    assert (count(engine), len(old), len(bad)) == (12, 6, 0)


def _cut(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[3][:40]]


def _short(lines: list[bytes]) -> list[bytes]:
    return lines[:4]


def _swapped(lines: list[bytes]) -> list[bytes]:
    one = json.loads(lines[2])
    one["question_id"] = json.loads(lines[3])["question_id"]
    return [*lines[:2], json.dumps(one).encode() + b"\n", *lines[3:]]


def _wrong(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'"is_usable":true', b'"is_usable":7'), *lines[3:]]


def _others(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(NAME.encode(), b"chunk_concepts"), *lines[1:]]


def _twice(lines: list[bytes]) -> list[bytes]:
    return lines + lines


WRONG: dict[Callable[[list[bytes]], list[bytes]], str] = {
    _cut: r"Line 4 of .*kept.jsonl is not what export/answers writes",
    _short: r"Line 4 .*it is the last one, and the file does not end so",
    _swapped: r"Line 3 .*its question_id and content_hash do not belong together",
    _wrong: r"Line 3 .*is_usable: Input should be a valid boolean",
    _others: r"holds answers of chunk_concepts, not of passage_concepts",
    _twice: r"Line 7 of ",
}


def test_a_file_with_a_line_that_is_wrong_is_refused_and_nothing_is_written(
    engine: Engine,
) -> None:
    path, lines = _exported(engine)
    lose_the_ledger(engine)

    for spoil, said in WRONG.items():
        path.write_bytes(b"".join(spoil(lines)))
        with pytest.raises(PreflightError, match=said):
            import_answers(FILE)

    assert count(engine) == 0
    assert engine.sql("select 1 from backfill.versions") == []


def _exported(engine: Engine) -> tuple[Path, list[bytes]]:
    engine.load_samples(5)
    engine.summary()
    export_answers()
    path = settings().reports_dir / FILE
    return path, path.read_bytes().splitlines(keepends=True)


def test_wrong_files_and_places_are_named_in_one_sentence(engine: Engine) -> None:
    path, _ = _exported(engine)
    packed = gzip.compress(path.read_bytes())
    path.with_name("half.jsonl.gz").write_bytes(packed[: len(packed) // 2])

    for file, said in {
        "half.jsonl.gz": r"Line \d+ of .*half.jsonl.gz cannot be unpacked",
        "none.jsonl": r"There is no file .*none.jsonl",
        "../up.jsonl": r"\.\./up\.jsonl is not below .*reports",
        "/etc/passwd": r"/etc/passwd is not below .*reports",
    }.items():
        with pytest.raises(PreflightError, match=said):
            import_answers(file)
    with pytest.raises(PreflightError, match=r"is not below"):
        export_answers("../up.jsonl")
    with pytest.raises(PreflightError, match=r"no answers of passage_concepts v9"):
        export_answers(version="v9")


def test_a_version_that_means_something_else_here_is_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, lines = _exported(engine)
    head = json.loads(lines[0])
    head["versions"][0]["digest"] = "another"
    path.write_bytes(b"".join([json.dumps(head).encode() + b"\n", *lines[1:]]))
    before = engine.sql("select to_jsonb(versions) as v from backfill.versions")

    with pytest.raises(VersionChangedError, match="means something else there than here"):
        import_answers(FILE)
    # An older version, which is not today's: what the ledger says of it counts.
    site = tmp_path / "backfills.toml"
    site.write_text(f'[{NAME}]\nextractor_version = "v2"\n')
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(site))
    forget_settings()
    with pytest.raises(VersionChangedError, match="means something else there than here"):
        import_answers(FILE)

    assert engine.sql("select to_jsonb(versions) as v from backfill.versions") == before
    lose_the_ledger(engine)
    assert "5 answers" in str(import_answers(FILE).message)
