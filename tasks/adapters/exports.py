"""The rows of a query into a file, a batch at a time: Parquet, CSV or JSON lines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal
from uuid import UUID, uuid4

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from psycopg import Column, sql
from psycopg.rows import tuple_row

from tasks.adapters import measures, tables
from tasks.adapters.catalog import identifier
from tasks.adapters.postgres import Connection
from tasks.adapters.tables import CREATED, MODEL, VERSION, Tables
from tasks.adapters.whole_files import whole
from tasks.core.csv_cells import Formulas, safe

Format = Literal["parquet", "csv", "jsonl"]
ROWS_AT_ONCE = 20_000
_TYPES = {
    "bool": pa.bool_(),
    "int2": pa.int16(),
    "int4": pa.int32(),
    "int8": pa.int64(),
    "float4": pa.float32(),
    "float8": pa.float64(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
}
"""What is not here (text, uuid, jsonb, …) becomes text; JSON stays JSON in it."""

Fetched = list[tuple[Any, ...]]
Write = Callable[[Fetched], None]


def everything(here: Tables) -> sql.Composed:
    """Return every row of one version; of what is filled in in place, every row that is."""
    comma = sql.SQL(", ")
    if here.is_in_place:
        names = [here.target_id.name, *measures.record_columns(here.backfill)]
        columns = comma.join(identifier(name) for name in names)
        return tables.put(
            "export_in_place",
            columns=columns,
            target=here.target.identifier,
            is_done=here.is_done,
        )
    columns = comma.join(identifier(name) for name in here.target.columns)
    if here.is_csv:
        answers = [
            here.value(name) + sql.SQL(" as ") + identifier(name)
            for name in measures.record_columns(here.backfill)
            if not name.startswith("_")
        ]
        stamps = [identifier(name) for name in ("target_id", VERSION, MODEL, CREATED)]
        columns = comma.join([*stamps, *answers])
    return tables.put("export", columns=columns, target=here.target.identifier, ours=here.ours)


def best(here: Tables) -> sql.Composed:
    """Return one row per target and key, of the version that backfill.preferences prefers."""
    return tables.put("export_best", best=identifier("backfill", f"{here.backfill.name}_best"))


def write(  # noqa: PLR0913 - a query, a file, and how it is written
    connection: Connection,
    statement: sql.Composed,
    values: dict[str, object],
    path: Path,
    form: Format,
    *,
    formulas: Formulas = "as_is",
) -> int:
    """Write a query's rows to a file that appears whole or not at all; return how many.

    In a CSV no text is a formula, unless these are to stay as they are.
    """
    count = 0
    with connection.cursor(f"export_{uuid4().hex}", row_factory=tuple_row) as cursor:
        cursor.execute(statement, values)
        columns = cursor.description or []
        with (
            whole(path) as part,
            part.open("wb") as file,
            _writer(form, file, columns, formulas) as put,
        ):
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                put(rows)
                count += len(rows)
    return count


@contextmanager
def _parquet(file: BinaryIO, columns: Sequence[Column]) -> Iterator[Write]:
    schema = _schema(columns)
    with pa.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        yield lambda rows: writer.write_batch(_batch(rows, schema))


@contextmanager
def _csv(file: BinaryIO, columns: Sequence[Column], formulas: Formulas) -> Iterator[Write]:
    schema = _schema(columns)
    with pa.csv.CSVWriter(file, schema) as writer:
        yield lambda rows: writer.write_batch(_batch(_safe(rows, formulas), schema))


def _safe(rows: Fetched, formulas: Formulas) -> Fetched:
    """Return rows in which no text is a formula."""
    return [
        tuple(safe(each, formulas) if isinstance(each, str) else each for each in row)
        for row in rows
    ]


@contextmanager
def _jsonl(file: BinaryIO, columns: Sequence[Column]) -> Iterator[Write]:
    names = [column.name for column in columns]

    def put(rows: Fetched) -> None:
        objects = (dict(zip(names, row, strict=True)) for row in rows)
        file.writelines(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in objects)

    yield put


def _writer(
    form: Format, file: BinaryIO, columns: Sequence[Column], formulas: Formulas
) -> AbstractContextManager[Write]:
    if form == "csv":
        return _csv(file, columns, formulas)
    return _parquet(file, columns) if form == "parquet" else _jsonl(file, columns)


def _schema(columns: Sequence[Column]) -> pa.Schema:
    return pa.schema(
        [(column.name, _TYPES.get(column.type_display, pa.string())) for column in columns]
    )


def _batch(rows: Fetched, schema: pa.Schema) -> pa.RecordBatch:
    arrays = [
        pa.array(map(_plain, values) if field.type == pa.string() else values, field.type)
        for field, values in zip(schema, zip(*rows, strict=True), strict=True)
    ]
    return pa.record_batch(arrays, schema=schema)


def _plain(value: object) -> str | None:
    """Return a value as text; JSON as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, UUID):
        return str(value)
    return orjson.dumps(value, default=str).decode()
