"""A deterministic estimate of tokens: about four characters each."""

from collections.abc import Iterable, Mapping
from typing import Any

from deployments.local.emulator.spelling import get

Json = Mapping[str, Any]


def of(text: str) -> int:
    """Return the tokens of a text; an empty one has none."""
    return (len(text) + 3) // 4


def cut(text: str, count: int) -> str:
    """Return the first so many tokens of a text."""
    return text[: count * 4]


def of_contents(contents: Iterable[Json] | Json | None) -> int:
    """Return the tokens of Content objects."""
    if not contents:
        return 0
    several = [contents] if isinstance(contents, Mapping) else contents
    return sum(of(part.get("text") or "") for c in several for part in c.get("parts") or ())


def of_request(request: Json) -> int:
    """Return the input tokens of a generate or an embed request."""
    return (
        of_contents(request.get("contents"))
        + of_contents(request.get("content"))
        + of_contents(get(request, "systemInstruction"))
    )


def detail(count: int) -> list[dict[str, object]]:
    """Return a count as the details list of usage metadata."""
    return [{"modality": "TEXT", "tokenCount": count}]
