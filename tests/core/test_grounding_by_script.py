"""Quotes planted in real texts of many scripts; `bench grounding` does the same with more."""

import pytest

from bench.planted import LEAST, row, shares
from bench.scripts import SCRIPTS, passages
from tasks.core.grounding import Text

SPANS = 30


def find(passage: str, quote: str) -> tuple[int, int, str] | None:
    span = Text(passage).find(quote)
    return span and (span.start, span.end, str(span.match))


@pytest.mark.parametrize("name", SCRIPTS)
def test_quotes_are_placed_truly_in_every_script(name: str) -> None:
    if not passages(name):
        pytest.skip("this machine has no text of it")

    found = shares(row(name, SPANS, find))

    # Of so few one more may be wrong than of very many.
    wrong = {kind: share for kind, share in found.items() if share < LEAST[kind] - 2 / SPANS}
    assert wrong == {}
    assert (found["exact"], found["changed"], found["invented"]) == (1, 1, 1)
