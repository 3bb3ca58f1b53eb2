"""What this run takes on: open work of earlier runs first, then what nobody has answered."""

from prefect import get_run_logger
from prefect.cache_policies import RUN_ID
from pydantic import BaseModel, Field

from tasks import backfills
from tasks.adapters import csv_rows
from tasks.adapters.allowed import allowed
from tasks.adapters.ledger import answers, looks, runs, slices
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.room import enqueued_tokens
from tasks.adapters.settings import settings
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.models import Kind, Plan, Run
from tasks.core.places import CsvRows
from tasks.core.slicing import BYTES_PER_TOKEN, SliceLimits, Waves, largest_useful
from tasks.planning.pricing import too_long
from tasks.slices.requests import request_bytes

PILOT_SIZE = 200


class PlanOptions(BaseModel):
    """How a run chooses and cuts its targets."""

    kind: Kind
    max_targets: int | None = None
    slice_rows: int = Field(5000, ge=1)
    fresh: bool = False
    csv_file: str | None = Field(None, description="Of a backfill over CSVs, the file in scope.")

    @classmethod
    def of(  # noqa: PLR0913 - a run's form has these fields
        cls,
        kind: Kind,
        limit: int | None,
        slice_rows: int,
        *,
        fresh: bool,
        csv_in: str = "",
        csv_out: str = "",
    ) -> "PlanOptions":
        """Return the options of a run; a pilot without a limit asks 200 targets."""
        if kind == "pilot" and limit is None:
            limit = PILOT_SIZE
        file = csv_rows.key(allowed(csv_in, "csv_in")) if csv_in else None
        if csv_out:
            allowed(csv_out, "csv_out")  # before anything is spent
        return cls(kind=kind, max_targets=limit, slice_rows=slice_rows, fresh=fresh, csv_file=file)


# Prefect recognises a retried run's subflows by call position, so a run is planned once.
@stage("plan {name}", cache_policy=RUN_ID, persist_result=True)
def make_plan(name: str, options: PlanOptions, flow_run_id: str | None) -> Plan:
    """Return the plan; it is committed to the ledger as a whole or not at all."""
    backfill = backfills.get(name)
    with connect() as connection:
        if options.fresh:
            runs.forget_unsubmitted(connection, backfill)
        run, resumed = runs.open_run(
            connection, backfill, options.kind, options.max_targets, flow_run_id
        )
        if options.max_targets is not None:
            # The limit is the limit: what another run had only planned is planned again, within it.
            runs.forget_unsubmitted(connection, backfill, keep_run_id=run.run_id)
        runs.adopt_open_slices(connection, run)
        since = looks.since(connection, backfill) if options.kind == "incremental" else None
        remaining = slices.find_remaining(connection, backfill, options.csv_file, since)
        if since is None:  # what waits and was not looked at goes on waiting
            answers.forget_restores(connection, backfill)
        slices.plan_restores(connection, backfill)
        planned = _plan_remaining(connection, backfill, run, options, remaining.askable)
        if planned == remaining.askable:  # else the rest wants another look
            looks.note(connection, backfill, is_whole=since is None)
        open_now = slices.open_slices(connection, run.run_id)
        otherwise = _asked_otherwise(connection, backfill, options)
    made = Plan(
        run_id=run.run_id,
        resumed=resumed,
        planned=planned,
        skipped=remaining.skipped,
        open_targets=sum(the_slice.request_count for the_slice in open_now),
        open_slices=len(open_now),
        since=since,
        restorable=remaining.restorable,
        twins=remaining.twins,
        thinned=remaining.thinned,
        repeats=remaining.repeats(request_bytes(backfill, backfill.rows_per_request)),
    )
    get_run_logger().info(made.sentence())
    for said in (otherwise, too_long(backfill, remaining.longest_bytes)):
        if said:
            get_run_logger().warning(said)
    return made


def _asked_otherwise(
    connection: Connection, backfill: Backfill, options: PlanOptions
) -> str | None:
    """Return of which files no row is asked, where all files are in scope."""
    if options.csv_file or not isinstance(backfill.source, CsvRows):
        return None
    return csv_rows.asked_otherwise(connection, backfill, None)


def _plan_remaining(
    connection: Connection, backfill: Backfill, run: Run, options: PlanOptions, askable: int
) -> int:
    # A limited run that was interrupted is finished, not begun once more.
    taken = runs.count_taken_on(connection, run.run_id)
    wanted = None if options.max_targets is None else max(0, options.max_targets - taken)
    targets = askable if wanted is None else min(askable, wanted)
    waves = Waves.of(backfill.waves, pilot=options.kind == "pilot", targets=targets)
    return slices.insert_slices(
        connection, backfill, run, _limits(connection, backfill, options), waves, wanted
    )


def _limits(connection: Connection, backfill: Backfill, options: PlanOptions) -> SliceLimits:
    overhead = request_bytes(backfill, backfill.rows_per_request)
    return SliceLimits(
        rows=options.slice_rows,
        tokens=min(_slice_tokens(connection, backfill, model) for model in backfill.models),
        tokens_per_request=overhead / BYTES_PER_TOKEN,
        bytes_per_request=overhead,
    )


def _slice_tokens(connection: Connection, backfill: Backfill, model: str) -> int:
    ratio = slices.counted_per_guess(connection, model, backfill.rows_per_request)
    return largest_useful(enqueued_tokens(model), settings().jobs_in_flight, ratio)
