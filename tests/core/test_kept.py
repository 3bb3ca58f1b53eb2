"""A block gives back what was put in, whichever release packed it."""

import zlib

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.kept import as_kept, only, pack, unpack
from tasks.core.responses import Response, Usage

SAID = st.none() | st.text(max_size=30)
RESPONSES = st.builds(
    Response,
    st.just(""),
    text=SAID,
    finish_reason=SAID,
    block_reason=SAID,
    model_version=SAID,
    error=st.none() | st.tuples(st.integers(0, 600), st.text(max_size=30)),
    usage=st.just(Usage()),
    embedding=st.none(),
    others=st.just(()),
    astray=st.none(),
    grounding_metadata=st.none() | st.dictionaries(st.text(max_size=5), st.text(max_size=5)),
)


@given(st.lists(RESPONSES, max_size=5))
def test_what_is_packed_is_read_again(responses: list[Response]) -> None:
    assert unpack(pack(responses)) == responses


@given(st.lists(RESPONSES, max_size=5))
def test_a_block_of_an_earlier_release_is_read_as_well(responses: list[Response]) -> None:
    payload = zlib.compress(orjson.dumps([as_kept(each) for each in responses]), 6)

    assert unpack(payload) == responses


@given(st.lists(RESPONSES, min_size=2, max_size=5))
def test_of_a_block_only_the_named_places_stay(responses: list[Response]) -> None:
    left = unpack(only(pack(responses), [1]))

    assert left == [r if at == 1 else Response("") for at, r in enumerate(responses)]
