"""What models and rows write, read by a Markdown reader: it is data, whatever stands in it."""

import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tasks.adapters.pages import render
from tasks.core.highlight import highlight
from tasks.core.markdown import escape, inert
from tasks.core.traces import as_shown, is_named

ACTIVE = {"html_block", "html_inline", "link_open", "image", "heading_open", "blockquote_open"}
READER = MarkdownIt("commonmark", {"html": True}).enable("table")
PIECES = (
    *("![a](http://x.test/p.png)", "[a](javascript:alert(1))", "<img src=//x.test>", "<!-- ", "<?"),
    *("<http://x.test>", "<b", "](", "]", "[", "(", ")", "![", "[a]: //x.test", "[a]", "\\", "`"),
    *("``", "|", "\n", "\r\n", "&lt;script&gt;", "&#60;b>", "&", "# ", "> ", "*", "_", "a", " "),
    *("http://x.test/", "www.x.test", "a@x.test", "://", "\u2028", "```\n", "</td>", "~~~\n"),
    *("\x1b]8;;http://x.test\x07", "\x1b[2J", "\x9b", "\u202e", "\0"),
)
hostile = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def tokens(text: str) -> list[Token]:
    top = READER.parse(text)
    return [*top, *(inner for token in top for inner in token.children or ())]


def harmless(page: str) -> bool:
    found = tokens(page)
    texts = [token.content for token in found if token.type == "text"]
    bare = re.compile(r"://|www\.|\w@\w|[\0-\x08\x0e-\x1f\x7f-\x9f\u202e]")
    return not {token.type for token in found} & ACTIVE and not any(map(bare.search, texts))


@given(hostile)
def test_no_text_becomes_html_a_link_or_an_image(text: str) -> None:
    shown, said = escape(text), str(inert(text))

    for each in (shown, said, highlight(text, [(1, 9)])):
        assert harmless(each)
        assert harmless(f"a: {each}")
        assert "\n" not in each
        cells = [t for t in tokens(f"| a | b |\n|---|---|\n| {each} | z |") if t.type == "td_open"]
        assert len(cells) == 2


def test_our_own_words_stay_as_they_are_and_what_was_escaped_stays_so() -> None:
    said = "set source.text in [songs] of backfills.toml: `passage_concepts`, 2 < 3, x*y"

    assert inert(said) == said
    assert inert(inert("a|b")) == "a\\|b"
    assert inert(7) == 7


def test_a_page_puts_in_nothing_but_data() -> None:
    evil = "<img src=//x.test>|![a](http://x.test)"
    findings = [{"targets": 3, "finding": evil, "is_good": False}]

    class Named:
        title = evil

    page = render("verify.md", backfill=Named, findings=findings, now=datetime.now(UTC))

    assert not {token.type for token in tokens(page)} & (ACTIVE - {"heading_open"})
    assert is_named(f"| {escape(evil)} | x |", as_shown([evil]))
