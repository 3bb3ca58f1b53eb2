"""From a verdict on a response to the end of a target."""

from typing import Any

from tasks.core.answers import Answered, Refused
from tasks.core.backfill import Target
from tasks.core.joining import Reply
from tasks.core.outcomes import End, Outcome


def best_verdict(
    verdict: Answered[Any] | Refused[Any], *, is_last: bool
) -> Answered[Any] | Refused[Any]:
    """Return the verdict; at the last attempt, what could be read of an answer cut off instead."""
    if isinstance(verdict, Refused) and verdict.salvaged and is_last:
        return verdict.salvaged
    return verdict


def written_or_empty(
    target: Target, reply: Reply[Any], answered: Answered[Any], rows: int
) -> Outcome:
    """Return the end of a target whose answer became so many rows."""
    note = "lost_items" if answered.lost_items else "repaired" if answered.repaired else None
    return _end(target, reply, End.WRITTEN if rows else End.EMPTY, note)


def bad_end(target: Target, reply: Reply[Any], why: Refused[Any]) -> Outcome:
    """Return the end of a target whose answer cannot be used, with the raw text for a person."""
    return _end(target, reply, End.BAD, str(why.reason), why.detail)


def _end(
    target: Target, reply: Reply[Any], end: End, reason: str | None, detail: str | None = None
) -> Outcome:
    response = reply.response
    if response is None:
        return Outcome(target.doc_id, end, reason, detail)
    return Outcome(
        target.doc_id,
        end,
        reason,
        detail,
        input_tokens=response.usage.input_tokens,
        output_tokens=response.usage.output_tokens + response.usage.thought_tokens,
        model_version=response.model_version,
        raw=response.text if end is End.BAD else None,
    )
