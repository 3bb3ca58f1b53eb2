"""How often quotes of each kind are found at their place, on real paragraphs."""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

import pytest
from core_passages import passages

from tasks.core.grounding import Match, Text

CURLY = str.maketrans({"'": "\u2019", '"': "\u201c", "-": "\u2013"})


def one_word_changed(quote: str, chance: random.Random) -> str:
    several = quote.split()
    place = chance.randrange(1, len(several) - 1)
    several[place] = "zebra" if several[place] != "zebra" else "gnu"
    return " ".join(several)


def decorated(quote: str, chance: random.Random) -> str:
    place = chance.randrange(1, len(quote))
    return quote[:place] + chance.choice(["\u200b", "\u00ad", "\ufeff"]) + quote[place:]


FAITHFUL: dict[str, Callable[[str, random.Random], str]] = {
    "verbatim": lambda quote, _: quote,
    "upper case": lambda quote, _: quote.upper(),
    "lower case": lambda quote, _: quote.lower(),
    "white space": lambda quote, chance: quote.replace(" ", chance.choice(["  ", "\n", "\t "])),
    "curly quotes and dashes": lambda quote, _: quote.translate(CURLY),
    "full width": lambda quote, _: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in quote
    ),
    "decomposed": lambda quote, _: unicodedata.normalize("NFD", quote),
    "unseen characters": decorated,
}


def planted(seed: int) -> list[tuple[str, int, str]]:
    """Return (passage, start, quote) with the quote unique in its passage, even without case."""
    chance = random.Random(seed)
    found = []
    for passage in passages(400):
        starts = [0, *(i + 1 for i, c in enumerate(passage) if c == " ")]
        for _ in range(4):
            first = chance.randrange(len(starts) - 14)
            last = first + chance.randint(5, 14)
            quote = passage[starts[first] : starts[last] - 1]
            if passage.lower().count(quote.lower()) == 1:
                found.append((passage, starts[first], quote))
    return found


@pytest.mark.parametrize("kind", FAITHFUL)
def test_every_faithful_quote_is_found_at_its_place(kind: str) -> None:
    chance = random.Random(7)
    wrong = []

    for passage, start, quote in planted(7):
        span = Text(passage).find(FAITHFUL[kind](quote, chance))
        place = span and (span.start, span.end)
        if place != (start, start + len(quote)) or span.match is Match.APPROXIMATE:
            wrong.append((passage, quote, span))

    assert wrong == []


def test_a_quote_with_a_changed_word_is_never_verified() -> None:
    chance = random.Random(11)
    found: Counter[str] = Counter()

    for passage, start, quote in planted(11):
        span = Text(passage).find(one_word_changed(quote, chance))
        found[str(span and span.match)] += 1
        if span is not None:
            found["overlapping"] += span.start < start + len(quote) and start < span.end

    assert found[Match.EXACT] == found[Match.NORMALISED] == 0
    assert found["overlapping"] >= 0.9 * found[Match.APPROXIMATE] > 0


def test_an_invented_quote_is_nowhere() -> None:
    chance = random.Random(13)
    vocabulary = sorted({word for passage in passages(400) for word in passage.split()})
    found = []

    for passage in passages(400):
        for _ in range(4):
            quote = " ".join(chance.choices(vocabulary, k=chance.randint(3, 14)))
            if Text(passage).find(quote) is not None:
                found.append((passage, quote))

    assert found == []


def test_a_quote_with_a_word_moved_is_nowhere() -> None:
    chance, found = random.Random(15), []

    for passage, _, quote in planted(15):
        several = quote.split()
        word = several.pop(chance.randrange(len(several)))
        several.insert(chance.randrange(len(several) + 1), word)
        moved = " ".join(several)
        left = iter(re.findall("[a-z]+", passage.lower()))
        is_written = all(each in left for each in re.findall("[a-z]+", moved.lower()))
        # A hyphen and a blank are a word that a line's end divides.
        if "- " not in quote and not is_written and Text(passage).find(moved) is not None:
            found.append((passage, moved))

    assert found == []


def test_a_quote_from_another_passage_is_never_verified() -> None:
    every = planted(17)
    others = [quote for _, _, quote in every]
    random.Random(17).shuffle(others)

    verified = [
        (passage, quote)
        for (passage, _, _), quote in zip(every, others, strict=True)
        if quote.lower() not in passage.lower()
        and (span := Text(passage).find(quote)) is not None
        and span.match is not Match.APPROXIMATE
    ]

    assert verified == []
