"""A text cut to what a model reads: never too long by our guess, never in the middle of a word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.cutting import SURE_SHARE, cut, fits, tokens

LIMITS = st.integers(1, 60)
# What a reader sees as one character each, whatever they are made of.
CHARACTERS = (
    "a",
    " ",
    ".",
    "漢",
    "e\u0301",
    "\r\n",
    "각",
    "\u1112\u1161\u11ab",
    "\U0001f1e9\U0001f1ea",
    "\U0001f44b\U0001f3fd",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",
    "\u0915\u094d\u0937",
    "\u2764\ufe0f",
)


@given(st.text(st.characters()), LIMITS)
def test_a_cut_text_is_the_beginning_of_the_whole_and_within_the_limit(
    text: str, limit: int
) -> None:
    kept = cut(text, limit)

    assert text.startswith(kept)
    assert tokens(kept) <= limit * SURE_SHARE
    assert (kept == text) == fits(text, limit)


@given(st.lists(st.sampled_from(CHARACTERS), max_size=200), LIMITS)
def test_no_character_is_cut_in_two_unless_it_alone_is_too_long(
    characters: list[str], limit: int
) -> None:
    text = "".join(characters)

    kept = cut(text, limit)

    places = {0}
    for character in characters:
        places.add(max(places) + len(character))
    assert len(kept) in places or len(kept) <= max(map(len, CHARACTERS))


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=12), min_size=1), st.integers(4, 60))
def test_no_word_is_cut_in_two_unless_it_alone_is_too_long(words: list[str], limit: int) -> None:
    kept = cut(" ".join(words), limit)

    assert kept.split() == words[: len(kept.split())]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=60), st.integers(10, 60))
def test_no_sentence_is_cut_in_two_where_whole_ones_are_half_of_what_fits(
    lengths: list[int], limit: int
) -> None:
    text = " ".join(" ".join(["word"] * length) + "." for length in lengths)

    kept = cut(text, limit)

    assert kept == text or kept.endswith(".") or tokens(kept) >= limit * SURE_SHARE / 2
    assert not kept.endswith(" ")


@given(st.text("abc漢字👋é \n.", min_size=1, max_size=300), LIMITS)
def test_nothing_is_cut_off_that_fits_and_a_word_longer_than_all_is_not_lost_whole(
    text: str, limit: int
) -> None:
    kept = cut(text, limit)

    assert kept or limit * SURE_SHARE < 2 or text[:1].isspace()


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("One two. Three four. Five six seven.", 7, "One two. Three four."),
        ("Is it? It is! And then some more", 5, "Is it? It is!"),
        ("He said “stop.” Then more came by", 7, "He said “stop.”"),
        ("first line\nsecond line that is longer", 5, "first line"),
        ("no end of a sentence anywhere in here", 6, "no end of a sentence"),
        ("A. then a very long run without any end", 8, "A. then a very long run"),
        ("你好。世界很大。还有更多的话", 9, "你好。世界很大。"),
        ("没有标点的很长的一段文字", 5, "没有标点"),
        ("x" * 100, 10, "x" * 36),
        ("3.14159 is a number", 4, "3.14159"),
    ],
)
def test_where_a_text_is_cut(text: str, limit: int, kept: str) -> None:
    assert cut(text, limit) == kept


def test_the_guess_counts_four_letters_two_digits_or_one_character_of_chinese_as_a_token() -> None:
    assert tokens("abcd" * 25) == 25
    assert tokens("12" * 25) == 25
    assert tokens("漢" * 25) == 25
    assert tokens("👋" * 25) == 50


def test_a_long_text_of_one_endless_character_is_cut_all_the_same() -> None:
    kept = cut("e" + "\u0301" * 5_000, 100)

    assert tokens(kept) <= 90
