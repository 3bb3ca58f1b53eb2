"""Exports: typed, whole or not at all, and no larger in memory than a batch."""

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from engine_hand import NAME, Engine
from psycopg import sql

from tasks.adapters import exports
from tasks.adapters.postgres import connect
from tasks.core.errors import SettingsError
from tasks.reports.export import write


@pytest.fixture
def written(engine: Engine) -> Engine:
    engine.load_samples(30)
    engine.summary()
    return engine


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return [*csv.DictReader(file)]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def evidence(row: dict[str, Any]) -> Any:
    found = row["evidence"]
    return json.loads(found) if isinstance(found, str) else found


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_every_format_holds_every_row_with_its_evidence(
    written: Engine, tmp_path: Path, form: exports.Format
) -> None:
    path = tmp_path / "below" / f"concepts.{form}"

    count, file = write(NAME, form, str(path), None, best=False)

    rows = {(row["passage_id"], row["concept_name"]): evidence(row) for row in read(file)}
    expected = {
        (row["row"]["passage_id"], row["row"]["concept_name"]): row["row"]["evidence"]
        for row in written.rows()
    }
    assert count == len(expected) > 100
    assert rows == expected
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("form", "mark"), [("csv", "'"), ("jsonl", ""), ("parquet", "")])
def test_only_a_csv_marks_what_a_spreadsheet_would_compute(
    written: Engine, tmp_path: Path, form: exports.Format, mark: str
) -> None:
    written.sql("update passage_concepts set concept_name = '=' || concept_name")

    _, file = write(NAME, form, str(tmp_path / f"concepts.{form}"), None, best=False)

    rows = read(file)
    assert all(row["concept_name"].startswith(f"{mark}=") for row in rows)
    assert {row["passage_id"] for row in rows} <= {
        row["target_id"] for row in written.generations()
    }


def test_parquet_keeps_numbers_and_times_as_such(written: Engine, tmp_path: Path) -> None:
    _, file = write(NAME, "parquet", str(tmp_path / "c.parquet"), None, best=False)

    types = {field.name: str(field.type) for field in pq.read_schema(file)}
    assert types["confidence"] == "float"
    assert types["created_at"] == "timestamp[us, tz=UTC]"


def test_the_best_of_all_versions_can_be_exported(written: Engine, tmp_path: Path) -> None:
    _, file = write(NAME, "jsonl", str(tmp_path / "best.jsonl"), None, best=True)

    rows = read(file)
    assert rows
    assert min(row["confidence"] for row in rows) >= 0.7
    keys = [(row["passage_id"], row["concept_name"].lower()) for row in rows]
    assert len(keys) == len(set(keys))


def test_an_export_that_fails_leaves_the_last_one_as_it_was(
    written: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "c.csv"
    path.write_text("the last one")
    statement = "select 1 / (30000 - n) from generate_series(1, 40000) n"

    with connect() as connection, pytest.raises(psycopg.errors.DivisionByZero):
        exports.write(connection, sql.SQL(statement).format(), {}, path, "csv")

    assert path.read_text() == "the last one"
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("c.")] == ["c.csv"]


def test_an_empty_result_is_a_file_with_a_header(engine: Engine, tmp_path: Path) -> None:
    count, file = write(NAME, "csv", str(tmp_path / "none.csv"), None, best=False)

    assert count == 0
    assert file.read_text().startswith('"passage_id","concept_name"')


def test_memory_does_not_grow_with_the_rows(engine: Engine, tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        with connect() as connection:
            statement = "select n, repeat('x', 200) as text from generate_series(1, %(rows)s) n"
            query = sql.SQL(statement).format()
            exports.write(connection, query, {"rows": rows}, tmp_path / "m.parquet", "parquet")
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    small, large = peak(40_000), peak(200_000)

    assert large < small * 1.3


def test_a_backfill_that_does_not_exist_is_named(engine: Engine) -> None:
    with pytest.raises(SettingsError, match="no backfill 'nothing'"):
        write("nothing", "csv", None, None, best=False)
