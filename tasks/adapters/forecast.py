"""What earlier jobs and answers of a backfill let one expect of the next."""

from tasks.adapters import queries
from tasks.adapters.database import Connection
from tasks.core.backfill import Backfill
from tasks.core.money import Forecast

_SQL = queries.load("queries/forecast.sql")


def read(connection: Connection, backfill: Backfill) -> Forecast:
    """Return how long jobs took and how much answers varied; without any, nothing is known."""
    version = {"backfill": backfill.name, "extractor_version": backfill.extractor_version}
    jobs = connection.execute(_SQL["past_jobs"], version).fetchone() or {}
    spread = connection.execute(_SQL["token_spread"], version).fetchone() or {}
    return Forecast(
        jobs=jobs["jobs"],
        median_seconds=jobs["median_seconds"],
        slow_seconds=jobs["slow_seconds"],
        few_tokens=spread["few"],
        many_tokens=spread["many"],
    )
