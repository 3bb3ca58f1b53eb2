"""How long a slice waits for quota, and what it says meanwhile."""

import random
import time

from prefect import get_run_logger

from tasks.adapters.settings import settings
from tasks.core.errors import NoRoomError, QuotaError

LONGEST_PAUSE = 30 * 60.0


class Patience:
    """The waiting of one slice: longer each time, and not for ever."""

    def __init__(self) -> None:
        self._until = time.monotonic() + settings().quota_patience_seconds
        self._wait = settings().quota_backoff_seconds
        self._waits_for_room = False

    def pause(self, error: QuotaError) -> float:
        """Return how many seconds to wait before the next try; raise the error past patience."""
        here = settings()
        if isinstance(error, NoRoomError):
            if error.ours:  # it will end, at its deadline if not before, and make room
                self._until = time.monotonic() + here.quota_patience_seconds
            if not self._waits_for_room:
                get_run_logger().info("%s", error)
            self._waits_for_room = True
            return self._within_patience(min(here.poll_seconds, here.quota_backoff_seconds), error)
        pause = self._within_patience(self._wait, error)
        get_run_logger().warning("%s Trying again in %.0f s.", error, pause)
        self._wait = min(self._wait * 2, LONGEST_PAUSE)
        return pause

    def _within_patience(self, seconds: float, error: QuotaError) -> float:
        pause = seconds * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        if time.monotonic() + pause > self._until:
            raise error
        return pause
