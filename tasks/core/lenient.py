"""JSON as models slip it: without commas or quotes, wrongly escaped, cut off; read in one pass.

Every character is looked at a bounded number of times, so that no text takes longer than its length
says. Of a text that ends too early an unfinished item of a list is left out, half as it is.
"""

import re
from typing import Any, Final, NamedTuple

from tasks.core.salvage import without_lone_surrogates

_DEEPEST = 64  # brackets in brackets; no answer nests like that
_LONGEST_NUMBER = 40
_MISSES = 1_000  # words that should be keys and are none; no answer is so far from JSON

_BETWEEN = re.compile(r"(?:[\s,;]++|//[^\n]*+)*+")
_BLANK = re.compile(r"\s*+")
_COLON = re.compile(r"\s*+(?::|=>?)")
_BARE_KEY = re.compile(r"[\w$.-]++")
_BARE = re.compile(r"[^,\n{}\[\]]++")
_NUMBER = re.compile(r"-?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?")
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {
    each: each for each in "\"'\\/"
}

_Q = "[\"'\u201c\u201d]"
_QUOTES = {
    '"': re.compile(r'\\.|"', re.DOTALL),
    "'": re.compile(r"\\.|'", re.DOTALL),
    **dict.fromkeys("\u201c\u201d", re.compile("\\\\.|[\u201c\u201d]", re.DOTALL)),
}
_PLAIN = re.compile(r'"([^"\\]*+)"')
_NEXT_KEY = rf"(?:{_Q}[^\"'\u201c\u201d]{{0,64}}+(?:\Z|{_Q}\s*+:)|[\w$-]{{1,64}}+\s*+(?::|\Z))"
# What follows a quote that ends its string; any other quote is one of the text's own.
_AFTER_KEY = re.compile(r"\s*+(?::|=>?|\Z)")
_AFTER_VALUE = re.compile(
    rf"\s*+(?:[}}\]]|\Z|[,;]\s*+(?:[}}\]]|//|\Z|{_NEXT_KEY}))|[^\S\n]*+\n\s*+{_NEXT_KEY}"
)
_AFTER_ITEM = re.compile(
    rf"\s*+(?:[}}\]]|\Z|,\s*+(?:{_Q}|//|[{{\[\]\d.-]|\Z|true|false|null))|[^\S\n]*+\n\s*+(?:{_Q}|[{{\[])"
)

_HALF: Final = object()  # of a number or a word there may be more to come


class Slipped(NamedTuple):
    """A value, and whether something of it may be lost."""

    value: object
    lost_items: bool


def read(text: str, start: int) -> Slipped | None:
    """Return the object or array that begins at `start`; None where it is too far from JSON."""
    reader = _Reader(text, start)
    try:
        value = reader.value(_AFTER_VALUE, 0)
    except _UnlikeJsonError:
        return None
    return Slipped(value, reader.is_cut or reader.has_gaps)


class _UnlikeJsonError(Exception):
    """Brackets in brackets without end, or words and words that are no keys."""


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._at = start
        self._misses = 0
        self.is_cut = False
        self.has_gaps = False

    def value(self, after: re.Pattern[str], depth: int) -> Any:  # noqa: ANN401 - whatever JSON has
        """Return what begins here; `after` is what follows a string in this place."""
        if depth > _DEEPEST:
            raise _UnlikeJsonError
        mark = self._text[self._at : self._at + 1]
        if mark == "{":
            return self._object(depth)
        if mark == "[":
            return self._array(depth)
        if mark in _QUOTES:
            return self._string(after)
        return self._bare()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._at += 1
        while not self._ends("}", "]"):
            key = self._key()
            if key is None:
                continue
            value = self.value(_AFTER_VALUE, depth + 1)
            if value is not _HALF:
                found[key] = value
        return found

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        while not self._ends("]", "}"):
            value = self.value(_AFTER_ITEM, depth + 1)
            if not self.is_cut:
                found.append(value)
        return found

    def _ends(self, closer: str, other: str) -> bool:
        """Say whether the object or array ends here: by its own bracket, another's, or the text's.

        Another's bracket is left to what is around.
        """
        self._at = self._past(_BETWEEN)
        mark = self._text[self._at : self._at + 1]
        self._at += mark == closer
        self.is_cut |= not mark
        self.has_gaps |= mark == other
        return mark in ("", closer, other)

    def _key(self) -> str | None:
        """Return the next key, and go to its value; None where there is none, past what is."""
        if self._text[self._at] in _QUOTES:
            key = self._string(_AFTER_KEY)
        elif bare := _BARE_KEY.match(self._text, self._at):
            key, self._at = bare[0], bare.end()
        else:
            self.has_gaps |= self._text[self._at] in "{["
            self._at += 1
            self._miss()
            return None
        colon = _COLON.match(self._text, self._at)
        if colon is None:
            self._miss()
            return None
        self._at = colon.end()
        self._at = self._past(_BLANK)
        return key

    def _miss(self) -> None:
        self._misses += 1
        if self._misses > _MISSES:
            raise _UnlikeJsonError

    def _string(self, after: re.Pattern[str]) -> str:
        plain = _PLAIN.match(self._text, self._at)
        if plain and after.match(self._text, plain.end()):
            self._at = plain.end()
            return plain[1]
        begin = self._at + 1
        for mark in _QUOTES[self._text[self._at]].finditer(self._text, begin):
            if mark[0][0] != "\\" and after.match(self._text, mark.end()):
                self._at = mark.end()
                return _unescaped(self._text[begin : mark.start()])
        self._at = len(self._text)
        self.is_cut = True
        return _unescaped(self._text[begin:])

    def _bare(self) -> Any:  # noqa: ANN401 - a number, a word, nothing
        found = _BARE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        if self._at == len(self._text):
            self.is_cut = True
            return _HALF
        return _meant(found[0].strip()) if found else None

    def _past(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        return found.end() if found else self._at


def _meant(word: str) -> Any:  # noqa: ANN401 - a number, a word, nothing
    if len(word) < _LONGEST_NUMBER and _NUMBER.fullmatch(word):
        return float(word) if "." in word or "e" in word.casefold() else int(word)
    return _WORDS.get(word.casefold(), word)


def _unescaped(text: str) -> str:
    """Return a string's characters; a backslash that escapes nothing stands for itself."""
    if "\\" not in text:
        return text
    return without_lone_surrogates(_ESCAPE.sub(_character, text))


def _character(escape: re.Match[str]) -> str:
    whole, said = escape[0], escape[1]
    return chr(int(said[1:], 16)) if len(said) > 1 else _ESCAPED.get(said, whole)
