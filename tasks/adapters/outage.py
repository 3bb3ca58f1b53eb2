"""A database that goes away: what it interrupts is done again, for nothing of it was committed."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import psycopg
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 10
"""Each waits for the database as `postgres.connect` does; this is for one that comes and goes."""

_ENDED = ("08", "57P", "25P03", "40")
"""SQLSTATEs of sessions that broke or were ended, and of transactions that gave way to others."""


def _is_outage(error: BaseException) -> bool:
    """Return whether a session ended through no fault of its statements; libpq has no SQLSTATE."""
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(_ENDED)


_again = Retrying(
    retry=retry_if_exception(_is_outage),
    wait=wait_exponential_jitter(initial=0.1, max=5.0),
    stop=stop_after_attempt(TRIES),
    reraise=True,
)


def outlasting(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function, begun again where the database ended its session.

    It is for what may be begun twice: the ledger says what was done, should a commit's reply have
    been lost.
    """

    @wraps(function)
    def begun(*given: P.args, **named: P.kwargs) -> R:
        return _again.copy()(function, *given, **named)

    return begun
