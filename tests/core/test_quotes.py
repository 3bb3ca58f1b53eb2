"""Quotes for a person to see, and blocks in which nothing is read."""

from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tasks.core.markdown import WIDTH, block
from tasks.core.next_version import next_version
from tasks.core.quotes import NotedText, marked, why_nowhere
from tasks.core.template import Part

READER = MarkdownIt("commonmark", {"html": True}).enable("table")
TEXT = "Careful measurement shows where the simple model holds. See “tests” on page 4."
lines = st.lists(
    st.text(max_size=200) | st.sampled_from(["```", "### 1. a", "<b>", "* x", "| a |"])
)


@given(lines.map("\n".join))
def test_a_block_is_one_piece_of_code_whatever_stands_in_it(text: str) -> None:
    page = READER.parse(f"before\n\n{block(text)}\n\nafter\n")

    assert {token.type for token in page} <= {
        *("paragraph_open", "inline", "paragraph_close", "code_block")
    }
    written = block(text).splitlines()
    assert all(line.startswith("    ") and len(line) <= WIDTH + 4 for line in written)
    assert "".join(line[4:] for line in written) == "".join(text.splitlines())


@given(st.text(max_size=60))
def test_a_quote_has_a_place_or_a_reason_and_never_both(quote: str) -> None:
    text = NotedText(TEXT)

    span = text.find(quote)

    [noted] = text.quotes()
    assert noted.span == span
    assert bool(noted.why) == (span is None)
    assert noted.sentence()
    assert (marked(TEXT, [noted]) == marked(TEXT, ())) == (span is None)


def test_why_a_quote_stands_nowhere_is_said_by_its_kind() -> None:
    why = partial(why_nowhere, TEXT)

    assert why(" ") == "it is empty"
    assert why("x") == "a single character proves nothing"
    assert why("zebra") == "it is not in the text, and too short to be looked for by likeness"
    assert why("a wholly invented sentence").startswith(
        "it is not in the text: the nearest words score "
    )


def test_a_quote_across_two_columns_stands_in_none() -> None:
    text = NotedText("one two: three four", (Part("a", 0, 7), Part("b", 9, 19)))

    text.find("two: three")
    text.find("three four")

    assert [bool(quote.span) for quote in text.quotes()] == [False, True]
    assert "across columns" in text.quotes()[0].why


def test_the_next_version_is_one_that_nobody_has_used() -> None:
    assert next_version("gemini_batch_v1") == "gemini_batch_v2"
    assert next_version("v9", {"v10", "v11"}) == "v12"
    assert next_version("tones") == "tones_v2"
