"""What a run's gates said, kept, so that a full run can ask for a pilot that passed."""

from uuid import UUID

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill

_SQL = statements("queries/verdicts.sql")


def record(connection: Connection, run_id: UUID, digest: str, *, passed: bool) -> None:
    """Keep the verdict of a run, and what it was a verdict on."""
    values = {"run_id": run_id, "passed": passed, "digest": digest}
    connection.execute(_SQL["record_verdict"], values)


def mark_running(connection: Connection, run_id: UUID) -> None:
    """Say that a run which Prefect resumed or retried is at work again."""
    connection.execute(_SQL["mark_running"], {"run_id": run_id})


def note_override(connection: Connection, run_id: UUID) -> None:
    """Keep that a person let this run start without a pilot."""
    connection.execute(_SQL["note_override"], {"run_id": run_id})


def latest_pilot(connection: Connection, backfill: Backfill, digest: str) -> bool | None:
    """Return whether the latest judged pilot passed; None when there was none."""
    values = {**_version(backfill), "digest": digest}
    row = connection.execute(_SQL["latest_pilots"], values).fetchone()
    return None if row is None else bool(row["passed"])


def open_targets(connection: Connection, backfill: Backfill) -> int:
    """Return how many targets stand in slices that have not ended."""
    row = connection.execute(_SQL["open_targets"], _version(backfill)).fetchone()
    return int(row["targets"]) if row else 0


def _version(backfill: Backfill) -> dict[str, str]:
    return {"backfill": backfill.name, "extractor_version": backfill.extractor_version}
