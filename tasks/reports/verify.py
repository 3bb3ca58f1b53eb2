"""Does the user's table hold what it should? Read back row by row, judged in SQL."""

from datetime import UTC, datetime

from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks import backfills
from tasks.adapters import measures
from tasks.adapters.pages import render, show
from tasks.adapters.postgres import Row, connect
from tasks.adapters.stages import in_thread


async def verification(name: str) -> State:
    """Return a completed state that says how many rows are good; show all findings as a report."""
    found = await _find(name)
    now = datetime.now(UTC)
    page = render("verify.md", backfill=backfills.get(name), findings=found, now=now)
    await show(name, "verify", page, f"Rows of {name}")
    return Completed(message=_sentence(found))


@in_thread
def _find(name: str) -> list[Row]:
    with connect() as connection:
        return measures.verify(connection, backfills.get(name))


def _sentence(found: list[Row]) -> str:
    everything = sum(row["targets"] for row in found)
    good = sum(row["targets"] for row in found if row["is_good"])
    lacking = ", ".join(
        f"{row['targets']:,} {row['finding']}" for row in found if not row["is_good"]
    )
    rest = f"; {everything - good:,} do not: {lacking}" if lacking else ""
    return f"{good:,} of {everything:,} rows hold what they should{rest}."
