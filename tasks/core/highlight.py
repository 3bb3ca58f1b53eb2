"""A passage with its evidence in bold, safe to stand in a Markdown table."""

from collections.abc import Iterable

from tasks.core.markdown import Markdown, escape

Extent = tuple[int, int]
AROUND = 60
"""Characters of a text that are shown on either side of a quote."""


def merge(spans: Iterable[Extent]) -> list[Extent]:
    """Return the spans in order, those that touch or overlap made one."""
    merged: list[Extent] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def highlight(text: str, spans: Iterable[Extent]) -> Markdown:
    """Return text in one line with every span in bold and nothing else that Markdown reads."""
    pieces: list[str] = []
    last = 0
    for start, end in merge(spans):
        pieces += [escape(text[last:start]), _bold(text[start:end])]
        last = end
    return Markdown("".join([*pieces, escape(text[last:])]))


def excerpts(text: str, spans: Iterable[Extent]) -> Markdown:
    """Return every span in bold, with the text around it, in one line."""
    found = []
    for start, end in merge(spans):
        left, right = max(0, start - AROUND), min(len(text), end + AROUND)
        shown = highlight(text[left:right], [(start - left, end - left)])
        found.append(f"{'…' * (left > 0)}{shown}{'…' * (right < len(text))}")
    return Markdown(" — ".join(found))


def _bold(text: str) -> str:
    """Return text in bold; white space stays outside, where Markdown wants it."""
    inner = text.strip()
    if not inner:
        return escape(text)
    before, after = text[: text.index(inner[0])], text[len(text.rstrip()) :]
    return f"{escape(before)}**{escape(inner)}**{escape(after)}"
