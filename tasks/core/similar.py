"""Where a text says nearly what a quote says.

Pieces of the quote that stand in the text unchanged mark the likely places; they are n-grams of
characters, which every script has. There the quote's ends are looked for, and only where one of
them is changed too, what lies between is aligned.
"""

from collections.abc import Callable, Sequence
from string import punctuation
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from tasks.core.bare import bare
from tasks.core.graphemes import ANY_WITHOUT_BLANKS, cut_at, cut_of, width

MIN_SCORE = 82.0  # of 100; below it, quotes that nobody wrote begin to match
_MIN_WINDOW = 60.0  # of a window as long as the quote, before it reaches to the quote's ends
_SIZES = (32, 16, 8, 4)  # of pieces
_LEAST_SHARE = 4  # pieces of the least size must make up a quarter of the quote
_PLACES = 16  # per piece; one that is more frequent marks nothing
_WINDOWS = 8  # looked into per size
_END = 8  # characters at either end of a quote that find the span's ends
_NEAR = 12  # characters from where it should be, within which an end's first word is enough
_PIECE, _LEAST_PIECES = 6, 6  # of the pieces of this size one in so many is in any text worth it
_LENGTH_COSTS = 0.3  # of a character matched; it holds back ends that match by chance
_BY_CHANCE = 1  # columns of what stands in any text
_AROUND = 10_000  # characters on either side of a span that its words may have been moved from


class Place(NamedTuple):
    """A span of the text, and how well it matched out of 100."""

    score: float
    start: int
    end: int


_Hit = tuple[int, int]
"""A piece of the quote in the text: where the quote would begin, and the piece's offset."""

Distance = Callable[[int], int]
"""Returns how far a place is from where it is hoped for."""


def by_its_ends(wanted: str, text: str, distance: Distance) -> Place | None:
    """Return the most similar place that has the quote's very ends, of equals the nearest."""
    return _most_similar(wanted, text, distance, _between)


def most_similar(wanted: str, text: str, distance: Distance) -> Place | None:
    """Return the most similar place, of equals the nearest, or None."""
    return _most_similar(wanted, text, distance, _within)


def resembles(wanted: str, text: str) -> bool:
    """Say whether the text has enough of a quote's pieces for a search to be worth it."""
    size = _PIECE if wanted.isascii() else _PIECE // 2
    pieces = range(0, len(wanted), size)
    found = [at for at in pieces if wanted[at : at + size] in text]
    return len(found) * _LEAST_PIECES >= len(pieces)


def has_a_new_word(wanted: str, text: str) -> bool:
    """Say whether a word of the quote is nowhere in the text, where words can be told apart."""
    if not wanted.isascii() and ANY_WITHOUT_BLANKS.search(wanted):
        return False
    return not all(map(text.__contains__, wanted.split(" ")))


def is_reordered(wanted: str, text: str, start: int, end: int) -> bool:
    """Say whether words of the quote were moved: then it says what the text never did.

    A word is moved if the span misses it somewhere else. So it is if it stands around the
    span, unless it takes the place of one other word between two that are right: such a word is
    changed. Where words cannot be told apart, two characters stand for one.
    """
    has_words = not ANY_WITHOUT_BLANKS.search(wanted)
    left = iter(text[start:end].split(" "))
    if has_words and all(word not in text or word in left for word in wanted.split(" ")):
        return False  # as most are, and quickly seen
    parts, blank = (_words, " ") if has_words else (list, "")
    quote, there = parts(bare(wanted)), parts(bare(text[start:end]))
    missed: list[str] = []
    changed: list[str] = []
    added: list[str] = []
    at = place = 0
    for block in LCSseq.editops(quote, there).as_matching_blocks():
        own, others = quote[at : block.a], there[place : block.b]
        takes_a_place = len(own) == len(others) and at > 0 and block.a < len(quote)
        (changed if takes_a_place else added).extend(own if has_words else _pairs(own))
        missed += (*others, "\n") if others else ()
        at, place = block.a + block.size, block.b + block.size
    if not added:
        return _any_in(changed, missed, blank)
    around = text[max(0, start - _AROUND) : end + _AROUND]
    return _any_in(changed + added, missed, blank) or _any_in(added, parts(bare(around)), blank)


def _any_in(pieces: Sequence[str], parts: Sequence[str], blank: str) -> bool:
    """Say whether a piece, other than one narrow letter, stands among the parts."""
    joined = blank + blank.join(parts) + blank
    return any(
        f"{blank}{piece}{blank}" in joined for piece in pieces if blank or width(piece) > _BY_CHANCE
    )


def _pairs(run: Sequence[str]) -> list[str]:
    """Return a run of characters as each two that are neighbours, or the one that it is."""
    return ["".join(run[at : at + 2]) for at in range(max(1, len(run) - 1))]


def _words(text: str) -> list[str]:
    """Return the words, each without its marks."""
    return [word.strip(punctuation) or word for word in text.split()]


def _most_similar(
    wanted: str,
    text: str,
    distance: Distance,
    place_of: Callable[[str, str, Sequence[_Hit], int], Place | None],
) -> Place | None:
    for size in _SIZES:
        if size > _SIZES[-1] and len(wanted) < 2 * size:
            continue
        windows = _windows(wanted, text, size, distance)
        found = [place for hits in windows if (place := place_of(wanted, text, hits, size))]
        if len(found) == 1:
            return found[0]
        if found:
            return min(found, key=lambda place: (-place.score, distance(place.start), place.start))
    return None


