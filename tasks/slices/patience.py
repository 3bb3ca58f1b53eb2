"""A run's waiting for a service that fails at requests which it took: longer each time."""

import asyncio
import random
from collections.abc import Sequence
from typing import NamedTuple

from prefect import get_run_logger

from tasks import backfills
from tasks.adapters.ledger import checkpoint
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.answers import BadReason
from tasks.core.errors import ModelApiError, QuotaError, UnavailableError
from tasks.slices.batch import LONGEST_PAUSE


class Unanswered(NamedTuple):
    """A request that was not answered, at no cost: why, and in the service's words."""

    reason: str
    detail: str


class Again(NamedTuple):
    """What is asked again: so many targets, of which some were not answered for no fault of theirs.

    Their request says nothing of an answer, so they wait, and it counts as no try.
    """

    targets: int = 0
    unanswered: Sequence[Unanswered] = ()


FEW = 10
"""So few requests that the service fails at, while it answers others, are not worth a whole run."""

ROUNDS_FOR_FEW = 4


class Patience:
    """Waits before unanswered requests go out again; it begins anew when they become fewer."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waited = 0.0
        self._rounds = 0
        self._pause = settings().quota_backoff_seconds
        self._last = 0

    @property
    def left_alone(self) -> int:
        """Return below how many requests that the service fails at are left to the next run."""
        return FEW if self._rounds >= ROUNDS_FOR_FEW else 0

    async def wait(self, again: Again) -> ModelApiError | None:
        """Return when it is time; past patience at once, with what ends the run."""
        waiting, before = len(again.unanswered), self._last
        self._last = waiting
        if waiting < before:
            self._begin_anew()
        if not waiting:
            return None
        pause = self._pause * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        if self._waited + pause > settings().quota_patience_seconds:
            return self._error(again.unanswered)
        get_run_logger().warning(
            "%d requests were not answered (%s): they are asked again in %.0f s.",
            waiting,
            again.unanswered[0].detail,
            pause,
        )
        await self._say("waiting", again.unanswered[0].detail)
        await asyncio.sleep(pause)
        await self._say("running", None)
        self._rounds += 1
        self._waited += pause
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        return None

    @in_thread
    def _say(self, status: checkpoint.Status, why: str | None) -> None:
        with connect() as connection:
            checkpoint.say(connection, backfills.get(self._name), status, notes=why)

    def _begin_anew(self) -> None:
        self._waited, self._rounds = 0.0, 0
        self._pause = settings().quota_backoff_seconds

    def _error(self, unanswered: Sequence[Unanswered]) -> ModelApiError:
        reason, detail = unanswered[0]
        is_quota = reason == BadReason.NO_QUOTA
        kind: type[ModelApiError] = QuotaError if is_quota else UnavailableError
        return kind(
            f"The service {'had no quota for' if is_quota else 'failed at'} {len(unanswered):,}"
            f" requests again and again, over {self._waited:,.0f} s of waiting ({detail}): they"
            " stay planned and nothing was paid for them, so run again later."
        )
