"""Quotes cut anywhere from real passages and spoilt, for every script, FUZZ_SECONDS each."""

import os
import random
import time
from collections import Counter

import orjson
import pytest

from bench.scripts import SCRIPTS, passages
from tasks.core.concepts import PassageEvidence
from tasks.core.folding import fold
from tasks.core.graphemes import Cut, cut_of, is_word
from tasks.core.grounding import MIN_SCORE, Match, Span, Text

SECONDS = int(os.environ.get("FUZZ_SECONDS", "6"))
ODD = "\u200b\u200d\u0301\u064e\u05b0\u3099\ufe0f\u00ad \n-*[]()&;'_\u0640\u202e"


@pytest.mark.long
@pytest.mark.timeout(60 + 10 * SECONDS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_quote_is_its_span_and_says_truly_how_it_matched(name: str) -> None:
    if not (every := passages(name)):
        pytest.skip("this machine has no text of it")
    chance, ends, until = random.Random(name), Counter[str](), time.process_time() + SECONDS

    while time.process_time() < until:
        text = Text(spoilt(chance.choice(every), every, chance, chance.choice([0, 0, 1, 3])))
        evidence = PassageEvidence(text)
        for _ in range(10):
            start = chance.randrange(len(text.passage))
            end = start + chance.choice([2, 5, 20, 60, 200])
            copied = text.passage[start:end]
            quote = spoilt(copied, every, chance, chance.choice([0, 1, 2, 8]))
            near = chance.choice([None, start])
            ends[checked(text.passage, quote, text.find(quote, near))] += 1
            if quote == copied and start + len(copied.strip()) > start + 1:
                assert_copied(text.passage, start, copied, text.find(copied, start))
            said = orjson.loads(evidence.about(quote[:9], [quote]).json)["support"]
            assert all(text.passage[e["start"] : e["end"]] == e["quote"] for e in said)

    print(f"{name}: {ends.total():,} quotes, {dict(sorted(ends.items()))}")  # noqa: T201 - what was tried
    assert ends["exact"] > SECONDS


def spoilt(text: str, every: tuple[str, ...], chance: random.Random, times: int) -> str:
    for _ in range(times):
        at = chance.randrange(len(text) + 1)
        several = (chance.choice(ODD), chance.choice(every)[:3], "", " [12]", text[at : at + 9])
        text = text[:at] + chance.choice(several) + text[at + chance.choice([0, 0, 1, 4]) :]
    return text.swapcase() if times and chance.random() < 0.1 else text


def checked(passage: str, quote: str, span: Span | None) -> str:
    if span is None:
        return "nowhere"
    found = passage[span.start : span.end]
    assert 0 <= span.start < span.end <= len(passage)
    assert (found == quote.strip()) == (span.match is Match.EXACT)
    if span.match is Match.NORMALISED:
        assert fold(found) == fold(quote)
    assert (span.score == 100) == (span.match is not Match.APPROXIMATE)
    assert MIN_SCORE <= span.score <= 100
    return str(span.match)


def assert_copied(passage: str, start: int, copied: str, span: Span | None) -> None:
    """A copy is exact, unless it parts a letter from its mark."""
    inner = copied.strip()
    first = start + copied.index(inner) if inner else start
    if cut_of(passage, first, first + len(inner)) is not Cut.A_LETTER:
        assert (len(inner) < 2 and not is_word(inner)) or (span and span.match is Match.EXACT)
