"""Planning as set-based SQL: what remains, cut into waves and slices, in one transaction."""

from dataclasses import dataclass
from typing import Any

from psycopg import sql

from tasks.adapters import tables
from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.models import Run
from tasks.core.slicing import SliceLimits, Waves

_SQL = statements("queries/plan.sql")


@dataclass(frozen=True, slots=True)
class Remaining:
    """Targets that nobody has answered."""

    askable: int
    skipped: int
    content_bytes: int


def find_remaining(
    connection: Connection, backfill: Backfill, csv_file: str | None = None
) -> Remaining:
    """Collect what remains into the transaction's temporary table `remaining`, and count it.

    Of a backfill over CSVs the rows of one file are in scope, or of all that came in.
    """
    here = tables.of(connection, backfill)
    statement = sql.SQL(_SQL["remaining"]).format(candidates=here.candidates())
    tables.fix_texts(connection)
    connection.execute(statement, here.values(csv_file))
    row = connection.execute(_SQL["count_remaining"]).fetchone()
    return Remaining(**row) if row else Remaining(0, 0, 0)


def first_remaining(connection: Connection, size: int, *, sample: bool) -> list[str]:
    """Return the target_ids of what `find_remaining` found that a run would ask first."""
    rows = connection.execute(_SQL["first_remaining"], {"size": size, "sample": sample})
    return [row["target_id"] for row in rows]


def insert_slices(  # noqa: PLR0913, PLR0917 - a plan is all of this, once
    connection: Connection,
    backfill: Backfill,
    run: Run,
    limits: SliceLimits,
    waves: Waves,
    max_targets: int | None,
) -> int:
    """Plan what `find_remaining` found, up to `max_targets`; return how many targets."""
    question, model = backfill.first_question
    values: dict[str, Any] = {
        **_version(backfill),
        "run_id": run.run_id,
        "question": question,
        "model": model,
        "sample": run.kind == "pilot",
        "max_targets": max_targets,
        "first_wave": waves.first,
        "wave_ends": list(waves.ends) if waves.ends else None,
        "last_wave_end": waves.last_end,
        "last_wave_size": waves.last_size,
        "slice_size": limits.rows,
        "slice_tokens": limits.tokens,
        "slice_bytes": limits.file_bytes,
        "tokens_per_request": limits.tokens_per_request,
        "bytes_per_request": limits.bytes_per_request,
        "bytes_per_token": limits.bytes_per_token,
    }
    for name in ("chosen", "name_slices", "insert_slices"):
        connection.execute(_SQL[name], values)
    planned = connection.execute(_SQL["insert_generations"], values).rowcount
    connection.execute(_SQL["insert_skipped"], values)
    return planned


def _version(backfill: Backfill) -> dict[str, str]:
    return {"backfill": backfill.name, "extractor_version": backfill.extractor_version}
