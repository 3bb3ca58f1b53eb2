"""No answer, whatever it says, takes longer to read than its length allows."""

import gc
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import backfills
from tasks.core import lenient
from tasks.core.answers import Answered, BadReason, Refused, judge
from tasks.core.responses import Response

MODELS = [backfills.get(name).answer_model for name in backfills.names()]
CONCEPTS = backfills.get("passage_concepts").answer_model
GOOD = '{"name":"a","type":"method","aliases":[],"confidence":0.5,"surface":"x","quotes":[]}'
BAD = GOOD.replace("0.5", "null")

CEILING = 0.05
BUSY = 8
"""A machine with other work may take so many times as long."""

# What stands before, what is repeated, what stands behind.
SHAPES = {
    "braces": ("", "{", ""),
    "brackets": ("", "[", ""),
    "pairs": ("", "{}", ""),
    "nested answers": ("", '{"concepts":', ""),
    "nested lists in an answer": ('{"concepts":[', "[", ""),
    "quotes in a value": ('{"concepts":[{"name":"', 'he said "no" and ', '"}]}'),
    "quotes in a value, cut off": ('{"concepts":[{"name":"', 'he said "no" and ', ""),
    "quotes alone": ('{"concepts":["', '"', ""),
    "quotes and commas": ('{"concepts":["', '", ', ""),
    "single quotes": ("{'concepts':['", "it's ", "']}"),
    "curled quotes": ("{“concepts”: [“", "a “b” ", ""),
    "fences": ("", "```json\n{", ""),
    "fenced objects": ("", "```json\n{}\n```\n", ""),
    "commas": ('{"concepts":[', ",", "]}"),
    "wrong items": ('{"concepts":[', "1,", "1]}"),
    "empty items": ('{"concepts":[', "{},", "{}]}"),
    "empty items, cut off": ('{"concepts":[', "{},", ""),
    "items that cannot be mended": ('{"concepts":[', BAD + ",", GOOD + "]}"),
    "good items and a comma": ('{"concepts":[', GOOD + ",", "]}"),
    "good items, cut off": ('{"concepts":[', GOOD + ",", GOOD[:-9]),
    "prose": ("", "words and words ", ""),
    "prose with brackets": ("", "see [1] and {x} ", ""),
    "prose with open brackets": ("", "see [1 and {x ", ""),
    "blanks": ('{"concepts"', " ", ""),
    "blank lines behind": ('{"concepts":[]}', "\n", "x"),
    "backslashes": ('{"concepts":[{"name":"', "\\", ""),
    "latex": ('{"concepts":[{"name":"', r"$\beta ", '"}]}'),
    "dollars": ('{"concepts":[{"name":"\\b', "$", '"}]}'),
    "digits": ('{"concepts":', "9", "}"),
    "decimals": ('{"concepts":0.', "9", "}"),
    "an exponent": ('{"concepts":[1e', "9", "]}"),
    "words for keys": ("{", "a ", ""),
    "colons": ("{", ":", ""),
    "one key again and again": ("{", '"a":1,', '"concepts":[]}'),
    "comments": ("{", "//", ""),
    "half surrogates": ('{"concepts":[{"name":"', "\\ud800", '"}]}'),
    "too many skills": ('{"skills":[', '"a",', '"a"],"seniority":"senior","summary":"x"}'),
    "skills that are none": ('{"skills":[', "1,", '"a"],"seniority":"senior","summary":"x"}'),
}


def text_of(shape: str, size: int) -> str:
    before, again, behind = SHAPES[shape]
    return before + again * (size // len(again)) + behind


@pytest.fixture(autouse=True)
def _without_collector() -> Iterator[None]:
    """As it is while a slice is written."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("finish", ["STOP", "MAX_TOKENS"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_adversarial_text_of_any_size_is_read_in_time(shape: str, finish: str) -> None:
    for size in (30_000, 100_000, 190_000, 390_000, 990_000, 5_000_000):
        text = text_of(shape, size)
        for model in MODELS:
            began = time.process_time()
            said = judge(Response("k", text, finish), model)
            took = time.process_time() - began

            assert isinstance(said, Answered | Refused)
            assert took < CEILING * BUSY, (shape, size, model)


@pytest.mark.parametrize("shape", SHAPES)
def test_reading_takes_no_more_memory_than_some_times_the_text(shape: str) -> None:
    for size in (100_000, 390_000):
        text = text_of(shape, size)
        judge(Response("k", text, "STOP"), CONCEPTS)
        tracemalloc.start()
        said = judge(Response("k", text, "STOP"), CONCEPTS)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert most < 60 * size, (shape, size)
        assert said


@pytest.mark.parametrize("shape", SHAPES)
def test_the_lenient_reader_is_linear(shape: str) -> None:
    took = []
    for size in (40_000, 320_000):
        text = text_of(shape, size)
        start = max(text.find("{"), 0)
        rounds = []
        for _ in range(3):
            began = time.process_time()
            lenient.read(text, start)
            rounds.append(time.process_time() - began)
        took.append(min(rounds))

    assert took[1] < 8 * 4 * max(took[0], 0.001)


def test_a_large_answer_of_good_items_is_read_whole() -> None:
    text = text_of("good items and a comma", 100_000)[:-3] + "]}"

    said = judge(Response("k", text, "STOP"), CONCEPTS)

    assert isinstance(said, Answered)
    assert len(said.answer.concepts) == 100_000 // (len(GOOD) + 1)  # type: ignore[attr-defined]


def test_quotes_that_nobody_escaped_are_the_value_s_own_however_many_they_are() -> None:
    name = 'he said "no" and left ' * 2_000
    text = '{"concepts":[' + GOOD.replace('"a"', f'"{name}"') + "]}"

    said = judge(Response("k", text, "STOP"), CONCEPTS)

    assert isinstance(said, Answered)
    assert said.answer.concepts[0].name == name  # type: ignore[attr-defined]
    assert said.repaired


def test_what_is_longer_than_any_answer_is_asked_again() -> None:
    said = judge(Response("k", "{" * 2_000_000, "STOP"), CONCEPTS)

    assert isinstance(said, Refused)
    assert said.reason is BadReason.NOT_JSON
    assert said.detail.startswith("2,000,000 characters, more than any answer has")


pieces = st.lists(
    st.sampled_from([*"{}[]\",:'\\\n", " ", "“", "a", "1", "null", "//", '"a":', "$", GOOD]),
    max_size=40,
)


@given(pieces, st.integers(1, 300))
def test_any_pieces_repeated_are_read_in_time(several: list[str], times: int) -> None:
    text = "".join(several) * times
    began = time.process_time()

    said = judge(Response("k", '{"concepts":[' + text[:300_000], "STOP"), CONCEPTS)

    assert isinstance(said, Answered | Refused)
    assert time.process_time() - began < CEILING * BUSY
