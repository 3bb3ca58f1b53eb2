"""Characters that nobody sees, and texts of nothing else: one definition, here and in SQL."""

import re
from collections.abc import Iterable
from unicodedata import combining

_Ranges = tuple[tuple[int, int], ...]

# What Python calls white space, and a blank that is a pattern of Braille.
_SPACES: _Ranges = (
    *((0x09, 0x0D), (0x1C, 0x20), (0x85, 0x85), (0xA0, 0xA0), (0x1680, 0x1680)),
    *((0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F)),
    *((0x2800, 0x2800), (0x3000, 0x3000)),
)
# Controls, what Unicode calls default ignorable (zero-width characters, directions, joiners,
# fillers, variation selectors, tags), and marks of annotations.
_UNSEEN: _Ranges = (
    *((0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F)),
    *((0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F)),
    *((0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3)),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)


def _class(ranges: Iterable[tuple[int, int]]) -> str:
    """Return the characters outside some ranges, as a regular expression of Python and Postgres."""
    ends = [[max(first, 1), last] for first, last in ranges]  # Postgres has no place for NUL
    return "[^" + "".join("-".join(map(_escaped, each)) for each in sorted(ends)) + "]"


def _escaped(code: int) -> str:
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"  # noqa: PLR2004 - four digits


SEEN = _class((*_SPACES, *_UNSEEN))
"""A regular expression of one character that is seen, for Postgres."""

_SEEN = re.compile(SEEN.replace("[^", "[^\0"))
_DROPS = re.compile(_class((*_UNSEEN, (0x2800, 0x2800))).replace("[^", "[\0"))
_STEERING = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Controls but for tab and new line, and what turns the direction of what follows."""

_DROPPED: dict[int, str | None] = {
    **{code: None for first, last in _UNSEEN for code in range(first, last + 1)},
    0x2800: " ",
}


def is_blank(text: str) -> bool:
    """Return whether there is nothing in a text that anybody could see."""
    return _SEEN.search(text) is None


def without_unseen(text: str) -> str:
    """Return the text without what nobody sees; white space stays."""
    return text.translate(_DROPPED) if _drops(text) else text


def _drops(text: str) -> bool:
    """Say whether anything in a text is not seen; most texts are asked nothing more."""
    return not (text.isascii() and text.isprintable()) and _DROPS.search(text) is not None


# What nobody sees itself, but whose lack is seen. Persian keeps letters of one word apart with a
# non-joiner, Indic scripts choose a conjunct's form with either joiner behind a virama (UAX 31
# allows just these in names), and emoji are one picture or several by a joiner, coloured or not
# by a variation selector.
_JOINING = "\u0620-\u065f\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f"
_VIRAMAS = "".join(chr(code) for code in range(0x900, 0x1100) if combining(chr(code)) == 9)  # noqa: PLR2004 - their class
_PICTURES = "\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_NEEDED = re.compile(
    rf"(?<=[{_JOINING}])\u200c(?=[{_JOINING}])"
    rf"|(?<=[{_VIRAMAS}])[\u200c\u200d](?=[\u0900-\u10ff])"
    rf"|(?<=[{_PICTURES}\ufe0f])\u200d(?=[{_PICTURES}])"
    rf"|(?<=[{_PICTURES}])\ufe0f|(?<=[#*0-9])\ufe0f(?=\u20e3)"
)


def without_needless(text: str) -> str:
    """Return the text without what nobody sees, but for joiners that change its look."""
    if not _drops(text):
        return text
    joiners = [*_NEEDED.findall(text), ""]
    pieces = map(without_unseen, _NEEDED.split(text))
    return "".join(piece + joiner for piece, joiner in zip(pieces, joiners, strict=True))


def only_seen(text: str, source: str) -> str:
    """Return a text of an answer without what nobody sees, unless it was copied from its source."""
    shown = without_needless(text)
    return text if shown == text or text in source else shown


def printable(text: str) -> str:
    """Return a text that a terminal shows and does not obey: its controls are shown as codes."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
