"""Rows of a text that is not there any more, where the text that is has ended without rows.

What ends with its slice takes the older rows with it. This is for all other ends: a blank text, a
job that answered nothing, a request that is refused.
"""

from collections.abc import Sequence
from uuid import UUID

from tasks.adapters import rows, tables
from tasks.adapters.ledger import answers, checkpoint
from tasks.adapters.postgres import Connection, connect
from tasks.core.backfill import Backfill
from tasks.core.models import Member
from tasks.core.places import NewRows
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
            found = answers.superseded(connection, backfill, after, TARGETS_AT_ONCE)
            if not found:
                return cleared
            cleared += _clear(connection, backfill, found)
        after = found[-1][0].doc_id


def _clear(
    connection: Connection, backfill: Backfill, found: Sequence[tuple[Member, Member]]
) -> int:
    # Where two rows share an id, the older text may be there as well: then its rows are true.
    present, _ = rows.current(connection, backfill, [each for pair in found for each in pair])
    there = {target.doc_id for target in present}
    ended = [new for new, older in found if new.doc_id in there and older.doc_id not in there]
    here = tables.of(connection, backfill)
    stale = Keeping(connection, backfill).make_way(here, ended)
    rows.delete(connection, here, stale)
    if stale:
        checkpoint.say(connection, backfill, None)
    return len(stale)
