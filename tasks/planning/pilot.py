"""No large run before a small one was judged good: the same prompt, schema and model."""

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters.ledger import reviews, runs, slices
from tasks.adapters.postgres import Connection, connect
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.gates import LEAST_PILOT
from tasks.core.models import Kind
from tasks.core.reviewing import PRECISION
from tasks.slices.requests import version_digest


@in_thread
def require_pilot(name: str, kind: Kind, *, without_pilot: bool) -> bool:
    """Return whether the run starts by override; raise when it needs a pilot and there is none."""
    backfill = backfills.get(name)
    if kind == "pilot" or (backfill.waves and backfill.wave_gate):
        return False  # a first wave behind a gate is one
    missing = _missing(backfill)
    if missing and not without_pilot:
        first, why = missing
        raise PreflightError(
            f"Run {first} for {name} first, or set without_pilot, which is recorded with the run:"
            f" {why} under {backfill.extractor_version} with {backfill.model} and the present"
            " prompt."
        )
    if missing:
        get_run_logger().warning("Started without a pilot that passed, as asked: %s.", missing[1])
    return missing is not None


def _missing(backfill: Backfill) -> tuple[str, str] | None:
    """Return what to run first and why, or None: it may start, or has nothing to ask."""
    with connect() as connection:
        passed = runs.latest_pilot(connection, backfill, version_digest(connection, backfill.name))
        unsure = _unsure(connection, backfill)
        if (passed and not unsure) or not _has_work(backfill.name):
            return None
    if passed is None:
        return (
            "backfill/pilot",
            f"no pilot was judged by {LEAST_PILOT} rows or more, or by all there are,",
        )
    return (
        ("review/sample", unsure) if unsure else ("backfill/pilot", "the last pilot did not pass")
    )


def _unsure(connection: Connection, backfill: Backfill) -> str:
    """Return why people's verdicts do not let it start; nothing where no gate wants any."""
    for gate in backfill.gates:
        if gate.measurement == PRECISION:
            right = reviews.precision(connection, backfill)
            if not gate.passes(right):
                found = "no row is judged" if right is None else f"{right:.1%} of rows are right"
                return f"{found} and {gate.title} has to be {gate.limit()}"
    return ""


def _has_work(name: str) -> bool:
    backfill = backfills.get(name)
    with connect() as connection:
        open_now = runs.open_targets(connection, backfill)
        found = open_now or slices.find_remaining(connection, backfill).askable
        connection.rollback()
    return bool(found)
