"""The user's rows: their texts as they are now."""

from collections import defaultdict
from collections.abc import Sequence

from psycopg.rows import tuple_row

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill, Target
from tasks.core.ends import SkipReason
from tasks.core.identity import content_hash
from tasks.core.models import Member


def texts(connection: Connection, backfill: Backfill, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the texts of target_ids; a list, because an id may stand in several rows."""
    found: dict[str, list[str]] = defaultdict(list)
    statement = statements(f"queries/{backfill.name}.sql")["select_texts"]
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement, {"target_ids": array_literal(ids)}).fetchall()
    for target_id, content in rows:
        if content is not None:
            found[target_id].append(content)
    return found


def current(
    connection: Connection, backfill: Backfill, members: Sequence[Member]
) -> tuple[list[Target], list[tuple[Member, SkipReason]]]:
    """Return members whose text is what was planned, and the others with what happened to them."""
    found = texts(connection, backfill, [member.target_id for member in members])
    targets, gone = [], []
    for member in members:
        candidates = found.get(member.target_id, [])
        planned = [text for text in candidates if content_hash(text) == member.content_hash]
        if planned:
            targets.append(Target(member.doc_id, member.target_id, planned[0]))
        else:
            why = SkipReason.TEXT_CHANGED if candidates else SkipReason.ROW_DELETED
            gone.append((member, why))
    return targets, gone


def array_literal(ids: Sequence[str]) -> str:
    """Return a Postgres array literal; without a type it fits uuid and text columns alike."""
    quoted = ('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in ids)
    return "{" + ",".join(quoted) + "}"
