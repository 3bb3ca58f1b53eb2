import pytest
from core_passages import any_text, rich
from hypothesis import given

from tasks.core.folding import Folded, fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A  b\n\tc", "a b c"),
        ("\u201cx\u201d \u2018y\u2019 `z`", "'x' 'y' 'z'"),
        ("a\u2014b\u2013c\u2212d", "a-b-c-d"),
        ("wait\u2026", "WAIT..."),
        ("so\u00adft zero\u200bwidth \ufeff", "soft zerowidth"),
        ("\ufb01sh", "fish"),
        ("Stra\u00dfe", "STRASSE"),
        ("e\u0301", "\u00c9"),
        ("\u2126 \u212b", "\u03c9 \u00e5"),
        ("e\u0323\u0307", "e\u0307\u0323"),
    ],
)
def test_what_does_not_count_folds_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("resume", "r\u00e9sum\u00e9"),
        ("\u0131", "i"),
        ("ab", "a b"),
        ("well-known", "wellknown"),
        ("3.5", "35"),
    ],
)
def test_what_counts_stays_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(any_text | rich)
def test_folding_with_a_map_is_folding(text: str) -> None:
    folded = Folded(text)

    assert " ".join(folded.text.split()) == fold(text)


@given(any_text | rich)
def test_the_map_back_never_runs_backwards(text: str) -> None:
    folded = Folded(text)

    places = [folded.source(place) for place in range(len(folded.text))]
    assert places == sorted(places)
    assert all(0 <= place < len(text) for place in places)
