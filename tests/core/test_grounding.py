# ruff: noqa: E501 - a case on one line reads better than a short one
import time
import unicodedata

import pytest
from core_passages import any_text, rich
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.folding import fold
from tasks.core.graphemes import Cut, cut_of, is_word
from tasks.core.grounding import MIN_SCORE, Match, Text
from tasks.core.wire import Ends

PASSAGE = (
    "The \u201cTransformer\u201d  model \u2014 a neural\n    network with na\u00efve \ufb01ne\u2010tuning\u2026"
    " was used. It beats the transformer model of 2017, and soft\u00adly so."
)


@pytest.mark.parametrize(
    ("quote", "found", "match"),
    [
        ("neural", "neural", Match.EXACT),
        ("  neural ", "neural", Match.EXACT),
        ('The "Transformer" model', "The \u201cTransformer\u201d  model", Match.NORMALISED),
        ("The 'transformer' MODEL", "The \u201cTransformer\u201d  model", Match.NORMALISED),
        ("neural network", "neural\n    network", Match.NORMALISED),
        ("model - a neural", "model \u2014 a neural", Match.NORMALISED),
        ("nai\u0308ve fine-tuning...", "na\u00efve \ufb01ne\u2010tuning\u2026", Match.NORMALISED),
        ("softly", "soft\u00adly", Match.NORMALISED),
        ("neu\u200bral", "neural", Match.NORMALISED),
        ("it BEATS the", "It beats the", Match.NORMALISED),
        (
            "a neural netwrok with na\u00efve fine-tuning",
            "a neural\n    network with na\u00efve \ufb01ne\u2010tuning",
            Match.APPROXIMATE,
        ),
    ],
)
def test_a_quote_is_found_where_it_stands(quote: str, found: str, match: Match) -> None:
    span = Text(PASSAGE).find(quote)

    assert span is not None
    assert (PASSAGE[span.start : span.end], span.match) == (found, match)


@pytest.mark.parametrize(
    "quote", ["", " ", "\n\t", "x", " T ", "\u200b\u200b", "\u00ad", "\u0301", "\ud800"]
)
def test_a_quote_of_nothing_or_one_character_is_nowhere(quote: str) -> None:
    assert Text(PASSAGE).find(quote) is None


@pytest.mark.parametrize(
    "quote",
    [
        "convolutional layers of 2012",
        "we did not use any model at all in this study",
        "xyzzy",
        "The recurrent model",
    ],
)
def test_an_invented_quote_is_nowhere(quote: str) -> None:
    assert Text(PASSAGE).find(quote) is None


def test_whole_words_are_preferred_to_parts_of_words() -> None:
    text = Text("The said AI of Said and said. aid")

    assert text.find("aid").start == 30
    assert text.find("sai").start == 4
    assert text.find("SAID").start == 4


def test_a_repeated_quote_is_the_one_nearest_to_the_hint_else_the_first() -> None:
    passage = "one two  three, one two three, one TWO three"
    text = Text(passage)

    assert text.find("one two") == text.find("one two", near=0)
    assert text.find("one two", near=3).start == 0
    assert text.find("one two", near=20).start == 16
    assert text.find("one two", near=10_000).start == 16
    assert text.find("ONE two", near=35).start == 31
    assert text.find("one two", near=-5).start == 0


