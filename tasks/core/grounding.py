"""Where a quote stands in a passage: half-open spans in Unicode code points.

Three ways, from the surest: the very characters; the same after folding (case, white space, Unicode
form, quotes, dashes, unseen characters); nearly the same, with a score. A changed word is only ever
the last, and an invented quote is nowhere.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from rapidfuzz import fuzz

from tasks.core.folding import Folded, extends, fold

MIN_SCORE = 82.0  # of 100; below it, quotes that nobody wrote begin to match
_MIN_FUZZY = 12  # folded characters; shorter quotes resemble too much by chance
_MAX_FUZZY = 2_000
_WHOLE = 20_000  # characters searched as a whole; of longer texts only the likely windows
_ANCHORS = 4  # rarest-looking words of a quote that mark these windows
_PLACES = 16  # windows per anchor
_OCCURRENCES = 1_000  # places of a repeated quote that are weighed against a hint


class Match(StrEnum):
    """How a quote was found; the values stand in the evidence."""

    EXACT = "exact"
    NORMALISED = "normalised"
    APPROXIMATE = "approximate"


class Span(NamedTuple):
    """A quote's place: the passage's [start, end), how it matched, and how well out of 100."""

    start: int
    end: int
    match: Match
    score: float


class Text:
    """One passage to look things up in; whatever is costly is done once, when first needed."""

    def __init__(self, passage: str) -> None:
        self.passage = passage

    @cached_property
    def _folded(self) -> Folded:
        return Folded(self.passage)

    def find(self, quote: str, near: int | None = None) -> Span | None:
        """Return where the quote stands, or None where it does not.

        Whole words are preferred; of equals the one nearest to `near`, else the first.
        """
        quote = quote.strip()
        if len(quote) < 2:  # noqa: PLR2004 - a single character proves nothing
            return None
        start = self.passage.find(quote)
        if start >= 0:
            return self._exact(quote, start, near)
        wanted = fold(quote)
        if len(wanted) < 2:  # noqa: PLR2004 - likewise
            return None
        return self._find_folded(wanted, near) or self._find_similar(wanted)

    def _exact(self, quote: str, first: int, near: int | None) -> Span:
        passage, start, end = self.passage, first, first + len(quote)
        # Of places after the hint the first is the nearest.
        if not ((near is None or near < end) and _is_whole(passage, first, end)):
            start = _place(passage, quote, near)
        return Span(start, start + len(quote), Match.EXACT, 100.0)

    def _find_folded(self, wanted: str, near: int | None) -> Span | None:
        folded = self._folded
        if near is None:
            start = _place(folded.text, wanted, None)
        else:
            start = _place(folded.text, wanted, near, folded.source)
        if start < 0:
            return None
        first, last = self._source(start, start + len(wanted))
        if folded.plain or fold(self.passage[first:last]) == wanted:
            return Span(first, last, Match.NORMALISED, 100.0)
        return None

    def _find_similar(self, wanted: str) -> Span | None:
        if not _MIN_FUZZY <= len(wanted) <= _MAX_FUZZY:
            return None
        text = self._folded.text
        best = max(_alignments(wanted, text), default=None)
        if best is None:
            return None
        _, start, end = best
        start, end = _trimmed(text, _snapped_start(text, -start), _snapped_end(text, end))
        score = fuzz.ratio(wanted, text[start:end])
        if score < MIN_SCORE:
            return None
        return Span(*self._source(start, end), Match.APPROXIMATE, round(score, 1))

    def _source(self, start: int, end: int) -> tuple[int, int]:
        """Return a folded span's place in the passage, with the marks that belong to its end."""
        passage = self.passage
        first, last = self._folded.source(start), self._folded.source(end - 1) + 1
        while last < len(passage) and passage[last] > "\x7f" and extends(passage[last]):
            last += 1
        return first, last


def _same(place: int) -> int:
    return place


def _place(text: str, wanted: str, near: int | None, source: Callable[[int], int] = _same) -> int:
    """Return where `wanted` stands in the text, or -1."""
    first = text.find(wanted)
    if first < 0:
        return first
    is_alone = near is None or text.find(wanted, first + 1) < 0
    if is_alone and _is_whole(text, first, first + len(wanted)):
        return first
    best, best_rank = first, (2, 0)
    for start in _occurrences(text, wanted, first):
        outside = not _is_whole(text, start, start + len(wanted))
        distance = 0 if near is None else _distance(near, source(start), len(wanted))
        if (rank := (int(outside), distance)) < best_rank:
            best, best_rank = start, rank
        if best_rank == (0, 0):
            break
    return best


def _occurrences(text: str, wanted: str, start: int) -> Iterator[int]:
    for _ in range(_OCCURRENCES):
        if start < 0:
            return
        yield start
        start = text.find(wanted, start + 1)


def _distance(near: int, start: int, length: int) -> int:
    return max(start - near, near - (start + length - 1), 0)


def _is_whole(text: str, start: int, end: int) -> bool:
    """Say whether [start, end) neither begins nor ends inside a word."""
    return not (
        (start > 0 and text[start - 1].isalnum() and text[start].isalnum())
        or (end < len(text) and text[end].isalnum() and text[end - 1].isalnum())
    )


def _alignments(wanted: str, text: str) -> Iterator[tuple[float, int, int]]:
    """Yield (score, -start, end) of each window's best place, so that max prefers the first."""
    for left, right in _windows(wanted, text):
        found = fuzz.partial_ratio_alignment(wanted, text[left:right], score_cutoff=MIN_SCORE)
        if found is not None and found.dest_end - found.dest_start >= len(wanted) // 2:
            yield found.score, -(left + found.dest_start), left + found.dest_end


def _windows(wanted: str, text: str) -> Iterator[tuple[int, int]]:
    if len(text) <= _WHOLE:
        yield 0, len(text)
        return
    seen: set[int] = set()
    for word in sorted(set(wanted.split()), key=lambda word: (-len(word), word))[:_ANCHORS]:
        place = text.find(word)
        for _ in range(_PLACES):
            if place < 0:
                break
            left = max(0, place - len(wanted) - len(word))
            if left not in seen:
                seen.add(left)
                yield left, min(len(text), place + 2 * len(wanted))
            place = text.find(word, place + 1)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] == " ":
        start += 1
    while start < end and text[end - 1] == " ":
        end -= 1
    return start, end


def _snapped_start(text: str, place: int) -> int:
    """Return the nearest beginning of a word."""
    left = right = place
    while left > 0 and text[left - 1].isalnum() and text[left].isalnum():
        left -= 1
    while right < len(text) and (not text[right].isalnum() or _inside(text, right)):
        right += 1
    return left if place - left <= right - place else right


def _inside(text: str, place: int) -> bool:
    return place > 0 and text[place - 1].isalnum() and text[place].isalnum()


def _snapped_end(text: str, place: int) -> int:
    """Return the nearest end of a word."""
    left = right = place
    while right < len(text) and _inside(text, right):
        right += 1
    while left > 0 and (not text[left - 1].isalnum() or (left < len(text) and _inside(text, left))):
        left -= 1
    return right if right - place <= place - left else left
