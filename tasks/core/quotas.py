"""What a 429 of the interactive API says: when to come again, and whether today at all."""

import re
from typing import Any

_SECONDS = re.compile(r"^([0-9]+(?:\.[0-9]+)?)s$")
_IN_WORDS = re.compile(r"retry in ([0-9]+(?:\.[0-9]+)?)s", re.IGNORECASE)


def retry_after(body: object) -> float | None:
    """Return the seconds of google.rpc.RetryInfo, else those in the message, else None."""
    error = _error(body)
    for detail in _details(error):
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and (found := _SECONDS.match(delay)):
            return float(found[1])
    found = _IN_WORDS.search(str(error.get("message", "")))
    return float(found[1]) if found else None


def is_daily(body: object) -> bool:
    """Return whether a quota of the day is used up: its quotaId says PerDay."""
    violations = [
        violation
        for detail in _details(_error(body))
        for violation in detail.get("violations") or ()
        if isinstance(violation, dict)
    ]
    return any("PerDay" in str(violation.get("quotaId")) for violation in violations)


def _error(body: object) -> dict[str, Any]:
    error = body.get("error", body) if isinstance(body, dict) else {}
    return error if isinstance(error, dict) else {}


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
