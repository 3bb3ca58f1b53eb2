"""Quotes planted in texts of many scripts, changed in one way each, and what became of them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from bench.scripts import SCRIPTS, Chance, Script, passages

_LEAST = 12  # characters of a quote
_UNSEEN = ("Cf", "Cc", "Zs", "Zl", "Zp")
Find = Callable[[str, str], tuple[int, int, str] | None]
"""Returns [start, end) of a quote in a passage, and how it matched."""


class Planted(NamedTuple):
    """A quote that stands once in a passage."""

    passage: str
    start: int
    quote: str

    @property
    def place(self) -> tuple[int, int]:
        """Return where the quote stands."""
        return self.start, self.start + len(self.quote)


def planted(name: str, count: int, seed: int = 1) -> Iterator[Planted]:
    """Yield quotes that stand once in their passage, folded or not."""
    chance, every = Chance(f"{name} {seed}"), passages(name)
    tries = 0
    while every and count > 0 and tries < 50 * len(every):
        tries += 1
        passage = chance.choice(every)
        start, end = _without_unseen(passage, *_span(passage, SCRIPTS[name], chance))
        quote = passage[start:end]
        if len(quote) >= _LEAST and _letters(passage).count(_letters(quote)) == 1:
            count -= 1
            yield Planted(passage, start, quote)


def _letters(text: str) -> str:
    """Return what is there without case, blanks, marks: what is once here is once in any form."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(each for each in plain if unicodedata.category(each)[0] in "LNS")


def _span(passage: str, script: Script, chance: Chance) -> tuple[int, int]:
    if script.has_blanks:
        starts = [found.start() for found in re.finditer(r"\S+", passage)]
        ends = [found.end() for found in re.finditer(r"\S+", passage)]
        first = chance.randrange(len(starts))
        return starts[first], ends[min(first + chance.randint(3, 13), len(ends) - 1)]
    borders = [at for at in range(len(passage)) if _is_border(passage, at)]
    first = chance.randrange(len(borders))
    start, end = borders[first], borders[min(first + chance.randint(12, 60), len(borders) - 1)]
    return start, end


