"""How requests reach the model: as batch jobs, or one by one."""

from typing import Literal
from uuid import UUID

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters.ledger import slices
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import stage
from tasks.core.backfill import Backfill
from tasks.core.money import Transport

Wanted = Literal["auto", "batch", "interactive"]


@stage("transport of {name}")
def choose_transport(name: str, run_id: UUID, wanted: Wanted) -> None:
    """Settle how the planned slices of a run reach the model, and say why."""
    backfill = backfills.get(name)
    with connect() as connection:
        open_now = slices.open_slices(connection, run_id)
        count = sum(the_slice.request_count for the_slice in open_now)
        transport, why = choose(backfill, count, wanted)
        if transport == "interactive":
            slices.choose_transport(connection, run_id, transport, ("answer", backfill.model))
        else:
            slices.choose_transport(connection, run_id, transport, backfill.first_question)
    if transport == "interactive" and count:
        why += (
            f" At most {settings().pace[0]:,} requests are sent in a minute:"
            " BACKFILL_REQUESTS_PER_MINUTE says what the key has."
        )
    get_run_logger().info(why)


def choose(backfill: Backfill, targets: int, wanted: Wanted) -> tuple[Transport, str]:
    """Return the transport for so many targets, and why in one sentence."""
    if wanted != "auto":
        return wanted, f"Transport: {wanted}, as the run says."
    most = backfill.interactive_up_to
    if targets <= most:
        return (
            "interactive",
            f"Transport: interactive, because {targets:,} targets are at most {most:,}.",
        )
    reason = f"{targets:,} targets are more than {most:,}" if most else "it costs half as much"
    return "batch", f"Transport: batch, because {reason}."
