"""Bad generations back into the plan: chosen by reason, with what helps for that reason."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Annotated, Literal

from prefect.client.schemas.objects import State
from prefect.states import Completed
from pydantic import Field, WithJsonSchema

from tasks import backfills
from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import checkpoint, generations, slices
from tasks.adapters.postgres import Connection, Row, connect, statements
from tasks.adapters.reference import models
from tasks.adapters.stages import in_thread, stage, waiting_stage
from tasks.core.another_try import limit_again
from tasks.core.answers import BadReason
from tasks.core.asking import output_limit
from tasks.core.backfill import Backfill
from tasks.core.ends import SkipReason
from tasks.core.errors import JobLostError
from tasks.slices.again import ROWS_PER_RETRY, give_back

_SQL = statements("queries/redrive.sql")

KEPT = (BadReason.REFUSED_BY_DATABASE, BadReason.RECORDS_FAILED, BadReason.UNREAD)
"""Reasons that say nothing against the answer, which is paid for and kept."""

Reason = Annotated[
    BadReason | Literal["edited"],
    WithJsonSchema({"type": "string", "enum": [*map(str, (*BadReason, SkipReason.EDITED))]}),
]
Reasons = Annotated[tuple[Reason, ...], Field(title="Reasons; none means all")]
LostJobs = Annotated[bool, Field(title="Also jobs that cannot be seen any more")]


@stage("plan {name} again")
def plan_again(name: str, reasons: Sequence[Reason], *, dry_run: bool) -> dict[str, int]:
    """Plan the bad generations of some reasons (none: all) as new; return how many, by reason.

    That a thinned answer is paid for again has to be chosen: without reasons none is.
    """
    backfill = backfills.get(name)
    wanted = [str(reason) for reason in reasons or tuple(BadReason)]
    with connect() as connection:
        lost = BadReason.THINNED in reasons and _thinned(connection, backfill, dry_run=dry_run)
        values = {**backfill.in_ledger, "reasons": wanted}
        rows = connection.execute(_SQL["bad_by_reason"], values).fetchall()
        if rows and not dry_run:
            _move(connection, backfill, _without_kept(connection, rows))
            note = f"{len(rows):,} bad targets are planned again; the next run asks them."
            checkpoint.say(connection, backfill, "stopped", notes=note)
    return dict(Counter(str(row["reason"]) for row in rows) + Counter(thinned=int(lost)))


@waiting_stage("lost jobs of {name}")
async def release_lost_jobs(name: str, *, dry_run: bool) -> int:
    """Give back the slices whose jobs cannot be seen any more; return how many."""
    lost = await _lost(backfills.get(name))
    for slice_id, cause in lost.items():
        if not dry_run:
            await give_back(slice_id, cause)
    return len(lost)


def wants_edited(reasons: Sequence[Reason]) -> bool:
    """Return whether answers that were left for corrected rows are among the reasons."""
    return not reasons or SkipReason.EDITED in reasons


def redriven(counts: dict[str, int], lost: int, *, dry_run: bool) -> State:
    """Return the completed state that says what is, or would be, asked again."""
    listed = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items()))
    what = f"{sum(counts.values()):,} bad generations ({listed or 'none'}), {lost:,} lost jobs"
    if dry_run:
        return Completed(name="DryRun", message=f"Would be planned again: {what}.")
    return Completed(message=f"Planned again: {what}. The next run of the backfill asks them.")


def _thinned(connection: Connection, backfill: Backfill, *, dry_run: bool) -> int:
    """Let the next plan ask what was answered, and is lost; return of how many targets."""
    slices.find_remaining(connection, backfill)
    thinned = connection.execute(_SQL["thinned"]).fetchall()
    if not dry_run:
        generations.drop(connection, [row["doc_id"] for row in thinned])
        questions = {"question_ids": [row["question_id"] for row in thinned]}
        connection.execute(_SQL["forget_questions"], questions)
    return len(thinned)


def _without_kept(connection: Connection, rows: Sequence[Row]) -> list[Row]:
    """Let good answers that did not become rows be restored; return the rows without one."""
    values = {"doc_ids": [row["doc_id"] for row in rows if row["reason"] in KEPT]}
    found = connection.execute(_SQL["forget_kept"], values).fetchall()
    kept = {row["doc_id"] for row in found}
    return [row for row in rows if row["doc_id"] not in kept]


def _move(connection: Connection, backfill: Backfill, rows: Sequence[Row]) -> None:
    """Plan rows as new slices of the runs that they came from; the next run adopts these."""
    model = models().find(backfill.model)
    groups: dict[tuple[str, int | None], list[Row]] = defaultdict(list)
    for row in rows:
        limit = row["max_output_tokens"]
        if row["reason"] == BadReason.MAX_TOKENS:
            limit = limit_again(model, limit or output_limit(backfill, model), row["reason"])
        groups[str(row["run_id"]), limit].append(row)
    for (_, limit), group in groups.items():
        for start in range(0, len(group), ROWS_PER_RETRY):
            part = group[start : start + ROWS_PER_RETRY]
            generations.move(
                connection,
                slices.get(connection, part[0]["slice_id"]),
                [row["doc_id"] for row in part],
                run_id=part[0]["run_id"],
                attempt=1,
                max_output_tokens=limit,
            )
    values = {"doc_ids": [row["doc_id"] for row in rows]}
    connection.execute(_SQL["forget_attempts"], values)


@in_thread
def _lost(backfill: Backfill) -> dict[str, str]:
    with connect() as connection:
        rows = connection.execute(_SQL["in_flight"], backfill.in_ledger).fetchall()
    lost = {}
    for row in rows:
        try:
            gemini().get_job(row["job_name"])
        except JobLostError as error:
            lost[row["slice_id"]] = str(error)
    return lost
