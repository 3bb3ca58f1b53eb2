"""No large run before a small one was judged good: the same prompt, schema and model."""

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters.ledger import runs, slices
from tasks.adapters.postgres import connect
from tasks.adapters.stages import in_thread
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError
from tasks.core.gates import LEAST_PILOT
from tasks.core.models import Kind
from tasks.slices.requests import version_digest


@in_thread
def require_pilot(name: str, kind: Kind, *, without_pilot: bool) -> bool:
    """Return whether the run starts by override; raise when it needs a pilot and there is none."""
    backfill = backfills.get(name)
    if kind == "pilot" or (backfill.waves and backfill.wave_gate):
        return False  # a first wave behind a gate is one
    missing = _missing(backfill)
    if missing and not without_pilot:
        raise PreflightError(
            f"Run backfill/pilot for {name} first, or set without_pilot, which is recorded with the"
            f" run: {missing} under {backfill.extractor_version} with {backfill.model} and the"
            " present prompt."
        )
    if missing:
        get_run_logger().warning("Started without a pilot that passed, as asked: %s.", missing)
    return missing is not None


def _missing(backfill: Backfill) -> str | None:
    """Return why this backfill may not start, or None: it may, or has nothing to ask."""
    with connect() as connection:
        passed = runs.latest_pilot(connection, backfill, version_digest(backfill.name))
        if passed or not _has_work(backfill.name):
            return None
    if passed is None:
        return f"no pilot was judged by {LEAST_PILOT} rows or more, or by all there are,"
    return "the last pilot did not pass"


def _has_work(name: str) -> bool:
    backfill = backfills.get(name)
    with connect() as connection:
        open_now = runs.open_targets(connection, backfill)
        found = open_now or slices.find_remaining(connection, backfill).askable
        connection.rollback()
    return bool(found)
