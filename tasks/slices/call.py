"""One request that is asked at once: within rate limits, and with patience until it has a reply."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tasks.adapters import rate_limits
from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.core.errors import AmbiguousError, NoReplyError, QuotaError
from tasks.core.responses import Response, read_body

TRIES = 3

Send = Callable[[str, Mapping[str, object]], dict[str, Any]]


async def reply_to(  # noqa: PLR0913, PLR0917 - whom to ask, what, how, and for how much
    model: str,
    key: str,
    body: Mapping[str, object],
    send: Send,
    tokens: int,
    lost: Callable[[], Awaitable[None]],
) -> Response:
    """Return the reply, or a response that says why there is none; `lost` hears of lost ones.

    Raises RejectedError for a clear no, QuotaError where a quota does not come back in time.
    """
    tried, waited, wait = 0, 0.0, settings().quota_backoff_seconds
    while True:
        await rate_limits.turn(model, tokens)
        try:
            return read_body(key, await in_thread(send)(model, body))
        except QuotaError as error:
            pause = error.retry_after or wait
            waited, wait = waited + pause, wait * 2
            if error.daily or waited > settings().quota_patience_seconds:
                raise
        except AmbiguousError as error:
            if isinstance(error, NoReplyError):
                await lost()
            tried, pause = tried + 1, 2.0**tried
            if tried == TRIES:
                return Response(key, error=(503, str(error)))
        await asyncio.sleep(pause)
