import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.core.concepts import CONTEXT, SOURCE_TEXT, PassageEvidence, storable
from tasks.core.grounding import Text
from tasks.core.template import parse

PASSAGE = "A  neural network (or \u201cnet\u201d) learns. It is trained on ImageNet with SGD."


def about(passage: str, surface: str, quotes: list[str], confidence: float = 0.9) -> Any:
    return json.loads(PassageEvidence(Text(passage)).about(surface, quotes, confidence).json)


def test_evidence_has_the_agreed_shape() -> None:
    said = about(PASSAGE, "SGD", ["trained on ImageNet"])

    start = PASSAGE.index("trained")
    assert said == {
        "surface": "SGD",
        "support": [{"quote": "trained on ImageNet", "start": start, "end": start + 19}],
        "context": PASSAGE,
        "source_text": PASSAGE,
        "quality": {"confidence": 0.9, "notes": "exact"},
    }


@pytest.mark.parametrize(
    ("quotes", "notes", "support"),
    [
        (["learns."], "exact", 1),
        (["a neural network"], "normalised", 1),
        (["It is trianed on ImageNet"], "approximate, score 96", 1),
        (["never written in this passage"], "quote not found in the text", 0),
        ([], "no quote given", 0),
        (["learns.", "with SGD"], "exact", 2),
        (["learns.", "a neural network", "never written here"],
         "exact; normalised; quote not found in the text", 2),
    ],
)  # fmt: skip
def test_the_notes_say_how_it_was_matched(quotes: list[str], notes: str, support: int) -> None:
    said = about(PASSAGE, "net", quotes)

    assert said["quality"]["notes"] == notes
    assert len(said["support"]) == support


def test_a_quote_that_is_not_found_has_no_offsets_and_no_context() -> None:
    said = about(PASSAGE, "net", ["never written in this passage"])

    assert (said["support"], said["context"]) == ([], "")
    assert said["source_text"] == PASSAGE


def test_a_long_passage_is_cut_around_the_quote() -> None:
    passage = "filler " * 1_000 + "the needle" + " filler" * 1_000

    said = about(passage, "needle", ["the needle"])

    assert len(said["context"]) == CONTEXT
    assert len(said["source_text"]) == SOURCE_TEXT
    assert "the needle" in said["context"]
    assert said["context"] in said["source_text"]


def test_what_jsonb_cannot_hold_is_left_out_of_what_the_model_said() -> None:
    said = about(PASSAGE, "n\0et\ud800", ["lea\0rns"])

    assert said["surface"] == "net\ufffd"
    assert said["support"] == []


def test_an_escape_does_not_make_up_for_a_nul() -> None:
    assert about('a "\0bc', "a", ['"\0bc'])["support"] == []


def test_a_quote_that_jsonb_would_change_is_not_support() -> None:
    said = about("It holds a\0b and a\ud800b.", "a", ["holds a\0b", "a\ud800b", "It holds"])

    assert [entry["quote"] for entry in said["support"]] == ["It holds"]
    assert "quote not found" in said["quality"]["notes"]


def test_a_repeated_quote_is_taken_beside_the_surface() -> None:
    passage = "We use it. Later on, for BERT, we use it."

    said = about(passage, "BERT", ["we use it"])

    assert said["support"][0]["start"] == 31


@pytest.mark.parametrize("surface", ["AI", "bert", "\u201cBERT\u201d"])
def test_a_surface_is_a_whole_word_and_need_not_be_exact(surface: str) -> None:
    passage = "It is said: we use it. Later on, and much later, 'BERT' came, AI too: we use it."

    start = about(passage, surface, ["we use it"])["support"][0]["start"]

    assert start == passage.rindex("we use it")


def test_a_surface_that_is_not_in_the_text_has_nothing_unseen() -> None:
    assert about(PASSAGE, "ne\u202ets\u200b", [])["surface"] == "nets"


any_text = st.text(st.characters(), max_size=60)
passages = any_text | st.text(
    st.sampled_from('ab \u00e9"\\\n\0\ud800\u201c\U0001f600'), max_size=2_000
)


@given(
    passages,
    any_text,
    st.lists(any_text, max_size=3),
    st.floats() | st.none(),
    st.data(),
)
def test_evidence_is_json_that_jsonb_takes_and_every_quote_is_its_span(
    passage: str, surface: str, quotes: list[str], confidence: float | None, data: st.DataObject
) -> None:
    if passage:
        start = data.draw(st.integers(0, len(passage) - 1))
        quotes = [*quotes, passage[start : start + 40]]

    evidence = PassageEvidence(Text(passage)).about(surface, quotes, confidence)

    said = json.loads(evidence.json.decode())
    assert "\\u0000" not in evidence.json.decode().replace("\\\\", "")
    assert list(said) == ["surface", "support", "context", "source_text", "quality"]
    for entry, span in zip(said["support"], evidence.spans, strict=True):
        assert passage[entry["start"] : entry["end"]] == entry["quote"]
        assert (entry["start"], entry["end"]) == span[:2]
    assert len(said["context"]) <= CONTEXT
    assert len(said["source_text"]) <= SOURCE_TEXT
    if said["support"] and len(said["support"][0]["quote"]) <= CONTEXT:
        assert said["support"][0]["quote"] in said["context"]


