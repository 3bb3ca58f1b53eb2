"""Whether the column that says when a row changed can be gone by."""

from collections.abc import Iterator

from tasks.adapters import catalog
from tasks.adapters.postgres import Connection
from tasks.adapters.tables import Tables

TIMES = ("timestamptz", "timestamp")


def problems(here: Tables) -> Iterator[str]:
    """Yield what is wrong with the column."""
    if here.source and (name := here.backfill.changed):
        column = here.source.columns[name]
        if column.base not in TIMES:
            yield (
                f"source.changed in [{here.backfill.name}] is {here.source.table_name}.{name}, of"
                f" type {column.type_name}: name a timestamp column, or leave changed away."
            )


def notes(connection: Connection, here: Tables) -> Iterator[str]:
    """Yield the index that an incremental run wants and does not find."""
    table, name = here.source, here.backfill.changed
    if table and name and not table.is_view and not catalog.is_indexed(connection, table, name):
        yield (
            f"No index begins with {table.table_name}.{name}, so an incremental run reads the whole"
            f" table to find what changed: create index concurrently on"
            f" {table.identifier.as_string()} ({catalog.identifier(name).as_string()});"
        )
