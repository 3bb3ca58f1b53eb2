"""A person's pause: nothing new goes out while it stands, and what is in flight is collected."""

import asyncio

from prefect import get_run_logger

from tasks.adapters.ledger import checkpoint, pauses
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.status import paused

LOOK_SECONDS = 2.0

_told: set[str] = set()
"""The backfills of which this process has said that they are paused."""


async def unpaused(backfill: Backfill) -> None:
    """Return once a backfill is not paused, or not any more."""
    while await waits(backfill):
        pass


async def waits(backfill: Backfill) -> bool:
    """Return whether a backfill is paused, after a moment if it is."""
    if not await _is_paused(backfill):
        return False
    await asyncio.sleep(LOOK_SECONDS)
    return True


@in_thread
def _is_paused(backfill: Backfill) -> bool:
    """Return whether a backfill is paused; say so when that begins and when it ends."""
    name = backfill.name
    with connect() as connection:
        since = pauses.since(connection, name)
        if (since is None) == (name not in _told):
            return since is not None
        said = paused(since) if since else None
        checkpoint.say(connection, backfill, "waiting" if said else "running", notes=said)
    if said:
        _told.add(name)
    else:
        _told.discard(name)
    get_run_logger().warning("%s", said or "The pause is over: it goes on.")
    return since is not None
