from hypothesis import given
from hypothesis import strategies as st

from tasks.documents.core.identity import doc_id, logical_key_id

WORDS = st.text(max_size=8)
PARTS = st.tuples(WORDS, WORDS, WORDS, WORDS)


@given(PARTS, PARTS)
def test_logical_keys_are_equal_only_for_equal_parts(
    a: tuple[str, str, str, str], b: tuple[str, str, str, str]
) -> None:
    assert (logical_key_id(*a) == logical_key_id(*b)) == (a == b)


@given(PARTS, PARTS)
def test_doc_ids_are_equal_only_for_equal_parts(
    a: tuple[str, str, str, str], b: tuple[str, str, str, str]
) -> None:
    assert (doc_id(*a) == doc_id(*b)) == (a == b)


def test_an_essay_goes_by_its_parent_and_falls_back_to_its_combination() -> None:
    by_parent = logical_key_id("essay", "combo-1", "template", "model", "parent")
    other_combo = logical_key_id("essay", "combo-2", "template", "model", "parent")
    fallback = logical_key_id("essay", "combo-1", "template", "model")

    assert by_parent == other_combo
    assert fallback not in {by_parent, logical_key_id("essay", "combo-2", "template", "model")}


def test_a_combination_named_like_a_parent_is_not_that_parent() -> None:
    assert logical_key_id("essay", "x", "t", "m") != logical_key_id("essay", "", "t", "m", "x")


def test_ids_are_what_they_were_in_earlier_versions() -> None:
    key = logical_key_id("draft", "combo", "template", "model")

    assert key == "b294d283a08ba9b19592f004f209547c"
    assert (
        doc_id(key, "main", "draft_generation_results.csv", "task#1")
        == "9b870d95d60f7b36e3d65daaad3193d0"
    )
