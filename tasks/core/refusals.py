"""What a refused batch job was refused for, from the service's own words."""

import re
from collections.abc import Sequence

# "Error on line 3: invalid JSON, near column 23: ..." (the Gemini API, on creating a job)
_LINE = re.compile(r"\berror on line (\d{1,9})\b", re.IGNORECASE)
_SIZE = re.compile(
    r"too (?:large|big)|(?:payload|file|request|batch|input) size"
    r"|exceeds the (?:maximum|limit|size)",
    re.IGNORECASE,
)
_PAYLOAD_TOO_LARGE = 413
_SHOWN_AT_LEAST = 5


def named_lines(message: str) -> tuple[int, ...]:
    """Return the numbers, from 1, of the request lines that a refusal names, each once."""
    return tuple(sorted({int(number) for number in _LINE.findall(message)}))


def is_about_size(code: int | None, message: str) -> bool:
    """Return whether a smaller job may be accepted."""
    return code == _PAYLOAD_TOO_LARGE or (code == 400 and bool(_SIZE.search(message)))  # noqa: PLR2004


def is_particular(lines: Sequence[int], requests: int) -> bool:
    """Return whether a few lines are at fault, rather than what all lines have in common.

    The service names the first few wrong lines only, so where it names several it has perhaps
    looked no further than the last of them.
    """
    if len(lines) <= 1:
        return len(lines) == 1
    looked_at = requests if len(lines) < _SHOWN_AT_LEAST else min(requests, lines[-1])
    return len(lines) * 2 <= looked_at
