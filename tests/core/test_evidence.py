import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.concepts import CONTEXT, SOURCE_TEXT, PassageEvidence, storable
from tasks.core.grounding import Text

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
