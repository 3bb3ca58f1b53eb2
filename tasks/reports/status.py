"""Where every backfill stands, for whoever asks in the Prefect UI."""

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import status
from tasks.adapters.pages import render
from tasks.adapters.stages import in_thread
from tasks.core.quality import bar
from tasks.core.status import BackfillStatus, duration, sent_under


# Not a stage: see tasks/reports/quality.py.
async def show_status(*, census: bool) -> State:
    """Return a completed state with one sentence per backfill; the whole is an artifact."""
    everything = [backfills.get(name) for name in backfills.names()]
    now = await in_thread(status.read)(everything if census else ())
    markdown = render("status.md", status=now, duration=duration, bar=bar)
    await acreate_markdown_artifact(
        key="status", markdown=markdown, description="Where every backfill stands"
    )
    sentences = [sentence(each) for each in now.backfills]
    for each in sentences:
        get_run_logger().info(each)
    return Completed(message=" ".join(sentences) or "The ledger is empty: nothing was run yet.")


def sentence(each: BackfillStatus) -> str:
    """Return where a backfill stands in one sentence."""
    text = (
        f"{each.backfill} {each.extractor_version}: {each.planned:,} planned,"
        f" {each.in_flight:,} in flight in {len(each.jobs)} jobs, {each.written:,} written,"
        f" {each.empty:,} empty, {each.bad:,} bad, {each.skipped:,} skipped;"
        f" {each.spent_usd:.4f} USD spent."
    )
    if each.jobs and not _is_named(each):
        text += f" {sent_under(each.extractor_version, len(each.jobs))}"
    if each.to_restore:
        text += f" {each.to_restore:,} to be restored from kept answers, 0 USD."
    if each.run and each.run.state == "running" and each.planned + each.in_flight:
        text += f" About {duration(each.run.seconds_left)} left."
    return text


def _is_named(each: BackfillStatus) -> bool:
    """Return whether this is the version that runs ask now; so is one of no backfill any more."""
    name = each.backfill
    return name not in backfills.names() or each.key == (
        name,
        backfills.get(name).extractor_version,
    )