def _without_unseen(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without the blanks and unseen characters at its ends."""
    while start < end and unicodedata.category(text[start]) in _UNSEEN:
        start += 1
    while start < end and unicodedata.category(text[end - 1]) in _UNSEEN:
        end -= 1
    return start, end


def _is_border(text: str, at: int) -> bool:
    """Say whether a letter begins here, by marks and by signs that bind the next letter."""
    if at == 0:
        return True
    is_bound = unicodedata.combining(text[at - 1]) == 9  # noqa: PLR2004 - virama
    is_bound |= text[at - 1 : at + 1].isascii() and text[at - 1 : at + 1].isalnum()
    return not is_bound and text[at] != "\u0e33" and unicodedata.category(text[at])[0] not in "MC"


def _respaced(quote: str, script: Script, chance: Chance) -> str:
    """Return a quote with its blanks changed, or with line ends where none are written."""
    if " " in quote and (script.has_blanks or chance.random() < 0.5):  # noqa: PLR2004
        return quote.replace(" ", chance.choice(["\n    ", "\u00a0", "  "]))
    borders = [at for at in range(1, len(quote)) if _is_border(quote, at)]
    if script.has_blanks or not borders:
        return quote + "\n"
    at = chance.choice(
        [b for b in borders if _needs_no_blank(quote[b - 1]) and _needs_no_blank(quote[b])] or [0]
    )
    return quote[:at] + "\n" * (at > 0) + quote[at:]


def _needs_no_blank(character: str) -> bool:
    return unicodedata.name(character, "").startswith(
        ("CJK", "HIRAGANA", "KATAKANA", "THAI", "KHMER")
    )


_LEFT_OUT: tuple[Callable[[int], str], ...] = (
    lambda number: f" [{number}]",
    lambda number: f" [{number}, {number + 3}]",
    lambda number: f" (Smith et al., {1990 + number % 30})",
    lambda number: f" (Lopez &amp; Li, {1990 + number % 30}; Kim, 2001)",
    lambda _: "**",
    lambda _: "&nbsp;",
    lambda _: "\n# ",
)


def _cited(case: Planted, script: Script, chance: Chance) -> Planted:
    """Return a passage with citations put between words of the quote, which has none."""
    quote = case.quote
    places = [found.start() for found in re.finditer(r"(?<=\S) (?=\S)", quote)]
    if not script.has_blanks:
        places = [at for at in range(2, len(quote) - 2) if _is_border(quote, at)]
    longer = quote
    for number, at in enumerate(
        sorted(chance.sample(places, min(len(places), chance.randint(1, 3))), reverse=True)
    ):
        longer = longer[:at] + chance.choice(_LEFT_OUT)(number * 7 + at) + longer[at:]
    start, end = case.place
    return Planted(case.passage[:start] + longer + case.passage[end:], start, longer)


def _one_changed(case: Planted, script: Script, chance: Chance) -> str:
    """Return the quote with one word, or one letter where there are no words, replaced."""
    if script.has_blanks:
        words = case.quote.split(" ")
        words[chance.randrange(len(words))] = "zebra"
        return " ".join(words)
    borders = [at for at in range(1, len(case.quote)) if _is_border(case.quote, at)]
    at = chance.choice(borders)
    return case.quote[:at] + "\u9f98" + case.quote[at + 1 :]


def _invented(name: str, chance: Chance) -> str:
    """Return words, or pieces of three letters, that were drawn from all texts of a script."""
    every = passages(name)
    if SCRIPTS[name].has_blanks:
        return " ".join(
            chance.choice(chance.choice(every).split()) for _ in range(chance.randint(4, 12))
        )
    pieces = []
    for _ in range(chance.randint(5, 12)):
        text = chance.choice(every)
        at = chance.randrange(len(text) - 3)
        pieces.append(text[at : at + 3])
    return "".join(pieces)


def _shuffled(case: Planted, script: Script, chance: Chance) -> str | None:
    """Return the quote's words, or threes of letters, in an order that the text does not have."""
    quote = case.quote
    borders = [*range(0, len(quote) - 5, 3), len(quote)]
    pieces = quote.split() if script.has_blanks else [quote[a:b] for a, b in pairwise(borders)]
    chance.shuffle(pieces)
    shuffled = (" " if script.has_blanks else "").join(pieces)
    left, moved = (
        map(_letters, text.split() if script.has_blanks else text)
        for text in (case.passage, shuffled)
    )
    return None if all(each in left for each in moved if each) else shuffled


FAITHFUL = ("exact", "white space", "case", "normalised")
KINDS = (*FAITHFUL, "left out", "changed", "shuffled", "invented")
LEAST = {
    **dict.fromkeys(FAITHFUL, 0.99),
    "left out": 0.95,
    **dict.fromkeys(("changed", "invented"), 1.0),
    "shuffled": 0.99,  # one of the text's words may stand for another one
}
"""The share that must be right."""
_FOUND = ("exact", "normalised")


def row(name: str, count: int, find: Find) -> dict[str, Counter[bool]]:
    """Return, by kind of change, how often what `find` said was right and wrong.

    Right is the planted place for what does not count, both ends for what was left out, anything
    but exact and normalised for a changed word, and nowhere for shuffled words and invented ones.
    """
    script, chance = SCRIPTS[name], Chance(f"row {name}")
    ends: dict[str, Counter[bool]] = {kind: Counter() for kind in KINDS}
    for case in planted(name, count):
        for kind, quote in _faithful(case, script, chance).items():
            said = find(case.passage, quote)
            ends[kind][said is not None and said[:2] == case.place and said[2] in _FOUND] += 1
        cited = _cited(case, script, chance)
        said = find(cited.passage, case.quote)
        ends["left out"][said is not None and said[:2] == cited.place] += 1
        said = find(case.passage, _one_changed(case, script, chance))
        ends["changed"][said is None or said[2] not in _FOUND] += 1
        if shuffled := _shuffled(case, script, chance):
            ends["shuffled"][find(case.passage, shuffled) is None] += 1
        ends["invented"][find(case.passage, _invented(name, chance)) is None] += 1
    return ends


def shares(ends: dict[str, Counter[bool]]) -> dict[str, float]:
    """Return the share that was right, of each kind that there was."""
    return {kind: each[True] / each.total() for kind, each in ends.items() if each}


def _faithful(case: Planted, script: Script, chance: Chance) -> dict[str, str]:
    """Return the quote changed in what does not count; in case only where the script has it."""
    changed = {
        "exact": case.quote,
        "white space": _respaced(case.quote, script, chance),
        "case": case.quote.swapcase(),
        "normalised": script.loosened(case.quote, chance),
    }
    # Turkish i and I do not differ in case alone.
    if changed["case"] == case.quote or changed["case"].casefold() != case.quote.casefold():
        del changed["case"]
    return changed
