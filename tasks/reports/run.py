"""How a run ends, and how it says so."""

from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from prefect import get_run_logger
from prefect.client.schemas.objects import State
from prefect.exceptions import ExternalSignal, Pause
from prefect.states import Cancelled, Completed, Failed

from tasks import backfills
from tasks.adapters.ledger import checkpoint, looks, rollbacks, runs, slices
from tasks.adapters.outage import outlasting
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.census import Census
from tasks.core.errors import (
    BackfillError,
    BudgetReachedError,
    GatesFailedError,
    LeaseLostError,
    QuotaError,
    SumsError,
    UnavailableError,
)
from tasks.core.gates import LEAST_PILOT
from tasks.core.models import Run, RunSummary, Spending
from tasks.core.money import paid_twice
from tasks.core.quality import Quality
from tasks.core.status import stopped
from tasks.slices.requests import version_digest

_EARLY = {
    BudgetReachedError: "BudgetReached",
    QuotaError: "QuotaExhausted",
    UnavailableError: "ServiceUnavailable",
}


@contextmanager
def recorded(name: str, run_id: UUID, *, without_pilot: bool) -> Iterator[None]:
    """Say in the ledger that a run is at work, and that it stopped unless it said so itself.

    That a person let it start without a pilot that passed is kept with it.
    """
    _began(name, run_id, without_pilot=without_pilot)
    why = "It did not come to its end; run again."
    left: tuple[checkpoint.Status, str] | None = ("failed", why)
    try:
        yield
        left = None
    except Pause:
        left = ("waiting", "It waits for a person's approval in the Prefect UI.")
        raise
    except (CancelledError, ExternalSignal, KeyboardInterrupt, SystemExit):
        why = _what_next(name)
        left = ("stopped", why)
        get_run_logger().warning("%s", why)
        raise
    finally:
        if left:
            _stopped(name, run_id, *left)


@outlasting
def _began(name: str, run_id: UUID, *, without_pilot: bool) -> None:
    with connect() as connection:
        runs.mark_running(connection, run_id)
        if without_pilot:
            runs.note_override(connection, run_id)
        checkpoint.say(connection, backfills.get(name), "running")


@outlasting
def _what_next(name: str) -> str:
    with connect() as connection:
        jobs = rollbacks.in_flight(connection, backfills.get(name), of_all_versions=True)
    return stopped(len(jobs))


@outlasting
def _stopped(name: str, run_id: UUID, status: checkpoint.Status, why: str) -> None:
    # Of a run that another one took over nothing is said: it is not over.
    with suppress(LeaseLostError), connect() as connection:
        runs.end(connection, run_id, "stopped", why)
        checkpoint.say(connection, backfills.get(name), status, notes=why)


def stepped_aside(name: str, holder: str) -> State:
    """Return the state of a run that found another one at work."""
    message = f"Another run of {name} is at work: {holder}. This one stepped aside."
    get_run_logger().warning(message)
    return Completed(name="SteppedAside", message=message)


def ended_early(name: str, run_id: UUID, cause: BackfillError, late: str) -> State:
    """Return the state of a run that stopped early; what is done is kept.

    `late` says what was found to be paid twice of earlier runs.
    """
    with connect() as connection:
        why = f"{cause}{_twice(runs.spending(connection, run_id))}{late}"
    if isinstance(cause, GatesFailedError):
        return _failed_early(name, run_id, why)
    _stopped(name, run_id, "stopped", why)
    [state] = [name for kind, name in _EARLY.items() if isinstance(cause, kind)]
    return Cancelled(name=state, message=why)


@outlasting
def _failed_early(name: str, run_id: UUID, why: str) -> State:
    """Return the state of a run that its gates stopped; the next one starts small again."""
    backfill = backfills.get(name)
    with connect() as connection:
        runs.forget_unsubmitted(connection, backfill)
        runs.record_gates(connection, run_id, version_digest(connection, name), passed=False)
        runs.end(connection, run_id, "failed", why)
        checkpoint.say(connection, backfill, "failed", notes=why)
    return Failed(name="GatesFailed", message=why)


