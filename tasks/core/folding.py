"""Text as a reader compares it: case, white space, Unicode form, quotes and dashes do not count.

Nor do the vowel marks of Arabic and Hebrew, which most texts leave out, the forms of alef, tatweel,
and white space beside characters of scripts that write none between words. Folding keeps almost
every character in its place, so the way back to the text is a sparse map: only where something
grew, shrank or vanished is there an entry.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache

from tasks.core.graphemes import ANY_WITHOUT_BLANKS, WITHOUT_BLANKS, extends

_QUOTES = '"`´‘’‚‛“”„‟‹›«»′″‵‶＇＂׳״'  # noqa: RUF001 - look-alikes are the point
_DASHES = "‐‑‒–—―−﹘﹣－⸺⸻־"  # noqa: RUF001 - likewise
# Zero-width characters, direction marks, soft hyphen, word joiner, variation selectors.
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\ufeff" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)])
)
_VOWELS = "".join(
    chr(code)
    for first, last in (
        *((0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C4, 0x5C5), (0x5C7, 0x5C7)),
        *((0x610, 0x61A), (0x64B, 0x652), (0x656, 0x65F), (0x670, 0x670), (0x6D6, 0x6DC)),
        *((0x6DF, 0x6E4), (0x6E7, 0x6E8), (0x6EA, 0x6ED), (0x8D3, 0x8E1), (0x8E3, 0x8FF)),
    )
    for code in range(first, last + 1)
)
# Alef with hamza, madda or wasla; Persian kaf and yeh, which keyboards mix up with the Arabic ones;
# the wave dash, which is U+301C or U+FF5E by the code page that a text came from.
_FORMS = {**dict.fromkeys("آأإٱ", "\u0627"), "ک": "ك", "ی": "ي", "〜": "~"}
_SIMPLER = str.maketrans(
    {
        **dict.fromkeys(_QUOTES, "'"),
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_UNSEEN + _VOWELS + "\u0640", ""),
        **_FORMS,
    }
)
_SPACES = [chr(code) for code in range(0x3001) if chr(code).isspace() and chr(code) != " "]
_ASCII = str.maketrans({**dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f", " "), '"': "'", "`": "'"})
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_MOST_MARKS = 64  # on one letter; to order marks takes the square of their number
_WIDE_SPACE = re.compile(r" (?P<more> +)")
_NEEDLESS_SPACE = re.compile(
    rf"(?P<needless>(?<=[{WITHOUT_BLANKS}]) +| +(?=[{WITHOUT_BLANKS}]))| (?P<more> +)"
)


class Shifts:
    """Where positions of a changed text come from, as the few places where the distance changes."""

    def __init__(self) -> None:
        self._places: list[int] = []
        self._distances: list[int] = []

    def add(self, place: int, source: int) -> None:
        """Note that from `place` on, positions lie `source - place` further."""
        self._places.append(place)
        self._distances.append(source - place)

    def source(self, place: int) -> int:
        """Return where the character at `place` came from."""
        index = bisect_right(self._places, place) - 1
        return place if index < 0 else place + self._distances[index]


class Folded:
    """A text folded, and the way back.

    Attributes:
        text: the folded text, without space at either end of any match that is looked for.
        plain: whether folding changed no character's width but that of white space.
    """

    def __init__(self, source: str) -> None:
        self._characters = Shifts()
        self._spaces = Shifts()
        folded = fold_characters(source, self._characters)
        self.plain = source.isascii()
        self.text = tidy(folded, self._spaces)

    def source(self, place: int) -> int:
        """Return the position in the source of the folded text's character at `place`."""
        return self._characters.source(self._spaces.source(place))


def fold(text: str) -> str:
    """Return the text as compared, without white space around it."""
    return tidy(fold_characters(text)).strip(" ")


def fold_characters(text: str, shifts: Shifts | None = None) -> str:
    """Return the text with every character folded; note in `shifts` where widths change."""
    if text.isascii():
        return text.lower().translate(_ASCII)
    for space in _SPACES:
        text = text.replace(space, " ")
    pieces: list[str] = []
    place = done = 0
    for run in _BEYOND_ASCII.finditer(text):
        start = run.start()
        if start > done and extends(text[start]):
            start -= 1
        pieces.append(text[done:start].lower().translate(_ASCII))
        place += start - done
        done = run.end()
        piece = _fold_run(text[start:done], place, start, shifts)
        pieces.append(piece)
        place += len(piece)
    pieces.append(text[done:].lower().translate(_ASCII))
    return "".join(pieces)


class _Folds(dict[str, str]):
    """Each character's folded form, found once; `steady` are those that always stay one wide."""

    def __init__(self) -> None:
        super().__init__()
        self.unsteady: set[str] = set()

    def __missing__(self, character: str) -> str:
        folded = _fold_cluster(character)
        if len(folded) != 1 or extends(character):
            self.unsteady.add(character)
        self[character] = folded
        return folded


_FOLDS = _Folds()


def _fold_run(run: str, place: int, start: int, shifts: Shifts | None) -> str:
    """Return a run folded; its characters stand at `start` in the source, `place` in the result."""
    folded = "".join([_FOLDS[character] for character in run])
    if _FOLDS.unsteady.isdisjoint(run):
        return folded
    pieces: list[str] = []
    for first, last in _clusters(run):
        piece = _fold_cluster(run[first:last])
        if shifts is not None and (len(piece) != 1 or last - first != 1):
            for offset in range(len(piece)):
                shifts.add(place + offset, start + first)
            shifts.add(place + len(piece), start + last)
        pieces.append(piece)
        place += len(piece)
    return "".join(pieces)


def _clusters(run: str) -> list[tuple[int, int]]:
    """Return where each character with its marks begins and ends."""
    starts = [0]
    for at, character in enumerate(run[1:], start=1):
        if not extends(character) or at - starts[-1] >= _MOST_MARKS:
            starts.append(at)
    return list(zip(starts, [*starts[1:], len(run)], strict=True))


@lru_cache(maxsize=65_536)
def _fold_cluster(cluster: str) -> str:
    """Return a character and its marks in compatibility form, without case, simplified."""
    plain = cluster.translate(_SIMPLER)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold())
    return folded.translate(_SIMPLER)


def tidy(text: str, shifts: Shifts | None = None) -> str:
    """Return the text with single spaces, and none beside scripts that need none."""
    if text.isascii() or not ANY_WITHOUT_BLANKS.search(text):
        return replaced(text, _WIDE_SPACE, _one_space, shifts) if "  " in text else text
    return replaced(text, _NEEDLESS_SPACE, _one_space, shifts)


def _one_space(space: re.Match[str]) -> str:
    return " " if space["more"] else ""


def replaced(
    text: str,
    pattern: re.Pattern[str],
    by: Callable[[re.Match[str]], str],
    shifts: Shifts | None = None,
) -> str:
    """Return the text with what a pattern finds replaced; note in `shifts` where widths change."""
    if shifts is None:
        return pattern.sub(by, text)
    pieces: list[str] = []
    place = done = 0
    for found in pattern.finditer(text):
        start, end = found.span()
        if (piece := by(found)) == found[0]:
            continue
        pieces += (text[done:start], piece)
        place += start - done
        for offset in range(len(piece)):
            shifts.add(place + offset, start)
        place += len(piece)
        done = end
        shifts.add(place, done)
    pieces.append(text[done:])
    return "".join(pieces)
