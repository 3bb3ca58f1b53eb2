"""What a run would do: nothing is sent, nothing is written."""

from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import shorten

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import csv_rows, rows
from tasks.adapters.ledger import looks, slices
from tasks.adapters.ledger.slices import Remaining
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.money import Estimate
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.planning.estimate import Past, estimate_page, look_back
from tasks.planning.plan import PlanOptions
from tasks.planning.pricing import Workload, estimated, expected_answers
from tasks.slices.requests import billed_tokens, rows_in
from tasks.slices.requests import request_bytes as bytes_per_request
from tasks.slices.transport import Wanted, choose

NAMED = 20
"""So many rows are listed by name."""

LONGEST = 120
"""Characters of a name that are shown."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a run would ask: how much, and the first rows by what people call them."""

    estimate: Estimate
    rows: tuple[str, ...]


async def dry_run_report(name: str, options: PlanOptions, transport: Wanted = "auto") -> State:
    """Return a completed state whose message says what would be asked, and what it would cost."""
    found = await in_thread(look)(name, options, transport)
    estimate = found.estimate
    how = "one by one" if estimate.transport == "interactive" else _jobs(estimate.slices)
    message = (
        f"Dry run: {estimate.targets:,} targets would be asked {how} for about"
        f" {estimate.usd():.4f} USD. Nothing was sent, nothing was written."
    )
    if estimate.restorable:
        message += f" {estimate.restorable:,} would be restored from kept answers, 0 USD."
    if estimate.repeats:
        message += f" {estimate.repeats}."
    for row in _listed(found):
        get_run_logger().info(row)
    get_run_logger().info(message)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-dry-run",
        markdown=await in_thread(estimate_page)(name, estimate, estimate.usd(), _listed(found)),
        description=f"What {name} would send, receive and cost",
    )
    return Completed(name="DryRun", message=message)


def estimate_rest(name: str) -> Estimate:
    """Return what asking everything that nobody has planned or answered would cost."""
    return look(name, PlanOptions(kind="full"), "batch").estimate


def look(name: str, options: PlanOptions, transport: Wanted) -> DryRun:
    """Return what a run would ask; a CSV comes in for that, and is taken back."""
    with connect() as connection:
        backfill = backfills.asked(connection, name)
        if options.csv_file:
            csv_rows.bring_in(connection, backfill, Path(options.csv_file))
        since = looks.since(connection, backfill) if options.kind == "incremental" else None
        remaining = slices.find_remaining(connection, backfill, options.csv_file, since)
        count = min(remaining.askable, options.max_targets or remaining.askable)
        named = _names(connection, backfill, options, min(count, NAMED))
        rows = rows_in(backfill, choose(backfill, count, transport)[0])
        past = look_back(connection, backfill, rows)
        connection.rollback()
    estimate = _estimate(backfill, options, remaining, past, transport)
    return DryRun(estimate, named)


def _names(
    connection: Connection, backfill: Backfill, options: PlanOptions, count: int
) -> tuple[str, ...]:
    """Return what people call the rows that would be asked first."""
    chosen = slices.first_remaining(connection, count, sample=options.kind == "pilot")
    labels = rows.labels(connection, backfill, chosen, options.csv_file)
    return tuple(shorten(labels[key], LONGEST, placeholder=" …") for key in chosen)


def _estimate(
    backfill: Backfill,
    options: PlanOptions,
    remaining: Remaining,
    past: Past,
    transport: Wanted,
) -> Estimate:
    count = min(remaining.askable, options.max_targets or remaining.askable)
    text_bytes = remaining.content_bytes * count // max(1, remaining.askable)
    how = choose(backfill, count, transport)[0]
    rows = rows_in(backfill, how)
    request_bytes = text_bytes + count * bytes_per_request(backfill, rows)
    guess = billed_tokens(backfill, text_bytes / max(1, count), rows)
    work = Workload(
        targets=count,
        slices=-(-count // options.slice_rows),
        transport=how,
        request_bytes=request_bytes,
        guessed_input_tokens=int(guess * count),
        input_tokens=(past.measured and past.measured.input_tokens) or guess,
        **expected_answers(backfill, past.measured, rows),
        source=past.source if past.measured else "characters, not counted",
        embedding_tokens=text_bytes / max(1, count) / BYTES_PER_TOKEN,
        longest_text_bytes=remaining.longest_bytes,
        job_hours=past.job_hours,
        rows=rows,
    )
    return replace(
        estimated(backfill, work),
        restorable=remaining.restorable,
        repeats=remaining.repeats(bytes_per_request(backfill, rows)),
    )


def _jobs(slices: int) -> str:
    return f"in {slices:,} batch job{'s' * (slices != 1)}"


def _listed(found: DryRun) -> list[str]:
    """Return the rows by name, and how many more there are."""
    more = found.estimate.targets - len(found.rows)
    return [*found.rows, *([f"… and {more:,} more"] if more else [])]
