"""What a run would do: nothing is sent, nothing is written."""

from datetime import UTC, datetime
from pathlib import Path

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import csv_rows
from tasks.adapters.ledger import runs, slices
from tasks.adapters.postgres import connect
from tasks.adapters.reference import prices
from tasks.adapters.stages import in_thread
from tasks.core.money import Estimate
from tasks.core.slicing import BYTES_PER_TOKEN
from tasks.planning.estimate import ENOUGH_ANSWERS, estimate_page
from tasks.planning.plan import PlanOptions
from tasks.slices.requests import request_bytes as bytes_per_request


async def dry_run_report(name: str, options: PlanOptions) -> State:
    """Return a completed state whose message says what would be asked, and what it would cost."""
    estimate = await in_thread(_estimate)(name, options)
    message = (
        f"Dry run: {estimate.targets:,} targets in {estimate.slices:,} batch jobs would be asked"
        f" for about {estimate.usd():.4f} USD. Nothing was sent, nothing was written."
    )
    get_run_logger().info(message)
    await acreate_markdown_artifact(
        key=f"{name.replace('_', '-')}-dry-run",
        markdown=await in_thread(estimate_page)(name, estimate, estimate.usd()),
        description=f"What {name} would send, receive and cost",
    )
    return Completed(name="DryRun", message=message)


def estimate_rest(name: str) -> Estimate:
    """Return what asking everything that nobody has planned or answered would cost."""
    return _estimate(name, PlanOptions(kind="full"))


def _estimate(name: str, options: PlanOptions) -> Estimate:
    backfill = backfills.get(name)
    version = {"backfill": name, "extractor_version": backfill.extractor_version}
    with connect() as connection:
        if options.csv_file:  # taken back below: nothing is written
            csv_rows.bring_in(connection, backfill, Path(options.csv_file))
        remaining = slices.find_remaining(connection, backfill, options.csv_file)
        usage = runs.measured_tokens(connection, version)
        connection.rollback()
    targets = min(remaining.askable, options.max_targets or remaining.askable)
    text_bytes = remaining.content_bytes * targets // max(1, remaining.askable)
    request_bytes = text_bytes + targets * bytes_per_request(name)
    guess = request_bytes / max(1, targets) / BYTES_PER_TOKEN
    measured = usage.answers >= ENOUGH_ANSWERS
    return Estimate(
        targets=targets,
        slices=-(-targets // options.slice_rows),
        input_bytes=request_bytes,
        guessed_input_tokens=int(guess * targets),
        input_tokens_per_request=(usage.input_tokens or guess) if measured else guess,
        output_tokens_per_request=(
            usage.output_tokens if measured and usage.output_tokens else backfill.output_tokens
        ),
        source=f"measured on {usage.answers} answers" if measured else "characters, not counted",
        model=backfill.model,
        price=prices().price(backfill.model, datetime.now(UTC).date()),
        prices_as_of=prices().as_of,
    )
