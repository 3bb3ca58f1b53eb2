"""Records of a CSV as rows of the staging tables."""

from collections.abc import Iterable, Iterator

from tasks.core.identity import digest
from tasks.documents.core.layout import Layout, pick
from tasks.documents.core.sources import SIDE_FIELDS, ResultsTable, SideTable, positions
from tasks.documents.core.timestamps import instant

Value = str | int | None
Row = dict[str, Value]


def staged(source: ResultsTable, header: list[str], records: Iterable[list[str]]) -> Iterator[Row]:
    """Yield one staging row for each record; `fault` names what makes a record unusable."""
    layout = Layout.of(source, header)
    for index, record in enumerate(records, start=1):
        fields, fault = layout.read(record)
        if record == header:
            fault = "duplicate_row"  # two programs that both thought the file new
        yield {
            **fields,
            "source_csv": source.name,
            "row_index": index,
            "stage": source.stage,
            "status": _status(source, fields["status"]),
            "instant": instant(fields["timestamp"]),
            "cells": digest(record),
            "fault": fault or (None if fields["task_id"] else "missing_task_id"),
        }


def side(table: SideTable, header: list[str], records: Iterable[list[str]]) -> Iterator[Row]:
    """Yield one side row for each record of an optional table."""
    columns = positions(table.headings, header, SIDE_FIELDS)
    for index, record in enumerate(records, start=1):
        yield {
            **pick(columns, record),
            "source_csv": table.name,
            "row_index": index,
            "fills": table.fills,
        }


def _status(source: ResultsTable, status: str) -> str:
    """Evaluations may come without a status; then having a response is success enough."""
    return status.lower() or ("success" if source.stage == "evaluation" else "")
