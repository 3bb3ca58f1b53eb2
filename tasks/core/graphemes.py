"""Where a text may be cut: letters with their marks, and words, by what Unicode says of characters.

A mark belongs to its letter. Scripts that write no blanks between words have no border of words
that could be seen, so that any of their letters may begin one.
"""

import re
import unicodedata
from enum import IntEnum

_RANGES = (
    *((0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F)),  # Thai, Lao; Tibetan; Myanmar
    *((0x1780, 0x17FF), (0x1950, 0x19FF), (0x1A20, 0x1AAF)),  # Khmer; Tai
    *((0x1B00, 0x1B7F), (0xA980, 0xA9FF), (0xAA60, 0xAADF)),  # Bali, Java; Tai
    *((0x2E80, 0x2FDF), (0x3000, 0x312F), (0x31A0, 0x31FF)),  # radicals; kana, Bopomofo
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA000, 0xA4CF)),  # Han; Yi
    *((0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF)),
)
WITHOUT_BLANKS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES)
"""What stands in a regular expression's brackets for scripts without blanks between words."""
ANY_WITHOUT_BLANKS = re.compile(f"[{WITHOUT_BLANKS}]")

_LIKE_MARKS = "\u0e33\u0eb3\uff9e\uff9f"  # the vowels am of Thai and Lao; voiced kana
_JOINER = "\u200d"
# Joiners, colours of skin, and the tags that name a region's flag.
_JOINS_BEFORE = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_HALF_A_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
_LONGEST_RUN = 64  # marks on one letter, or flags in a row, that are looked back over
_VIRAMA = 9  # the combining class of signs that bind the letter after them


class Cut(IntEnum):
    """What a cut goes through; the less the better."""

    NOTHING = 0
    A_WORD = 1
    A_LETTER = 2


_NOTHING, _A_WORD, _A_LETTER = Cut  # looked up once: this is asked of every quote


class _Kind(IntEnum):
    """What a character is at a border; a word's letters are of a script that writes blanks."""

    OTHER = 0
    WORD = 1
    FREE = 2
    MARK = 3
    HALF_A_FLAG = 4


class _Kinds(dict[str, _Kind]):
    """Each character's kind, found once."""

    def __missing__(self, character: str) -> _Kind:
        self[character] = kind = _kind(character)
        return kind


def _kind(character: str) -> _Kind:
    if extends(character) or _JOINS_BEFORE.match(character):
        return _Kind.MARK
    if character.isalnum():
        return _Kind.FREE if ANY_WITHOUT_BLANKS.match(character) else _Kind.WORD
    return _Kind.HALF_A_FLAG if _HALF_A_FLAG.match(character) else _Kind.OTHER


_KINDS = _Kinds()
_WORD = _Kind.WORD


def extends(character: str) -> bool:
    """Say whether the character belongs to the one before it: marks, Hangul vowels and finals."""
    return (
        unicodedata.category(character)[0] == "M"
        or "\u1160" <= character <= "\u11ff"
        or character in _LIKE_MARKS
    )


def cut_at(text: str, place: int) -> Cut:
    """Return what is cut through where a text is cut at a place."""
    if not 0 < place < len(text):
        return _NOTHING
    before, kind = text[place - 1], _KINDS[text[place]]
    if kind is _Kind.MARK:
        return _NOTHING if before.isspace() else _A_LETTER
    if not kind or before == " ":  # so most quotes begin and end
        joins = before == _JOINER and not text[place].isspace()
        is_one = joins or (before == "\r" and text[place] == "\n")
        return _A_LETTER if is_one else _NOTHING
    if kind is _Kind.HALF_A_FLAG:
        return _A_LETTER if (place - _start_of(text, place, kind)) % 2 else _NOTHING
    if unicodedata.combining(before) == _VIRAMA:
        return _A_LETTER
    base = max(0, _start_of(text, place, _Kind.MARK) - 1)
    is_inside = kind is _WORD and _KINDS[text[base]] is _WORD
    return _A_WORD if is_inside else _NOTHING


def _start_of(text: str, place: int, kind: _Kind) -> int:
    """Return where the characters of one kind begin that end before a place."""
    start = place
    while start > max(0, place - _LONGEST_RUN) and _KINDS[text[start - 1]] is kind:
        start -= 1
    return start


def cut_of(text: str, start: int, end: int) -> Cut:
    """Return the worst of what is cut through at a span's two ends."""
    if not text.isascii():
        at_start, at_end = cut_at(text, start), cut_at(text, end)
        return at_start if at_start is _A_LETTER else at_end or at_start
    if start > 0 and text[start - 1].isalnum() and text[start].isalnum():
        return _A_WORD
    if end < len(text) and text[end].isalnum() and text[end - 1].isalnum():
        return _A_WORD
    return _NOTHING


def changes_a_letter(text: str, place: int) -> bool:
    """Say whether a cut leaves another letter, as e is without its accent."""
    if cut_at(text, place) is not _A_LETTER:
        return False
    base = max(0, _start_of(text, place, _Kind.MARK) - 1)
    left, right = text[base:place], text[place]
    composed = unicodedata.normalize("NFC", left + right)
    return composed != unicodedata.normalize("NFC", left) + right


def is_word(character: str) -> bool:
    """Say whether one character may be a whole word: of Han, a Hangul syllable, an emoji."""
    return (
        len(character) == 1
        and unicodedata.east_asian_width(character) == "W"
        and unicodedata.category(character) in ("Lo", "So")
    )


def width(text: str) -> int:
    """Return how many columns a text takes, where those of Han and Hangul take two."""
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(each) in "WF" for each in text)
