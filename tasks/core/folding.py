"""Text as a reader compares it: case, white space, Unicode form, quotes and dashes do not count.

Folding keeps almost every character in its place, so the way back to the text is a sparse map: only
where something grew, shrank or vanished is there an entry.
"""

import re
import unicodedata
from bisect import bisect_right

_QUOTES = '"`´‘’‚‛“”„‟‹›«»′″‵‶＇＂'  # noqa: RUF001 - look-alikes are the point
_DASHES = "‐‑‒–—―−﹘﹣－⸺⸻"  # noqa: RUF001 - likewise
# Zero-width characters, direction marks, soft hyphen, word joiner, variation selectors.
_UNSEEN = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\ufeff" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)])
)
_SIMPLER = str.maketrans(
    {**dict.fromkeys(_QUOTES, "'"), **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_UNSEEN, "")}
)
_SPACES = [chr(code) for code in range(0x3001) if chr(code).isspace() and chr(code) != " "]
_ASCII = str.maketrans({**dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f", " "), '"': "'", "`": "'"})
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_WIDE_SPACE = re.compile(r" {2,}")


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
        self.text = _with_single_spaces(folded, self._spaces)

    def source(self, place: int) -> int:
        """Return the position in the source of the folded text's character at `place`."""
        return self._characters.source(self._spaces.source(place))


def fold(text: str) -> str:
    """Return the text as compared, without white space around it."""
    return " ".join(fold_characters(text).split())


def extends(character: str) -> bool:
    """Say whether the character belongs to the one before it: marks, Hangul vowels and finals."""
    return (
        unicodedata.category(character)[0] == "M"
        or "\u1160" <= character <= "\u11ff"
        or character in "\uff9e\uff9f"
    )


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
    starts = [i for i, character in enumerate(run) if i == 0 or not extends(character)]
    return list(zip(starts, [*starts[1:], len(run)], strict=True))


def _fold_cluster(cluster: str) -> str:
    """Return a character and its marks in compatibility form, without case, simplified."""
    plain = cluster.translate(_SIMPLER)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold())
    return folded.translate(_SIMPLER)


def _with_single_spaces(text: str, shifts: Shifts) -> str:
    if "  " not in text:
        return text
    pieces: list[str] = []
    place = done = 0
    for run in _WIDE_SPACE.finditer(text):
        pieces.append(text[done : run.start() + 1])
        place += run.start() + 1 - done
        done = run.end()
        shifts.add(place, done)
    pieces.append(text[done:])
    return "".join(pieces)
