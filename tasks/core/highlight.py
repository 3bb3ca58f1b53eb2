"""A passage with its evidence in bold, safe to stand in a Markdown table."""

import re
from collections.abc import Iterable

Extent = tuple[int, int]
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_SPACE = re.compile(r"\s+")


def merge(spans: Iterable[Extent]) -> list[Extent]:
    """Return the spans in order, those that touch or overlap made one."""
    merged: list[Extent] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def highlight(text: str, spans: Iterable[Extent]) -> str:
    """Return text in one line with every span in bold and nothing else that Markdown reads."""
    pieces: list[str] = []
    last = 0
    for start, end in merge(spans):
        pieces += [escape(text[last:start]), _bold(text[start:end])]
        last = end
    return "".join([*pieces, escape(text[last:])])


def escape(text: str) -> str:
    """Return text in one line with every character that Markdown reads made plain."""
    return _SPECIAL.sub(r"\\\1", _SPACE.sub(" ", text))


def _bold(text: str) -> str:
    """Return text in bold; white space stays outside, where Markdown wants it."""
    inner = text.strip()
    if not inner:
        return escape(text)
    before, after = text[: text.index(inner[0])], text[len(text.rstrip()) :]
    return f"{escape(before)}**{escape(inner)}**{escape(after)}"
