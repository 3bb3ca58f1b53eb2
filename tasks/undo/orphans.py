"""Orphans: rows of ours whose source row is gone are listed, and deleted when a person says so."""

from dataclasses import dataclass, field

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import census, rows, tables
from tasks.adapters.ledger import answers, rollbacks
from tasks.adapters.postgres import connect
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.places import NewRows
from tasks.undo.rollback import subject

NAMED = 20
"""So many targets are listed by their ids."""


@dataclass
class _Sweep:
    """What a sweep may do, what it found, and what became of it."""

    also_edited: bool
    dry_run: bool
    targets: int = 0
    rows: int = 0
    edited: int = 0
    ids: list[str] = field(default_factory=list)


@stage("orphans of {name}", retries=3, retry_delay_seconds=[2, 10, 30])
def sweep_orphans(
    name: str, extractor_version: str | None, step: int, *, also_edited: bool, dry_run: bool
) -> State:
    """Count rows whose source row is gone, or delete them in transactions of `step` targets.

    Rows that a person corrected are left, unless they are to go as well. All answers stay kept.
    """
    if not isinstance(backfills.get(name).target, NewRows):
        message = f"{name} has no orphans: its answers stand in the rows that were asked about."
        return Completed(name="NoOrphans", message=message)
    found = _Sweep(also_edited, dry_run)
    for backfill in _subjects(name, extractor_version):
        after: str | None = ""
        while after is not None:
            after = _step(backfill, after, step, found)
    message = _sentence(name, found)
    get_run_logger().info(message)
    return Completed(name="DryRun" if dry_run else "Swept", message=message)


def _subjects(name: str, extractor_version: str | None) -> list[Backfill]:
    """Return the backfill as it was under one version, or under each of which rows stand."""
    if extractor_version:
        return [subject(name, extractor_version)]
    with connect() as connection:
        known = census.versions_of(connection, backfills.get(name))
    return [subject(name, version) for version in known]


def _step(backfill: Backfill, after: str, size: int, found: _Sweep) -> str | None:
    """Take the next targets into `found`; return where to go on, None at the end."""
    with connect() as connection:
        here = tables.of(connection, backfill)
        page = census.orphans(connection, backfill, after, size)
        edited = set() if found.also_edited else rollbacks.edited(connection, backfill, page)
        going = [target_id for target_id in page if target_id not in edited]
        deleted = 0
        if not found.dry_run:
            deleted = rows.delete(connection, here, going)
            answers.unproject(connection, backfill, going)
    found.targets += len(going)
    found.rows += deleted
    found.edited += len(edited)
    found.ids += going[: NAMED - len(found.ids)]
    return page[-1] if page else None


def _sentence(name: str, found: _Sweep) -> str:
    if found.dry_run:
        said = f"Dry run: {found.targets:,} targets of {name} have rows and no source row any more"
        more = f", and {found.targets - len(found.ids):,} more"
        listed = f" ({', '.join(found.ids)}{more if found.targets > len(found.ids) else ''})"
        said += f"{listed if found.ids else ''}. Nothing was changed."
    else:
        said = (
            f"{found.rows:,} rows of {found.targets:,} targets of {name} deleted, whose source row"
            " is gone. Their answers are kept: a row that comes back gets its own again, 0 USD."
        )
    if found.edited:
        said += (
            f" {found.edited:,} more are left, because a person corrected their rows: tick"
            " also_edited to delete those as well."
        )
    return said
