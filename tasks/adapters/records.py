"""Answers into the user's table: one binary COPY per slice, inside the caller's transaction."""

from collections.abc import Iterable, Sequence

from tasks.adapters.postgres import Connection, statements
from tasks.adapters.targets import array_literal
from tasks.core.backfill import Backfill, Record
from tasks.core.copy_rows import HEADER, TRAILER, packer

_BUFFER = 64 * 1024
"""Bytes; small enough for a socket to hold, so that Postgres writes while we go on packing."""


def write(connection: Connection, backfill: Backfill, records: Iterable[Record]) -> None:
    """Write records as the backfill's SQL says: straight, or by way of a staging table."""
    sql = statements(f"queries/{backfill.name}.sql")
    if "stage_records" in sql:
        connection.execute(sql["stage_records"])
    shape = connection.execute(sql["record_columns"])
    pack = packer([column.type_code for column in shape.description or ()])
    with connection.cursor().copy(sql["copy_records"]) as copy:
        buffer = bytearray(HEADER)
        for record in records:
            buffer += pack(record)
            if len(buffer) >= _BUFFER:
                copy.write(bytes(buffer))
                buffer.clear()
        copy.write(bytes(buffer) + TRAILER)
    if "apply_records" in sql:
        connection.execute(sql["apply_records"])


def delete(connection: Connection, backfill: Backfill, target_ids: Sequence[str]) -> int:
    """Remove this version's rows of some targets; return how many rows there were."""
    if not target_ids:
        return 0
    sql = statements(f"queries/{backfill.name}.sql")
    if "delete_records" not in sql:
        return 0  # rows are updated in place
    values = {
        "target_ids": array_literal(target_ids),
        "extractor_version": backfill.extractor_version,
    }
    return connection.execute(sql["delete_records"], values).rowcount
