"""What was spent on rows that were only tried, and the prompts that people gave for it."""

from typing import NamedTuple
from uuid import UUID

from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill

_SQL = statements("queries/tries.sql")


class Tried(NamedTuple):
    """A prompt as a person gave it, and the model that was asked."""

    instruction: str
    model: str


def begin(
    connection: Connection, candidate: Backfill, cap_usd: float, flow_run_id: str | None
) -> UUID:
    """Record a try before anything is asked; return its id."""
    values = {
        "backfill": candidate.name,
        "model": candidate.model,
        "instruction": candidate.instruction or None,
        "cap_usd": cap_usd,
        "flow_run_id": flow_run_id,
    }
    row = connection.execute(_SQL["begin"], values).fetchone() or {}
    return UUID(str(row["try_id"]))


def book(try_id: UUID, connection: Connection, usd: float) -> None:
    """Note what a request may cost, or that it was less."""
    connection.execute(_SQL["book"], {"try_id": try_id, "usd": usd})


def spent(connection: Connection, name: str) -> float:
    """Return what tries and comparisons of a backfill cost: they belong to no run."""
    row = connection.execute(_SQL["spent"], {"backfill": name}).fetchone() or {}
    return float(row["usd"])


def last_instruction(connection: Connection, name: str) -> Tried | None:
    """Return the prompt that was tried last; None where only the site's was."""
    row = connection.execute(_SQL["last_instruction"], {"backfill": name}).fetchone()
    return Tried(**row) if row else None


def known_versions(connection: Connection, name: str) -> set[str]:
    """Return the versions that mean something already."""
    rows = connection.execute(_SQL["known_versions"], {"backfill": name})
    return {row["extractor_version"] for row in rows}