@pytest.mark.parametrize(
    ("passage", "quote", "found"),
    [
        # ligatures, sharp s, Turkish, Greek final sigma
        ("the \ufb01nal o\ufb03ce", "final office", "\ufb01nal o\ufb03ce"),
        ("Die Stra\u00dfe hier", "STRASSE", "Stra\u00dfe"),
        ("in \u0130stanbul now", "i\u0307stanbul", "\u0130stanbul"),
        ("\u039f\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2 x", "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u038e\u03a3", "\u039f\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2"),
        # composed and decomposed
        ("un caf\u00e9 noir", "cafe\u0301 noir", "caf\u00e9 noir"),
        ("un cafe\u0301 noir", "caf\u00e9 NOIR", "cafe\u0301 noir"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af x", "\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("\uff76\uff9e\uff97\uff7d x", "\u30ac\u30e9\u30b9", "\uff76\uff9e\uff97\uff7d"),
        # right to left, with and without direction marks
        ("\u05e9\u05dc\u05d5\u05dd \u200f\u05e2\u05d5\u05dc\u05dd", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u05e9\u05dc\u05d5\u05dd \u200f\u05e2\u05d5\u05dc\u05dd"),
        # emoji joined by ZWJ, with variation selector
        ("a \U0001f468\u200d\U0001f469\u200d\U0001f467 b", "\U0001f468\U0001f469\U0001f467 b", "\U0001f468\u200d\U0001f469\u200d\U0001f467 b"),
        ("I \u2764\ufe0f it", "\u2764 IT", "\u2764\ufe0f it"),
        # full width and spaces of all kinds
        ("\uff21\uff22\uff23 x", "abc", "\uff21\uff22\uff23"),
        ("a\u00a0\u2003b\u3000c", "a b c", "a\u00a0\u2003b\u3000c"),
        ("x\u00b2 + y\u00bd", "x2 + y1\u20442", "x\u00b2 + y\u00bd"),
    ],
)  # fmt: skip
def test_offsets_are_code_points_in_any_script(passage: str, quote: str, found: str) -> None:
    span = Text(passage).find(quote)

    assert span is not None
    assert (passage[span.start : span.end], span.match) == (found, Match.NORMALISED)


@given(any_text | rich, any_text | rich, st.none() | st.integers(-10, 200))
def test_any_span_lies_in_the_passage_and_says_truly_how_it_matched(
    passage: str, quote: str, near: int | None
) -> None:
    span = Text(passage).find(quote, near)

    if span is not None:
        found = passage[span.start : span.end]
        assert 0 <= span.start < span.end <= len(passage)
        assert (found == quote.strip()) == (span.match is Match.EXACT)
        if span.match is Match.NORMALISED:
            assert fold(found) == fold(quote)
        assert (span.score == 100) or (MIN_SCORE <= span.score < 100)


@given(any_text | rich, st.data())
def test_every_part_of_a_passage_is_found_exactly(passage: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(passage)))
    end = data.draw(st.integers(start, len(passage)))
    quote = passage[start:end].strip()

    span = Text(passage).find(quote, near=start)

    found = span and (span.match, passage[span.start : span.end])
    if len(quote) < 2 and not is_word(quote):
        assert found is None
    elif cut_of(passage, start, end) is not Cut.A_LETTER:
        assert found == (Match.EXACT, quote)
    elif found is not None:
        assert found[0] is not Match.EXACT or found[1] == quote


words = st.lists(
    st.text(st.characters(categories=["Ll", "Lu", "Nd"]), min_size=1, max_size=8),
    min_size=3,
    max_size=30,
    unique_by=fold,
)
perturbations = st.sampled_from(
    [
        str.casefold,
        lambda quote: quote.replace(" ", "\n  "),
        lambda quote: quote.replace(" ", "\u00a0"),
        lambda quote: quote.replace(" ", " \u200b"),
        lambda quote: unicodedata.normalize("NFD", quote),
        lambda quote: unicodedata.normalize("NFKC", quote),
    ]
)


@given(words, perturbations, perturbations, st.data())
def test_what_does_not_count_never_hides_a_quote(
    several: list[str], change: object, other: object, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(several) - 2))
    end = data.draw(st.integers(start + 2, len(several)))
    planted = " ".join(several[start:end])
    passage = " ".join(several)

    span = Text(passage).find(other(change(planted)))

    assert span is not None
    assert span.match is not Match.APPROXIMATE
    assert fold(passage[span.start : span.end]) == fold(planted)


