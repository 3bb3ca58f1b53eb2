"""A text brought down to what a model reads: cut at the end of a sentence, else of a word."""

import re
from bisect import bisect_right
from itertools import accumulate

from tasks.core.graphemes import Cut, cut_at

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
    last = next((each for each in reversed(ends) if cut_at(text, each) is not Cut.A_LETTER), 0)
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
    return next((at for at in range(end, 0, -1) if cut_at(text, at) is not Cut.A_LETTER), end)
