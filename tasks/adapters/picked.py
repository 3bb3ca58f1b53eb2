"""A few of the user's rows as they are now, for a person to look at."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.adapters import tables
from tasks.adapters.postgres import Connection, Row
from tasks.core.backfill import Backfill, Target
from tasks.core.identity import content_hash, doc_id


class Picked(NamedTuple):
    """A row as it would be asked, and what people call it."""

    target: Target
    label: str
    is_blank: bool = False


def by_ids(connection: Connection, backfill: Backfill, ids: Sequence[str]) -> list[Picked]:
    """Return the rows of some ids in their order, in scope or not; one that is unknown is missing.

    Of rows that share an id the first is taken, and those that were forgotten are unknown.
    """
    found = {each.target.target_id: each for each in _picked(connection, backfill, [*ids], None)}
    return [found[each] for each in ids if each in found]


def a_few(connection: Connection, backfill: Backfill, most: int) -> list[Picked]:
    """Return so many rows in scope that have a text, as if by chance but the same each time."""
    return _picked(connection, backfill, None, most)


def _picked(
    connection: Connection, backfill: Backfill, ids: list[str] | None, most: int | None
) -> list[Picked]:
    here = tables.of(connection, backfill)
    tables.fix_texts(connection)
    values = {**here.values(), "target_ids": ids, "most": most}
    statement = here.over_source("picked", in_scope=ids is None)
    return [_one(backfill, row) for row in connection.execute(statement, values)]


def _one(backfill: Backfill, row: Row) -> Picked:
    key, text, lengths = row["target_id"], row["content"], row["lengths"]
    identity = doc_id(backfill.name, backfill.extractor_version, key, content_hash(text))
    parts = backfill.template.parts(lengths) if lengths else ()
    label = (row["label"] or "").strip() or key
    return Picked(Target(identity, key, text, parts), label, row["is_blank"])
