"""A corrected list of bad generations, read back."""

from collections.abc import Iterable, Iterator

from tasks.core.csv_cells import unsafe
from tasks.documents.core.rows import Row
from tasks.documents.core.sources import clean

HEADINGS = ("source_csv", "row_key", "repair_response_file", "repair_parent_task_id")


def repair_rows(header: list[str], records: Iterable[list[str]]) -> Iterator[Row]:
    """Yield the rows of a corrected list in which a person filled in a repair."""
    names = clean(header)
    for record in records:
        told = dict(zip(names, (unsafe(cell.strip()) for cell in record), strict=False))
        if told.get("repair_response_file") or told.get("repair_parent_task_id"):
            yield {
                "source_csv": told["source_csv"],
                "row_key": told["row_key"],
                "response_file": told.get("repair_response_file", ""),
                "parent_task_id": told.get("repair_parent_task_id", ""),
            }
