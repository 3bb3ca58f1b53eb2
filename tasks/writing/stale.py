"""Rows of a text that is not there any more, where the text that is has ended without rows.

What ends with its slice takes the older rows with it. This is for all other ends: a blank text, a
job that answered nothing, a request that is refused.
"""

from collections.abc import Sequence
from uuid import UUID

from tasks.adapters import rows, tables
from tasks.adapters.ledger import answers, runs
from tasks.adapters.postgres import Connection, connect
from tasks.core.backfill import Backfill, NewRows
from tasks.core.models import Member
from tasks.writing.keeping import Keeping

TARGETS_AT_ONCE = 1000
_FIRST = UUID(int=0)


def clear_stale(backfill: Backfill) -> int:
    """Delete such rows, but not those that a person corrected; return of how many targets.

    In place they are left: there is nothing to put there.
    """
    if not isinstance(backfill.target, NewRows):
        return 0
    cleared, after = 0, _FIRST
    while True:
        with connect() as connection:
            members = answers.superseded(connection, backfill, after, TARGETS_AT_ONCE)
            if not members:
                return cleared
            cleared += _clear(connection, backfill, members)
        after = members[-1].doc_id


def _clear(connection: Connection, backfill: Backfill, members: Sequence[Member]) -> int:
    present, _ = rows.current(connection, backfill, members)
    there = {target.doc_id for target in present}
    ended = [member for member in members if member.doc_id in there]
    here = tables.of(connection, backfill)
    stale = Keeping(connection, backfill).make_way(here, ended)
    rows.delete(connection, here, stale)
    if stale:
        runs.say(connection, backfill, None)
    return len(stale)
