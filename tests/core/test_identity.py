from hypothesis import given
from hypothesis import strategies as st

from tasks.core.identity import content_hash, digest, display_name, doc_id, lock_key

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(st.lists(texts), st.lists(texts))
def test_two_lists_of_parts_have_one_digest_only_if_they_are_equal(
    left: list[str], right: list[str]
) -> None:
    same = digest(left) == digest(right)

    assert same == (left == right)


def test_where_one_part_ends_and_the_next_begins_is_part_of_the_digest() -> None:
    assert digest(["ab", "c"]) != digest(["a", "bc"])


@given(texts, texts)
def test_a_changed_text_is_a_new_doc_id(before: str, after: str) -> None:
    ids = [doc_id("b", "v1", "7", content_hash(text)) for text in (before, after)]

    assert (ids[0] == ids[1]) == (before == after)


@given(texts, texts)
def test_a_display_name_fits_the_services_512_characters(slice_id: str, salt: str) -> None:
    name = display_name(digest([slice_id])[:16], digest([salt]))

    assert len(name) <= 512


@given(st.lists(texts, min_size=1))
def test_a_lock_key_fits_a_signed_bigint(parts: list[str]) -> None:
    assert -(2**63) <= lock_key(*parts) < 2**63
