"""Room for one more batch job, counted in the ledger and at the service."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile

from tasks.adapters.gemini import gemini
from tasks.adapters.ledger import slices
from tasks.adapters.postgres import Connection, statements
from tasks.adapters.reference import models
from tasks.adapters.settings import settings
from tasks.core.errors import ModelApiError
from tasks.core.identity import lock_key
from tasks.core.models import WITH_OUTPUT, WITHOUT_OUTPUT, BatchJob, Slice
from tasks.core.slicing import JobInFlight, RoomLimits, WantedJob, require_room

LISTING_SECONDS = 5.0
"""How long a listing is good for: what we create in the meantime, the ledger knows."""

MOST_SECONDS = 20
"""How long a process may stand still between two statements of a reservation."""

_SQL = statements("queries/room.sql")
_ENDED_BY_NOW = timedelta(days=3)
"""The service ends every job within 48 h, and lists the newest first."""


def enqueued_tokens(model: str) -> int | None:
    """Return how many tokens may wait in batch jobs of a model; None when nobody has said."""
    here = settings()
    if here.enqueued_tokens is not None or here.tier is None:
        return here.enqueued_tokens
    return enqueued_at(model, here.tier)


def enqueued_at(model: str, tier: int) -> int | None:
    """Return what the table says, or takes from a relative of the model, of a tier from 1 to 3."""
    if model not in models().models:
        return None
    limits, _ = models().enqueued(model)
    return limits[tier - 1] if limits else None


class Listing:
    """The jobs at the service that may be active, asked for once by all who want to submit."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._jobs: list[BatchJob] = []
        self._asked = float("-inf")

    def jobs(self) -> list[BatchJob]:
        """Return the recent jobs; those of the last listing when the service does not answer."""
        with self._guard:
            life = min(LISTING_SECONDS, settings().poll_seconds)
            if time.monotonic() - self._asked > life:
                self._ask()
            return self._jobs

    def _ask(self) -> None:
        try:
            self._jobs = _recent(gemini().list_jobs())
        except ModelApiError:
            return  # the ledger is counted all the same, and the service has the last word
        self._asked = time.monotonic()


def enter(connection: Connection) -> None:
    """Wait until nobody else reserves room, for whatever model: jobs are limited over all.

    A process that stands still here is put out, so that it holds up nobody for long.
    """
    connection.execute(_SQL["enter"], {"key": lock_key("room"), "most": f"{MOST_SECONDS}s"})


def require(connection: Connection, the_slice: Slice, listed: list[BatchJob]) -> None:
    """Return if the slice's job fits beside all others; raise NoRoomError or TooLargeError."""
    limits = RoomLimits(enqueued_tokens(the_slice.model), settings().jobs_in_flight)
    wanted = WantedJob(
        the_slice.slice_id,
        the_slice.model,
        the_slice.estimated_input_tokens,
        -(-the_slice.request_count // the_slice.rows_per_request),
    )
    ratio = slices.counted_per_guess(connection, the_slice.model, the_slice.rows_per_request)
    require_room(wanted, _active(connection, listed), limits, ratio)


def _active(connection: Connection, listed: list[BatchJob]) -> list[JobInFlight]:
    """Return what is in flight: ours unless the service says it has ended, and all others'."""
    ended = {job.name for job in listed if job.state in WITH_OUTPUT | WITHOUT_OUTPUT}
    ours = slices.in_flight(connection)
    names = {the_slice.display_name for the_slice in ours}
    mine = [
        JobInFlight(the_slice.model, the_slice.estimated_input_tokens, the_slice.request_count)
        for the_slice in ours
        if the_slice.job_name not in ended
    ]
    others = [
        JobInFlight(job.model or "", None, int(job.stats.get("requestCount", 0)))
        for job in listed
        if job.name not in ended and job.display_name not in names
    ]
    return [*mine, *others]


def _recent(jobs: Iterator[BatchJob]) -> list[BatchJob]:
    newest = next(jobs, None)
    if newest is None or newest.create_time is None:
        return [newest, *jobs] if newest else []
    since = newest.create_time - _ENDED_BY_NOW
    return [newest, *takewhile(lambda job: not job.create_time or job.create_time > since, jobs)]


listing = Listing()
"""This process's."""
