"""The user's rows: their texts as they are now."""

from collections import defaultdict
from collections.abc import Sequence

from psycopg.rows import tuple_row

from tasks.adapters import tables
from tasks.adapters.postgres import Connection
from tasks.adapters.tables import Tables
from tasks.core.backfill import Backfill, Target
from tasks.core.ends import SkipReason
from tasks.core.identity import content_hash
from tasks.core.models import Member

Text = tuple[str, list[int] | None]
"""A text, and the lengths of the columns' values in it where it is made of several pieces."""


def texts(connection: Connection, here: Tables, ids: Sequence[str]) -> dict[str, list[Text]]:
    """Return the texts of target_ids; a list, because an id may stand in several rows."""
    found: dict[str, list[Text]] = defaultdict(list)
    tables.fix_texts(connection)
    values = {**here.values(), "target_ids": array_literal(ids)}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for target_id, content, lengths in cursor.execute(here.texts(), values):
            found[target_id].append((content, lengths))
    return found


def current(
    connection: Connection, backfill: Backfill, members: Sequence[Member]
) -> tuple[list[Target], list[tuple[Member, SkipReason]]]:
    """Return members whose text is what was planned, and the others with what happened to them."""
    here = tables.of(connection, backfill)
    found = texts(connection, here, [member.target_id for member in members])
    targets, gone = [], []
    for member in members:
        candidates = found.get(member.target_id, [])
        planned = [each for each in candidates if content_hash(each[0]) == member.content_hash]
        if planned:
            text, lengths = planned[0]
            parts = backfill.template.parts(lengths) if lengths else ()
            targets.append(Target(member.doc_id, member.target_id, text, parts))
        else:
            why = SkipReason.TEXT_CHANGED if candidates else SkipReason.ROW_DELETED
            gone.append((member, why))
    return targets, gone


def labels(
    connection: Connection, backfill: Backfill, ids: Sequence[str], csv_file: str | None = None
) -> dict[str, str]:
    """Return what people call some rows; their ids where the declaration does not say."""
    here = tables.of(connection, backfill)
    values = {**here.values(csv_file), "target_ids": array_literal(ids)}
    tables.fix_texts(connection)
    found = {row["target_id"]: row["label"] for row in connection.execute(here.labels(), values)}
    return {key: (found.get(key) or "").strip() or key for key in ids}


def array_literal(ids: Sequence[str]) -> str:
    """Return a Postgres array literal; without a type it fits columns of any type."""
    quoted = ('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in ids)
    return "{" + ",".join(quoted) + "}"