@stage("finish {name}")
def finish(name: str, run_id: UUID, quality: Quality, late: str) -> RunSummary:
    """Return the run's summary; raise when its sums do not hold."""
    backfill = backfills.get(name)
    failed = not quality.passed
    with connect() as connection:
        run = runs.get(connection, run_id)
        _check_sums(connection, run_id, quality)
        remaining = _left(connection, backfill, run, quality.census)
        remaining += runs.open_targets(connection, backfill)  # retries of runs that were larger
        is_too_small = quality.passed and run.kind == "pilot" and quality.judged < LEAST_PILOT
        is_too_small = is_too_small and remaining > 0
        summary = _summary(run, quality, remaining, late, is_too_small=is_too_small)
        status: checkpoint.Status = "completed" if remaining == 0 else "stopped"
        checkpoint.say(connection, backfill, "failed" if failed else status, notes=summary.message)
        if quality.measurements and not is_too_small:
            digest = version_digest(connection, name)
            runs.record_gates(connection, run_id, digest, passed=quality.passed)
        runs.end(connection, run_id, "failed" if failed else "finished", summary.message)
    get_run_logger().info(summary.message)
    return summary


def ended(summary: RunSummary) -> State:
    """Return the state of a run that came to its end, within its gates or not."""
    if summary.passed:
        return Completed(message=summary.message, data=summary)
    return Failed(name="GatesFailed", message=summary.message)


def _left(connection: Connection, backfill: Backfill, run: Run, census: Census | None) -> int:
    """Return how many targets in scope want something, as the report has just counted them."""
    if census:
        return census.askable + census.restorable
    since = looks.since(connection, backfill) if run.kind == "incremental" else None
    left = slices.find_remaining(connection, backfill, since=since)
    return left.askable + left.twins + left.restorable


def _twice(spending: Spending) -> str:
    return paid_twice(spending.paid_twice, spending.paid_twice_usd)


def _check_sums(connection: Connection, run_id: UUID, quality: Quality) -> None:
    """Raise SumsError unless every target of the run has exactly one end."""
    broken = slices.not_adding_up(connection, run_id)
    if broken or quality.totals.planned:
        message = (
            f"The ledger does not add up: {quality.totals.planned} targets have no end,"
            f" slices {', '.join(broken) or 'none'} have wrong sums. Please report this."
        )
        raise SumsError(message)


def _summary(
    run: Run, quality: Quality, remaining: int, late: str, *, is_too_small: bool
) -> RunSummary:
    totals, spending = quality.totals, quality.spending
    bad = sum(totals.bad.values())
    skipped = sum(totals.skipped.values())
    message = (
        f"{totals.targets:,} targets: {totals.written:,} written, {totals.empty:,} empty,"
        f" {bad:,} bad, {skipped:,} skipped; {spending.spent_usd:.4f} USD; {remaining:,} remain."
        if totals.targets
        else "Nothing to ask."
        if run.restored
        else "Nothing to do."
    )
    message += f"{_twice(spending)}{late}"
    if run.restored:
        message += f" {run.restored:,} restored from kept answers, 0 USD."
    if not quality.passed:
        said = [measured.sentence() for measured in quality.measurements if not measured.passed]
        message += f" It does not pass: {' '.join(said)} What was written is kept."
    if is_too_small:
        message += f" As a pilot it is too small: ask {LEAST_PILOT} rows or more."
    return RunSummary(
        run_id=run.run_id,
        backfill=run.backfill,
        kind=run.kind,
        totals=totals,
        slices=spending.slices,
        input_tokens=spending.input_tokens,
        output_tokens=spending.output_tokens,
        estimated_usd=run.estimated_usd or 0.0,
        cost_usd=spending.spent_usd,
        seconds=run.age_seconds,
        message=message,
        passed=quality.passed,
    )
