"""Where a quote stands in a passage: half-open spans in Unicode code points.

Four ways, from the surest: the very characters; the same after folding (case, white space, Unicode
form, quotes, dashes, unseen characters, vowel marks that most texts leave out); the same first and
last words, where a quote says no others; nearly the same, with a score, from the quote's first word
to its last. A changed word is only ever the last; an invented quote is nowhere, nor is one that has
the passage's own words in another order.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from tasks.core.bare import Bare, Remarks, bare, marks_around, remarks, whole_entity
from tasks.core.folding import Folded, fold
from tasks.core.graphemes import Cut, changes_a_letter, cut_of, extends, is_word, width
from tasks.core.similar import (
    MIN_SCORE,
    Place,
    by_its_ends,
    has_a_new_word,
    is_reordered,
    most_similar,
    resembles,
)

__all__ = ["MAX_FUZZY", "MIN_FUZZY", "MIN_SCORE", "Match", "Span", "Text"]

MIN_FUZZY = 12  # columns of folded text; shorter quotes resemble too much by chance
_MIN_BARE = 6  # likewise, of quotes that are whole but for remarks and marks
MAX_FUZZY = 2_000
_ALMOST = 99.0  # the most that a quote is worth which is neither the same nor folds to it
_LEFT_OUT = re.compile(r"(?<!\s)\s++\[?(?:…|\.{3})\]?\s+")
_MOST_BY_ENDS = 400  # characters from a quote's first word to its last, where none between is said
_AS_BLANKS = dict.fromkeys(map(ord, "\t\n\r"), " ")
_WORDS_AT_ENDS = 3  # fewer stand by chance in one order or the other
_OCCURRENCES = 1_000  # places of a repeated quote that are weighed against a hint


class Match(StrEnum):
    """How a quote was found; the values stand in the evidence."""

    EXACT = "exact"
    NORMALISED = "normalised"
    BY_ITS_ENDS = "by its ends"
    APPROXIMATE = "approximate"


_EXACT = Match.EXACT  # looked up once: most quotes are


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

    @cached_property
    def _made(self) -> dict[tuple[Remarks, frozenset[str]], Bare]:
        return {}

    def find(self, quote: str, near: int | None = None) -> Span | None:
        """Return where the quote stands, or None where it does not.

        Whole words are preferred; of equals the one nearest to `near`, else the first.
        """
        return self.find_alone(quote) or self._find_among(quote.strip(), near)

    def find_alone(self, quote: str) -> Span | None:
        """Return where the very characters stand if they do so once, and are whole words."""
        quote, passage = quote.strip(), self.passage
        start = passage.find(quote)
        if start < 0:
            return self._find_ends_alone(_LEFT_OUT.split(quote))
        if len(quote) < 2 or passage.find(quote, start + 1) >= 0:  # noqa: PLR2004 - one letter proves nothing
            return None
        end = start + len(quote)
        return None if cut_of(passage, start, end) else Span(start, end, _EXACT, 100.0)

    def _find_ends_alone(self, ends: Sequence[str]) -> Span | None:
        """Return the same of first and last words, of which the first stand there once."""
        if not _are_ends(ends):
            return None
        (first, last), text = ends, self.passage.translate(_AS_BLANKS)
        start = text.find(first)
        other = text.find(last, start + len(first), start + _MOST_BY_ENDS)
        if min(start, other) < 0 or text.find(first, start + 1) >= 0:
            return None
        end = other + len(last)
        is_cut = _LEFT_OUT.search(text, start, end) or cut_of(text, start, end)
        return None if is_cut else Span(start, end, Match.BY_ITS_ENDS, 100.0)

    def _find_among(self, quote: str, near: int | None) -> Span | None:
        if _proves_nothing(quote):
            return None
        if quote in self.passage:
            return self._best_exact(quote, near)
        wanted = fold(quote)
        if _proves_nothing(wanted):
            return None
        found = self._find_folded(wanted, near) or self._find_by_ends(quote, near)
        return found or self._find_similar(wanted, near)

    def hint(self, surface: str) -> int | None:
        """Return where a concept's own words stand, for its quotes to be near them, or None."""
        start = _place(self.passage, surface, None)
        if start >= 0:
            return start
        wanted = fold(surface)
        start = _place(self._folded.text, wanted, None) if wanted else -1
        return self._folded.source(start) if start >= 0 else None

    def _best_exact(self, quote: str, near: int | None) -> Span | None:
        """Return the best place of a quote that stands there; none if that changes a letter."""
        passage = self.passage
        start = _place(passage, quote, near)
        exact = Span(start, start + len(quote), Match.EXACT, 100.0)
        if cut_of(passage, *exact[:2]) is not Cut.A_LETTER:
            return exact
        wanted = fold(quote)
        if _proves_nothing(wanted):  # marks without their letter
            return None
        folded = self._find_folded(wanted, near)
        if folded is not None and (
            folded.end - folded.start > len(quote)
            or cut_of(passage, *folded[:2]) is not Cut.A_LETTER
        ):
            return folded
        if not any(changes_a_letter(passage, end) for end in exact[:2]):
            return exact
        return self._find_similar(wanted, near)

    def _find_folded(self, wanted: str, near: int | None) -> Span | None:
        folded = self._folded
        start = _place(folded.text, wanted, near, folded.source)
        if start < 0:
            return None
        first, last = self._source(start, start + len(wanted))
        if folded.plain or fold(self.passage[first:last]) == wanted:
            return Span(first, last, Match.NORMALISED, 100.0)
        return None

    def _find_by_ends(self, quote: str, near: int | None) -> Span | None:
        """Return where a quote stands that says its first and its last words alone."""
        ends = [fold(end) for end in _LEFT_OUT.split(quote)]
        if not _are_ends(ends):
            return None
        first, last = ends
        folded, text = self._folded, self._folded.text
        distance = _distance_to(near, len(first), folded.source)
        found = []
        for start in _occurrences(text, first, text.find(first)):
            other = text.find(last, start + len(first), start + _MOST_BY_ENDS)
            end = other + len(last)
            if other >= 0 and (cut := cut_of(text, start, end)) is not Cut.A_LETTER:
                found.append((cut, distance(start), end - start, start, end))
        if not found:
            return None
        return Span(*self._source(*min(found)[3:]), Match.BY_ITS_ENDS, 100.0)

    def _find_similar(self, wanted: str, near: int | None) -> Span | None:
        folded = self._folded
        if width(wanted) < _MIN_BARE or not resembles(wanted, folded.text):
            return None
        # What has no new word may be whole but for what was left out, and that is surer.
        found = None
        if MIN_FUZZY <= len(wanted) <= MAX_FUZZY and has_a_new_word(wanted, folded.text):
            distance = _distance_to(near, len(wanted), folded.source)
            found = by_its_ends(wanted, folded.text, distance)
        found = found or self._find_bare(wanted, near)
        if found is None or is_reordered(wanted, folded.text, found.start, found.end):
            return None
        return self._approximate(*found)

    def _find_bare(self, wanted: str, near: int | None) -> Place | None:
        """Return where the quote stands if neither marks count nor remarks that it lacks."""
        needle = bare(wanted)
        if (columns := width(needle)) < _MIN_BARE:
            return None
        texts = self._bares(remarks(wanted))
        for text in texts:
            start = _place(text.text, needle, near, self._way_back(text))
            end = start + len(needle)
            if start >= 0 and not cut_of(text.text, start, end):
                return self._of_bare(text, wanted, Place(_ALMOST, start, end))
        if columns < MIN_FUZZY or len(needle) > MAX_FUZZY:
            return None
        best: tuple[Place, Bare] | None = None
        for text in texts:
            distance = _distance_to(near, len(needle), self._way_back(text))
            found = most_similar(needle, text.text, distance)
            if found and (best is None or found.score > best[0].score):
                best = found, text
        return best and self._of_bare(best[1], wanted, best[0])

    def _bares(self, kept: frozenset[str]) -> list[Bare]:
        """Return the passage without marks: with the fewest remarks first, with all last."""
        several: dict[str, Bare] = {}
        for without in Remarks:
            key = (without, frozenset() if without is Remarks.NONE else kept)
            if key not in self._made:
                self._made[key] = Bare(self._folded.text, *key)
            several.setdefault(self._made[key].text, self._made[key])
        return list(several.values())

    def _way_back(self, text: Bare) -> Callable[[int], int]:
        return lambda place: self._folded.source(text.source(place))

    def _of_bare(self, text: Bare, wanted: str, place: Place) -> Place:
        """Return a bare text's place in the folded one, with the marks at the quote's own ends."""
        start, end = text.source(place.start), text.source(place.end - 1) + 1
        before, after = marks_around(wanted)
        if self._folded.text.startswith(before, max(0, start - len(before))):
            start = max(0, start - len(before))
        if self._folded.text.startswith(after, end):
            end += len(after)
        return Place(place.score, start, end)

    def _approximate(self, score: float, start: int, end: int) -> Span:
        first, last = self._source(start, end)
        last = whole_entity(self.passage, last)
        return Span(first, last, Match.APPROXIMATE, round(min(score, _ALMOST), 1))

    def _source(self, start: int, end: int) -> tuple[int, int]:
        """Return a folded span's place in the passage, with the marks that belong to its end."""
        passage = self.passage
        first, last = self._folded.source(start), self._folded.source(end - 1) + 1
        while last < len(passage) and passage[last] > "\x7f" and extends(passage[last]):
            last += 1
        return first, last


