"""The service's no, in its own words: what a job was refused for, when to come again."""

import re
from collections.abc import Sequence
from typing import Any

from tasks.core.ends import CommonRefusal

# "Error on line 3: invalid JSON, near column 23: ..." (the Gemini API, on creating a job)
_LINE = re.compile(r"\berror on line (\d{1,9})\b", re.IGNORECASE)
_SIZE = re.compile(
    r"too (?:large|big)|(?:payload|file|request|batch|input) size"
    r"|exceeds the (?:maximum|limit|size)",
    re.IGNORECASE,
)
# A 429 of the interactive API
_DELAY = re.compile(r"^([0-9]+(?:\.[0-9]+)?)s$")
_IN_WORDS = re.compile(r"retry in ([0-9]+(?:\.[0-9]+)?)s", re.IGNORECASE)
# "Please update your code to use models/gemini-3.5-flash-lite" (a model closed to new keys)
_SUCCESSOR = re.compile(r"\buse (?:models/)?(gemini-[a-z0-9]+(?:[.-][a-z0-9]+)*)")
# A suspended key's refusal names it after "api_key:".
_KEY = re.compile(r"(?<=api_key:)[^\s']+|AIza[\w-]{20,}")
_PAYLOAD_TOO_LARGE = 413
_SHOWN_AT_LEAST = 5
# PERMISSION_DENIED, UNAUTHENTICATED
_ABOUT_THE_KEY = {7, 16, 401, 403}


def named_lines(message: str) -> tuple[int, ...]:
    """Return the numbers, from 1, of the request lines that a refusal names, each once."""
    return tuple(sorted({int(number) for number in _LINE.findall(message)}))


def is_about_size(code: int | None, message: str) -> bool:
    """Return whether a smaller job may be accepted."""
    return code == _PAYLOAD_TOO_LARGE or (code == 400 and bool(_SIZE.search(message)))  # noqa: PLR2004


def without_key(message: str) -> str:
    """Return the service's words without the key that some of its refusals repeat."""
    return _KEY.sub("…", message)


def about_access(code: int | None, body: object, said: str) -> str | None:
    """Return what a refusal means for the key and what to do, or None: it is about something else.

    A wrong key is answered with 400, not 401.
    """
    reasons = {str(detail.get("reason")) for detail in _details(_error(body))}
    if code == 401 or "API_KEY_INVALID" in reasons or "api key not valid" in said.lower():  # noqa: PLR2004
        return (
            f"The Gemini API does not accept the key ({said}): make one in AI Studio"
            " (https://aistudio.google.com/apikey), export it as GEMINI_API_KEY for the worker,"
            " and run again."
        )
    if code != 403:  # noqa: PLR2004
        return None
    if "SERVICE_DISABLED" in reasons or "it is disabled" in said:
        return (
            f"The Gemini API is not enabled for the key's project ({said}): enable the Generative"
            " Language API there, or take a key that AI Studio made, and run again."
        )
    return (
        f"The key may not ask this ({said}): see in AI Studio whether it or its project is blocked,"
        " or restricted to other services or addresses, or take another key, and run again."
    )


def another_model(name: str, said: str) -> str:
    """Return what to write where a backfill's model is not there for this key."""
    named = _SUCCESSOR.search(said)
    line = f'write model = "{named[1]}"' if named else "write a line with another model"
    return (
        f"{line} in [{name}] of backfills.toml (tasks/models.toml has the models, and says which"
        " are open to new keys) and run again; a new extractor_version is needed only if answers"
        " exist under the present one."
    )


def another_embedding(name: str) -> str:
    """Return what to write where the model of a backfill's vectors is not there."""
    return (
        f"name another model in the Embedding of the module that declares {name}, under a new"
        " extractor_version, and run again."
    )


def all_alike(name: str, model: str, count: int, said: str) -> str:
    """Return what it means that requests are refused alike, and none is answered."""
    requests = "a request" if count == 1 else f"{count} requests"
    return (
        f"{said.rstrip('.')}: it did so with {requests} to '{model}' alike, and answered none in"
        " between, so mend what all have in common (model, thinking, schema, temperature, output"
        f" limit) in [{name}] of backfills.toml or in its module, and run again."
    )


def is_particular(lines: Sequence[int], requests: int) -> bool:
    """Return whether a few lines are at fault, rather than what all lines have in common.

    The service names the first few wrong lines only, so where it names several it has perhaps
    looked no further than the last of them.
    """
    if len(lines) <= 1:
        return len(lines) == 1
    looked_at = requests if len(lines) < _SHOWN_AT_LEAST else min(requests, lines[-1])
    return len(lines) * 2 <= looked_at


def refused_together(name: str, model: str, refusal: CommonRefusal, *, is_vector: bool) -> str:
    """Return the sentence of a run that stops because all its requests are refused alike."""
    return (
        f"{model} refuses the requests of {name} for what they have in common"
        f" ({refusal.lines:,} of {refusal.requests:,} lines with error {refusal.code}:"
        f" {refusal.message.rstrip('.')}): {_what_to_write(name, refusal.code, is_vector)}, and run"
        " again; nothing was paid for them, and they stay planned."
    )


def _what_to_write(name: str, code: int, is_vector: bool) -> str:  # noqa: FBT001 - the caller's word
    if code in _ABOUT_THE_KEY:
        return "give the worker a key that may use this model, or name another model"
    if is_vector:
        return (
            f"name another model in the embedding of {name}'s declaration, or set"
            " BACKFILL_EMBEDDING_FORM=fields where embedContentConfig is what it refuses"
        )
    return (
        f'write model = "..." and a new extractor_version into [{name}] of backfills.toml, or mend'
        " what the declaration sends"
    )


def retry_after(body: object) -> float | None:
    """Return the seconds of google.rpc.RetryInfo, else those in the message, else None."""
    error = _error(body)
    for detail in _details(error):
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and (found := _DELAY.match(delay)):
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
