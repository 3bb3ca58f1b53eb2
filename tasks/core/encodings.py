"""Which encoding bytes are in: a mark says it, their zeros show it, or their words are Western."""

import codecs
import re

MARKS = (  # the longer ones first: UTF-32's begins as UTF-16's does
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
MARK = "\N{BYTE ORDER MARK}"
WESTERN = "cp1252"
_ZEROS = 8  # at least one byte in so many is zero: every fourth character is of ASCII
_LAST_PLANE = 0x10  # of Unicode

_LETTER, _VOWEL = "[a-zœß-öø-ÿ]", "[aeiouà-æè-ïò-öø-ü]"
_UNSURE = re.compile(
    "|".join(
        (
            r"[ðýþÿšžƒ]",  # Turkish, Baltic, Slavic; letters of Macintosh and DOS
            rf"{_LETTER}[£¤¥§¯³¹º¼½¾¿‚„”†‡ˆ‰‹•˜¡–—]{_LETTER}|{_LETTER}[³¹‚„]|[£¯³¹]{_LETTER}",  # noqa: RUF001
            r"±[^\W\d]|[±²³]{2}|‚(?!\w)",  # noqa: RUF001
            r"[œß-öø-ü]{3}",  # other alphabets have words of nothing else
            rf"(?<!{_LETTER})[œß-öø-ü]{{2}}(?!{_LETTER})",
            rf"(?<!{_LETTER})[œßáâãäåæçêëìíîïñòõöøùúûü](?!{_LETTER})",
            # What would be a consonant, had it been written in Prague, Warsaw or Zagreb, stands
            # beside other letters than the vowel, or the Spanish consonant, that is read here.
            rf"[øæ]{_VOWEL}|{_VOWEL}[øæ]|è{_VOWEL}|[aeáéíúìùïë]è|iè(?!{_LETTER})",
            rf"ñ(?!{_VOWEL})|[ìòù](?={_LETTER})|(?<![aeou])ï|ï(?!{_LETTER})|œ(?!u|il)",
            r"ã(?=[^\W\d_oe])|õ(?!e)",  # Romanian and Hungarian, where it is not Portuguese
        )
    )
)
_UTF8_INSIDE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")


def marked(start: bytes) -> str | None:
    """Return the encoding that the first bytes name by a byte order mark."""
    return next((name for mark, name in MARKS if start.startswith(mark)), None)


def unmarked(start: bytes, size: int) -> str | None:
    """Return which UTF-32 or UTF-16 a file of `size` bytes is in, by its beginning's zeros."""
    if size % 4 == 0 and any(start):
        for name, high, planes in (("utf-32-le", 3, 2), ("utf-32-be", 0, 1)):
            if not any(start[high::4]) and max(start[planes::4]) <= _LAST_PLANE:
                return name
    low, high = start[::2].count(0), start[1::2].count(0)
    if size % 2 or low == high or max(low, high) * _ZEROS < len(start):
        return None
    return "utf-16-le" if high > low else "utf-16-be"


def is_utf8(line: bytes) -> bool:
    """Return whether a line is UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_surely_western(line: bytes) -> bool:
    """Return whether a line can only be Windows-1252, by how words of that part of Europe look.

    Other encodings have other letters for the same bytes, and these betray themselves by what
    stands beside them. A line that holds UTF-8 too is a mixture.
    """
    words = b" ".join(word for word in line.split() if not word.isascii())
    try:
        text = words.decode(WESTERN).lower()
    except UnicodeDecodeError:
        return False
    return not (_UNSURE.search(text) or _UTF8_INSIDE.search(words))
