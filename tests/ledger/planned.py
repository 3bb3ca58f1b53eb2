"""What ledger tests do again and again."""

from uuid import UUID

from tasks import backfills
from tasks.adapters.ledger import runs, slices
from tasks.adapters.postgres import Connection, statements
from tasks.core.models import Kind, Run
from tasks.core.slicing import SliceLimits, Waves

ROOMY = SliceLimits(rows=1000, tokens=10**9, tokens_per_request=10, bytes_per_request=10)


def insert_passages(connection: Connection, texts: dict[int, str | None]) -> None:
    statement = statements("demo/passages.sql")["insert_passage"]
    for number, text in texts.items():
        connection.execute(statement, {"passage_id": UUID(int=number), "passage_text": text})


def open_run(connection: Connection, kind: Kind = "full", max_targets: int | None = None) -> Run:
    backfill = backfills.get("passage_concepts")
    run, _ = runs.open_run(connection, backfill, kind, max_targets, None)
    return run


def plan_all(
    connection: Connection,
    *,
    kind: Kind = "full",
    max_targets: int | None = None,
    limits: SliceLimits = ROOMY,
    waves: Waves | None = None,
) -> int:
    """Plan as a run does, committed; return how many targets were planned."""
    backfill = backfills.get("passage_concepts")
    run = open_run(connection, kind, max_targets)
    slices.find_remaining(connection, backfill)
    waves = waves or Waves.of(None, pilot=kind == "pilot")
    planned = slices.insert_slices(connection, backfill, run, limits, waves, max_targets)
    connection.commit()
    return planned