def _windows(wanted: str, text: str, size: int, distance: Distance) -> Sequence[Sequence[_Hit]]:
    """Return the likeliest places, each as the pieces that stand there in the quote's order."""
    hits = _hits(wanted, text, size)
    if not hits:
        return ()
    hits.sort()
    slack = _slack(wanted)
    if hits[-1][0] - hits[0][0] <= slack and size > _SIZES[-1]:
        return (hits,)
    found: list[list[_Hit]] = []
    for hit in hits:
        if not found or hit[0] - found[-1][0][0] > slack:
            found.append([])
        found[-1].append(hit)
    if size == _SIZES[-1]:
        least = len(wanted) / size / _LEAST_SHARE
        found = [hits for hits in found if _votes(hits) >= least]
    if len(found) > 1:
        found.sort(key=lambda hits: (-_votes(hits), distance(hits[0][0])))
    return found[:_WINDOWS]


def _votes(hits: Sequence[_Hit]) -> int:
    return len({offset for _, offset in hits})


def _hits(wanted: str, text: str, size: int) -> list[_Hit]:
    rare: list[_Hit] = []
    frequent: list[_Hit] = []
    for offset in range(0, len(wanted) - size + 1, size):
        piece = wanted[offset : offset + size]
        place = text.find(piece)
        hits: list[_Hit] = []
        while place >= 0 and len(hits) < _PLACES:
            hits.append((place - offset, offset))
            place = text.find(piece, place + 1)
        if hits:
            (rare if len(hits) < _PLACES else frequent).extend(hits)
    return rare or frequent


def _slack(wanted: str) -> int:
    """Return how far apart pieces may lie whose quote is one."""
    return len(wanted) // 3 + 8


def _reach(wanted: str) -> int:
    """Return how far from where it should be an end is looked for."""
    return len(wanted) // 2 + 40


def _within(wanted: str, text: str, hits: Sequence[_Hit], size: int) -> Place | None:
    return _between(wanted, text, hits, size) or _aligned(wanted, text, hits)


def _between(wanted: str, text: str, hits: Sequence[_Hit], size: int) -> Place | None:
    """Return what stands between the quote's first characters and its last."""
    first = last = hits[0]
    for hit in hits:
        if hit[1] <= first[1]:
            first = hit
        elif hit[1] > last[1]:
            last = hit
    start = _start(wanted, text, *first)
    if start < 0:
        return None
    end = _end(wanted, text, *last, size)
    if end <= start or cut_of(text, start, end):
        return None
    return _judged(wanted, text, start, end)


def _judged(wanted: str, text: str, start: int, end: int) -> Place | None:
    score = fuzz.ratio(wanted, text[start:end], score_cutoff=MIN_SCORE)
    return Place(score, start, end) if score else None


def _start(wanted: str, text: str, begin: int, offset: int) -> int:
    """Return where the quote's first characters stand, nearest before its first piece, or -1."""
    if not offset:
        return begin
    left = max(0, begin - _reach(wanted))
    place = text.rfind(wanted[:_END], left, begin + offset + _END)
    if place < 0:
        word = wanted.partition(" ")[0]
        place = text.rfind(word, max(left, begin - _NEAR), begin + _NEAR + len(word))
    return place


def _end(wanted: str, text: str, begin: int, offset: int, size: int) -> int:
    """Return where the quote's last characters end, nearest after its last piece, or -1."""
    tail = wanted[-_END:]
    should_be = begin + len(wanted)
    left = max(0, begin + offset + size - len(tail))
    place = text.find(tail, left, should_be + _reach(wanted))
    if place < 0:
        tail = wanted.rpartition(" ")[2]
        place = text.find(tail, max(0, should_be - len(tail) - _NEAR), should_be + _NEAR)
    return -1 if place < 0 else place + len(tail)


def _aligned(wanted: str, text: str, hits: Sequence[_Hit]) -> Place | None:
    """Return the place that is found by aligning all of the quote."""
    reach = _reach(wanted)
    left = max(0, hits[0][0] - reach)
    right = hits[-1][0] + len(wanted) + reach
    found = fuzz.partial_ratio_alignment(wanted, text[left:right], score_cutoff=_MIN_WINDOW)
    if found is None:
        return None
    start, end = _stretched(wanted, text, left + found.dest_start, left + found.dest_end)
    return _judged(wanted, text, start, end)


def _stretched(wanted: str, text: str, start: int, end: int) -> tuple[int, int]:
    """Return a window from the quote's first word to its last, where more or less lies between."""

    def worth(start: int, end: int) -> float:
        matched = LCSseq.similarity(wanted, text[start:end])
        return matched - _LENGTH_COSTS * (end - start)

    around = len(wanted) // 3 + 16
    ends = (
        place
        for place in range(max(start + 1, end - around), min(len(text), end + around) + 1)
        if text[place - 1] != " " and not cut_at(text, place)
    )
    end = max(ends, key=lambda place: worth(start, place), default=end)
    starts = (
        place
        for place in range(max(0, start - around), min(end - 1, start + around) + 1)
        if text[place] != " " and not cut_at(text, place)
    )
    return max(starts, key=lambda place: worth(place, end), default=start), end