def _are_ends(said: Sequence[str]) -> bool:
    """Say whether these are a quote's first and last words."""
    return len(said) == 2 and all(len(end.split()) >= _WORDS_AT_ENDS for end in said)  # noqa: PLR2004


def _proves_nothing(text: str) -> bool:
    """Say whether a text is one letter, or less: it stands everywhere."""
    return len(text) < 2 and not is_word(text)  # noqa: PLR2004


def _same(place: int) -> int:
    return place


def _place(text: str, wanted: str, near: int | None, source: Callable[[int], int] = _same) -> int:
    """Return where `wanted` stands in the text, or -1."""
    first = text.find(wanted)
    if first < 0:
        return first
    is_alone = near is None or text.find(wanted, first + 1) < 0
    if is_alone and not cut_of(text, first, first + len(wanted)):
        return first
    distance = _distance_to(near, len(wanted), source)
    best, best_rank = first, (len(Cut), 0)
    for start in _occurrences(text, wanted, first):
        rank = (int(cut_of(text, start, start + len(wanted))), distance(start))
        if rank < best_rank:
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


def _distance_to(
    near: int | None, length: int, source: Callable[[int], int]
) -> Callable[[int], int]:
    """Return what says how far a span that begins at a place is from the hint."""
    if near is None:
        return lambda _: 0

    def distance(start: int) -> int:
        place = source(max(0, start))
        return max(place - near, near - (place + length - 1), 0)

    return distance
