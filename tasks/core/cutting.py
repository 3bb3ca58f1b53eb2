"""A text brought down to what a model reads: cut at the end of a sentence, else of a word."""

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate

from tasks.core.folding import extends

SURE_SHARE = 0.9
"""Of a limit on tokens, while they are guessed: a text that was guessed too short is refused."""

_QUARTERS = 4
_MOST_QUARTERS_PER_BYTE = 2

# Latin, Arabic and Indic ends need a blank behind them, Chinese and Japanese ones do not.
_SENTENCE_END = re.compile(
    r"[.!?\u2026\u061f\u0964][\"'\u201d\u2019\u00bb)\]]*(?=\s)"
    r"|[\u3002\uff01\uff1f][\u201d\u2019\u300d\u300f\uff09]*"
    r"|\n"
)
_JOINER = "\u200d"
_VIRAMA = 9  # the combining class of what joins two letters of an Indic script
_FLAGS = ("\U0001f1e6", "\U0001f1ff")


def tokens(text: str) -> float:
    """Return a guess of a text's tokens that is rather too high than too low.

    About four characters are a token (Gemini API, Understand tokens): that is of prose. A digit or
    sign counts for two letters, what takes two bytes in UTF-8 likewise, three bytes (Chinese,
    Japanese, Korean) for a token, four for two.
    """
    return sum(map(_COSTS.__getitem__, text)) / _QUARTERS


def fits(text: str, limit: int) -> bool:
    """Return whether a model that takes so many tokens surely reads the whole text."""
    return _end_that_fits(text, limit) >= len(text)


def cut(text: str, limit: int) -> str:
    """Return what such a model reads of the text: all of it, or whole sentences from its beginning.

    Where that would leave less than half, whole words; of a word that is too long, whole
    characters.
    """
    end = _end_that_fits(text, limit)
    if end >= len(text):
        return text
    whole = _sentences(text, end) or _words(text, end, limit) or _characters(text, end)
    return text[:whole].rstrip() or text[:whole]


class _Costs(dict[str, int]):
    """Quarters of a token by character, found once."""

    def __missing__(self, character: str) -> int:
        if character.isascii():
            cost = 1 if character.isalpha() or character == " " else 2
        else:
            cost = {2: 2, 3: 4}.get(len(character.encode(errors="surrogatepass")), 8)
        self[character] = cost
        return cost


_COSTS = _Costs()


def _end_that_fits(text: str, limit: int) -> int:
    """Return how many characters are within the limit by our guess."""
    most = int(limit * SURE_SHARE * _QUARTERS)
    if len(text) * 4 * _MOST_QUARTERS_PER_BYTE <= most:  # no character has more than four bytes
        return len(text)
    return bisect_right(list(accumulate(map(_COSTS.__getitem__, text))), most)


def _sentences(text: str, end: int) -> int:
    """Return where the last sentence before `end` ends; 0 where that would lose half."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text, 0, end + 1) if found.end() <= end]
    last = next((each for each in reversed(ends) if _is_between(text, each)), 0)
    return last if last * 2 >= end else 0


def _words(text: str, end: int, limit: int) -> int:
    """Return where the last whole word before `end` ends; 0 where the next is longer than all."""
    if text[end].isspace():
        return _characters(text, end)
    begins = end - len(re.split(r"\s", text[:end])[-1])
    word = re.split(r"\s", text[begins:], maxsplit=1)[0]
    return len(text[:begins].rstrip()) if fits(word, limit) else 0


def _characters(text: str, end: int) -> int:
    """Return the last place up to `end` that parts no character from its marks."""
    return next((at for at in range(end, 0, -1) if _is_between(text, at)), end)


def _is_between(text: str, at: int) -> bool:
    """Return whether two characters meet here, as a reader sees them."""
    before, after = text[at - 1], text[at] if at < len(text) else " "
    return not (
        extends(after)
        or _JOINER in (before, after)
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # the colour of a skin
        or "\U000e0020" <= after <= "\U000e007f"  # the letters of a region's flag
        or (before, after) == ("\r", "\n")
        or (_joins(before) and after.isalpha())
        or _is_half_flag(text, at)
    )


def _joins(character: str) -> bool:
    return unicodedata.combining(character) == _VIRAMA


def _is_half_flag(text: str, at: int) -> bool:
    """Return whether a flag, which is two letters, would be cut in half."""
    first = at
    while first and _FLAGS[0] <= text[first - 1] <= _FLAGS[1]:
        first -= 1
    return (at - first) % 2 == 1 and at < len(text) and _FLAGS[0] <= text[at] <= _FLAGS[1]