@pytest.mark.parametrize("unit", ["word and ", "\u00e9t\u00e9  \ufb01n ", "\u6f22\u5b57", "a"])
def test_a_passage_of_two_megabytes_is_searched_in_seconds(unit: str) -> None:
    passage = unit * (1_000_000 // len(unit)) + " The needle  stands here. "
    passage += unit * (1_000_000 // len(unit))
    text = Text(passage)
    began = time.perf_counter()

    exact = text.find("The needle  stands")
    folded = text.find("the needle STANDS here")
    similar = text.find("the neddle stands here")
    absent = text.find("nothing of this kind was ever written")

    assert time.perf_counter() - began < 20
    assert exact.match is Match.EXACT
    assert folded.match is Match.NORMALISED
    assert similar is None or passage[similar.start : similar.end] == "The needle  stands here"
    assert absent is None


@pytest.mark.parametrize("quote", ["\u0651\u064e", "\u0651\u064e\u0644"])
def test_marks_without_their_letter_prove_nothing(quote: str) -> None:
    text = Text("\u0644 \u0623\u0648\u0651\u064e\u0644\u064a")

    assert quote in text.passage
    assert text.find(quote) is None


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        (
            "The method of … in practice took",
            "The method of clay was early, and its use in practice took",
        ),
        (
            "the METHOD of ... in practice took",
            "The method of clay was early, and its use in practice took",
        ),
        ("was early, and […] took ten years", "was early, and its use in practice took ten years"),
        ("The method of … again was early", "The method of glass, again was early"),
        ("its use in … The method of", "its use in practice took ten years. The method of"),
        ("again was early … The method of", None),
        ("The method … ten years", None),
        ("The method of … its use … took ten years", None),
        ("The method of … took five years", None),
        ("The method of", "The method of"),
    ],
)
def test_a_quote_that_says_its_first_and_last_words_reaches_from_one_to_the_other(
    quote: str, found: str | None
) -> None:
    text = Text(
        "The method of clay was early, and its use in practice took ten years. The method of glass, again was early."
    )

    span = text.find(quote)

    assert (span and text.passage[span.start : span.end]) == found
    assert not span or span.match in (Match.BY_ITS_ENDS, Match.EXACT)


@given(
    st.lists(
        st.sampled_from(["clay", "Is", "éte", "ﬁt", "x", "of", "дом", "2"]), min_size=9, max_size=40
    ),
    st.data(),
)
def test_whatever_is_quoted_by_its_ends_stands_between_them(
    said: list[str], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, len(said) - 9))
    quote = " ".join(said[first : first + data.draw(st.integers(9, 20))])
    passage = " ".join(said)

    span = Text(passage).find(Ends(3).of(quote))

    assert span
    found = passage[span.start : span.end].split()
    assert (found[:3], found[-3:]) == (quote.split()[:3], quote.split()[-3:])
    assert span.end - span.start <= len(quote)


def test_ends_are_found_over_lines_as_they_stand_before_others_of_their_letters() -> None:
    passage = "ONE TWO THREE x. One two\nthree four five six seven eight\nnine ten. nine ten x."

    span = Text(passage).find("One two three ... eight nine ten.")

    assert span
    assert passage[span.start : span.end] == passage[17:66]
    assert span.match is Match.BY_ITS_ENDS


def test_a_joiner_at_the_end_of_a_line_joins_nothing() -> None:
    span = Text("no\u200d\rmore").find("no\u200d")

    assert span == (0, 3, Match.EXACT, 100.0)


def test_a_quote_of_nothing_but_ends_of_lines_between_its_words_is_refused_at_once() -> None:
    quote = "one two three" + "\n" * 60_000 + "four five six"
    began = time.process_time()

    assert Text("A passage that holds none of it at all.").find(quote) is None

    assert time.process_time() - began < 1  # 60 s where each end of a line was begun with anew
