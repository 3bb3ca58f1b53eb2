"""A backfill's CSV into its table, and out of it again with what was generated."""

from pathlib import Path
from typing import LiteralString

from tasks.adapters import csv_files
from tasks.adapters.postgres import connect, statements
from tasks.core.backfill import Backfill, CsvExchange
from tasks.core.errors import PreflightError


def bring_in(backfill: Backfill, path: Path) -> int:
    """Let the table hold exactly the file's rows, or leave it as it was; return how many.

    Answers are kept apart, by the targets' ids: a file that is brought in again loses none.
    """
    exchange, sql = _exchange(backfill)
    with connect() as connection:
        connection.execute(sql["create_source"])
        connection.execute(sql["clear_source"])
        number = 0
        with connection.cursor().copy(sql["copy_source"]) as copy:
            for number, record in enumerate(csv_files.records(path, exchange.columns), 1):
                copy.write_row((number, *record))
        if not number:
            raise PreflightError(f"{path} has a header, but no rows.")
    return number


def take_out(backfill: Backfill, path: Path) -> int:
    """Write every row with what was generated for it so far; return how many rows."""
    exchange, sql = _exchange(backfill)
    values = {"extractor_version": backfill.extractor_version}
    columns = (*exchange.columns, *exchange.generated)
    with connect() as connection, connection.cursor(name="rows_out") as cursor:
        cursor.execute(sql["export_rows"], values)
        rows = ([_cell(row[column]) for column in columns] for row in cursor)
        return csv_files.replace(path, columns, rows)


def _cell(value: object) -> object:
    return "" if value is None else value


def _exchange(backfill: Backfill) -> tuple[CsvExchange, dict[str, LiteralString]]:
    if backfill.csv is None:
        raise PreflightError(
            f"{backfill.name} takes its rows from tables: leave csv_in and csv_out empty."
        )
    return backfill.csv, statements(f"queries/{backfill.name}.sql")
