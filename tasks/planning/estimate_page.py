"""The estimate as a page for the person who is asked to approve it."""

from tasks import backfills
from tasks.adapters import forecast
from tasks.adapters.database import connect
from tasks.adapters.templates import render
from tasks.core.money import Estimate
from tasks.core.status import duration


def estimate_page(name: str, estimate: Estimate, needed: float) -> str:
    """Return what a run would send, receive and cost, and how long it may take, as Markdown."""
    with connect() as connection:
        past = forecast.read(connection, backfills.get(name))
    return render(
        "estimate.md",
        name=name,
        estimate=estimate,
        needed=needed,
        forecast=past,
        duration=duration,
    )