@given(any_text)
def test_a_storable_string_is_the_text_without_nul(text: str) -> None:
    said = json.loads(storable(text))

    assert "\0" not in said
    assert len(said) == len(text.replace("\0", ""))


COLUMNS = ("title", "body", "tags")
SEPARATORS = ("", " ", ": ", " (100%): ", "\n")
values = st.text(st.sampled_from('ab \u00e9"\n\0\ud800'), max_size=30) | any_text


def of_columns(template: str, *cells: str) -> PassageEvidence:
    """Return what writes the evidence of a text that is made of several columns."""
    made = parse(template)
    text = made.render(dict(zip(made.columns, cells, strict=True)))
    return PassageEvidence(Text(text), made.parts([len(cell) for cell in cells]))


def support_of(evidence: PassageEvidence, *quotes: str) -> list[dict[str, Any]]:
    return json.loads(evidence.about("", quotes).json)["support"]


def test_a_quote_of_a_composed_text_names_its_column_and_its_place_within_that() -> None:
    evidence = of_columns("{title}: {body}", "Boots", "They leak. Boots!")

    assert support_of(evidence, "leak", "Boots!", "boots") == [
        {"quote": "leak", "column": "body", "start": 5, "end": 9},
        {"quote": "Boots!", "column": "body", "start": 11, "end": 17},
        {"quote": "Boots", "column": "title", "start": 0, "end": 5},
    ]


@pytest.mark.parametrize("quote", ["Boots: They leak", "boots: they", ": They leak", "(as told)"])
def test_a_quote_over_two_columns_or_of_the_templates_own_words_is_not_placed(quote: str) -> None:
    evidence = of_columns("{title}: {body} (as told)", "Boots", "They leak.")

    found = evidence.about("", [quote])

    assert found.spans == []
    said = json.loads(found.json)
    assert (said["support"], said["quality"]["notes"]) == ([], "quote not found in the text")


def test_a_quote_that_first_stands_across_columns_is_found_within_one() -> None:
    evidence = of_columns("{title} {body}", "so", "so so it goes")

    assert support_of(evidence, "so so") == [
        {"quote": "so so", "column": "body", "start": 0, "end": 5}
    ]


@given(
    st.lists(values, min_size=3, max_size=3),
    st.lists(st.sampled_from(SEPARATORS), min_size=2, max_size=2),
    st.lists(any_text, max_size=2),
    st.data(),
)
def test_every_quote_of_a_composed_text_is_its_span_in_the_columns_own_value(
    cells: list[str], between: list[str], quotes: list[str], data: st.DataObject
) -> None:
    evidence = of_columns("".join(["{title}", between[0], "{body}", between[1], "{tags}"]), *cells)
    text = cells[0] + between[0] + cells[1] + between[1] + cells[2]
    start = data.draw(st.integers(0, len(text)))
    quotes = [*quotes, text[start : start + data.draw(st.integers(0, 30))]]

    found = evidence.about("", quotes)

    by_name = dict(zip(COLUMNS, cells, strict=True))
    for entry, span in zip(json.loads(found.json)["support"], found.spans, strict=True):
        assert by_name[entry["column"]][entry["start"] : entry["end"]] == entry["quote"]
        assert text[span.start : span.end] == entry["quote"]


@given(
    st.lists(values, min_size=2, max_size=2),
    st.text(st.sampled_from('abc \u00e9"\n'), min_size=4, max_size=30) | any_text,
    st.integers(0, 2),
    st.data(),
)
def test_what_is_copied_from_a_column_is_placed(
    others: list[str], cell: str, place: int, data: st.DataObject
) -> None:
    """If jsonb can hold it, and if it is more than one character."""
    cells = [*others[:place], cell, *others[place:]]
    start = data.draw(st.integers(0, max(0, len(cell) - 2)))
    quote = cell[start : start + data.draw(st.integers(2, 30))].strip()
    assume(len(quote) > 1 and not {"\0", "\ud800"} & set(quote))
    assume(json.loads(storable(quote)) == quote)

    [entry] = support_of(of_columns("{title} {body} {tags}", *cells), quote)

    assert entry["quote"] == quote
