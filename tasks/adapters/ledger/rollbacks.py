"""Taking back one extractor version: counted first, then deleted in bounded transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from tasks.adapters import in_place, rows, standing, tables
from tasks.adapters.ledger import answers, checkpoint, runs
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.values import array_literal
from tasks.core.backfill import Backfill
from tasks.core.models import Written

_SQL = statements("queries/rollback.sql")


@dataclass(frozen=True, slots=True)
class Holdings:
    """What there is of one extractor version."""

    table: str
    records: int
    generations: int
    planned_slices: int
    done_slices: int
    runs: int
    spent_usd: float


class Step(NamedTuple):
    """What one transaction of a rollback took back, and after whom to go on."""

    after: UUID
    entries: int
    rows: int


@dataclass(frozen=True, slots=True)
class InFlight:
    """A slice whose job may still answer."""

    slice_id: str
    job_name: str | None
    state: str


def knows(connection: Connection, backfill: Backfill) -> bool:
    """Return whether this ledger ever had to do with the backfill's extractor version."""
    row = connection.execute(_SQL["knows_version"], backfill.in_ledger).fetchone()
    return bool(row and row["known"])


def count(connection: Connection, backfill: Backfill) -> Holdings:
    """Return how many rows and ledger entries a rollback would touch."""
    here = tables.of(connection, backfill)
    if here.is_in_place:
        records = connection.execute(_SQL["count_filled"], backfill.in_ledger).fetchone() or {}
    else:
        records = tables.one(connection, here.over_rows("count_records"), here.values())
    ledger = connection.execute(_SQL["count_ledger"], backfill.in_ledger).fetchone() or {}
    return Holdings(
        table=here.target.table_name,
        records=records["records"],
        generations=ledger["generations"],
        planned_slices=ledger["planned_slices"],
        done_slices=ledger["done_slices"],
        runs=ledger["runs"],
        spent_usd=float(ledger["spent_usd"]),
    )


def in_flight(
    connection: Connection, backfill: Backfill, *, of_all_versions: bool = False
) -> list[InFlight]:
    """Return the slices whose jobs have not been collected."""
    values = {**backfill.in_ledger, "of_all_versions": of_all_versions}
    rows = connection.execute(_SQL["in_flight"], values)
    return [InFlight(**row) for row in rows]


def is_unfinished(connection: Connection, backfill: Backfill) -> bool:
    """Return whether a rollback of this version was begun and not brought to its end."""
    return connection.execute(_SQL["unfinished"], backfill.in_ledger).fetchone() is not None


def begin(connection: Connection, backfill: Backfill, spent_usd: float) -> UUID:
    """Retire the version's runs and slices; return the record of the rollback, new or found."""
    version = backfill.in_ledger
    found = connection.execute(_SQL["unfinished"], version).fetchone()
    if not found:
        values = {**version, "spent_usd": spent_usd}
        found = connection.execute(_SQL["begin"], values).fetchone()
    runs.forget_unsubmitted(connection, backfill)
    answers.forget_restores(connection, backfill)
    connection.execute(_SQL["retire_slices"], version)
    connection.execute(_SQL["retire_runs"], version)
    rollback_id: UUID = (found or {})["rollback_id"]
    return rollback_id


def step(  # noqa: PLR0913, PLR0917 - whose, which, whence, how many, how far
    connection: Connection,
    backfill: Backfill,
    rollback_id: UUID,
    after: UUID | None,
    size: int,
    also_edited: bool,  # noqa: FBT001 - a form's check box
) -> Step | None:
    """Take back the answers of the next `size` targets; return what they were, None at the end.

    Rows that a person corrected are left, unless they are to go as well.
    """
    values = {**backfill.in_ledger, "after": after, "step": size}
    found = connection.execute(_SQL["next_generations"], values).fetchall()
    if not found:
        return None
    target_ids = list(dict.fromkeys(row["target_id"] for row in found))
    kept = set() if also_edited else edited(connection, backfill, target_ids)
    ours = [target_id for target_id in target_ids if target_id not in kept]
    deleted = _take_back(connection, backfill, ours)
    doc_ids = [row["doc_id"] for row in found]
    gone = connection.execute(_SQL["delete_generations"], {"doc_ids": doc_ids}).fetchall()
    counted = sum(row["counted"] for row in gone)
    _note(connection, rollback_id, deleted, len(gone))
    job = {"job_name": backfill.checkpoint, "counted": counted}

    def lower(word: str | None, _: str | None) -> None:
        connection.execute(_SQL["lower_checkpoint"], {**job, "status": word})

    checkpoint.in_their_words(connection, "rolling back", None, lower)
    return Step(doc_ids[-1], len(gone), deleted)


def edited(connection: Connection, backfill: Backfill, target_ids: Sequence[str]) -> set[str]:
    """Return the targets whose rows a person corrected since this version wrote them."""
    known = answers.standing(connection, backfill, dict.fromkeys(target_ids))
    written = {target_id: known.get(target_id, Written()) for target_id in target_ids}
    return standing.edited(connection, tables.of(connection, backfill), written)


def sweep(
    connection: Connection,
    backfill: Backfill,
    rollback_id: UUID,
    size: int,
    also_edited: bool,  # noqa: FBT001
) -> int:
    """Delete rows of this version that the ledger does not know; return how many were deleted."""
    if also_edited:
        connection.execute(_SQL["forget_projections"], backfill.in_ledger)
    here = tables.of(connection, backfill)
    values = {**here.values(), "step": size}
    if here.is_in_place:
        found = connection.execute(_SQL["filled_unknown"], values).fetchall()
    else:
        found = connection.execute(here.over_rows("targets_with_records"), values).fetchall()
    deleted = _take_back(connection, backfill, [row["target_id"] for row in found])
    _note(connection, rollback_id, deleted, 0)
    return deleted


def left_standing(connection: Connection, backfill: Backfill) -> int:
    """Return for how many targets rows were left, because a person had corrected them."""
    row = connection.execute(_SQL["left_standing"], backfill.in_ledger).fetchone()
    return int(row["targets"]) if row else 0


def end(connection: Connection, backfill: Backfill, rollback_id: UUID) -> tuple[int, int]:
    """Reset the checkpoint and close the record; return rows and generations deleted in all."""
    checkpoint.reset(connection, backfill)
    is_kept = answers.count_usable(connection, backfill) > 0
    for name in ["withdraw"] if is_kept else ["forget_thinned", "forget_version"]:
        connection.execute(_SQL[name], backfill.in_ledger)
    done = connection.execute(_SQL["end"], {"rollback_id": rollback_id}).fetchone() or {}
    return done["rows_deleted"], done["generations_deleted"]


def take_back(connection: Connection, backfill: Backfill) -> bool:
    """Let runs of a withdrawn version go on again; return whether it was withdrawn."""
    return connection.execute(_SQL["take_back"], backfill.in_ledger).rowcount > 0


def _take_back(connection: Connection, backfill: Backfill, target_ids: Sequence[str]) -> int:
    """Delete what stands for targets, or put back what stood before; return how many rows."""
    here = tables.of(connection, backfill)
    if not here.is_in_place:
        answers.unproject(connection, backfill, target_ids)
        return rows.delete(connection, here, target_ids)
    known = in_place.put_back(connection, here, array_literal(target_ids))
    answers.unproject(connection, backfill, known)
    return len(known)


def _note(connection: Connection, rollback_id: UUID, deleted: int, generations: int) -> None:
    values = {"rollback_id": rollback_id, "rows": deleted, "generations": generations}
    connection.execute(_SQL["note_progress"], values)
