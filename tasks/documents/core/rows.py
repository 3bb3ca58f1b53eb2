"""Records of a CSV as rows of the staging tables."""

from collections.abc import Iterable, Iterator

from tasks.core.identity import digest
from tasks.documents.core.sources import FIELDS, SIDE_FIELDS, SideTable, Source, positions
from tasks.documents.core.timestamps import instant

Value = str | int | None
Row = dict[str, Value]


def staged(source: Source, header: list[str], records: Iterable[list[str]]) -> Iterator[Row]:
    """Yield one staging row for each record; `fault` names what makes a record unusable."""
    columns = positions(source.headings, header, FIELDS)
    for index, record in enumerate(records, start=1):
        row = _pick(columns, record)
        yield {
            **row,
            "source_csv": source.name,
            "row_index": index,
            "stage": source.stage,
            "status": _status(source, row["status"]),
            "instant": instant(row["timestamp"]),
            "cells": digest(record),
            "fault": _fault(len(header), record, row["task_id"]),
        }


def side(table: SideTable, header: list[str], records: Iterable[list[str]]) -> Iterator[Row]:
    """Yield one side row for each record of an optional table."""
    columns = positions(table.headings, header, SIDE_FIELDS)
    for index, record in enumerate(records, start=1):
        yield {
            **_pick(columns, record),
            "source_csv": table.name,
            "row_index": index,
            "fills": table.fills,
        }


def _pick(columns: dict[str, int | None], record: list[str]) -> dict[str, str]:
    return {
        field: record[at].strip() if at is not None and at < len(record) else ""
        for field, at in columns.items()
    }


def _status(source: Source, status: str) -> str:
    """Evaluations may come without a status; then having a response is success enough."""
    return status.lower() or ("success" if source.stage == "evaluation" else "")


def _fault(width: int, record: list[str], task_id: str) -> str | None:
    if len(record) != width:
        return "malformed_row"
    return None if task_id else "missing_task_id"
