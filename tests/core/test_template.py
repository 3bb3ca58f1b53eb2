"""Texts as templates over columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.template import Part, Slot, TemplateError, parse

WORDS = st.text(st.characters(exclude_characters="{}"), max_size=12)
NAMES = WORDS.filter(lambda word: word.strip())
PIECES = st.lists(st.tuples(WORDS, NAMES), min_size=1, max_size=4)


def test_a_template_is_words_and_columns_in_their_order() -> None:
    template = parse("{artist} - {title} ({{live}})")

    assert template.columns == ("artist", "title")
    assert template.render({"artist": "Å", "title": "B"}) == "Å - B ({live})"
    assert not template.is_plain
    assert template.question == "{artist} - {title} ({{live}})"


def test_a_column_alone_is_the_question_itself_whatever_it_is_called() -> None:
    assert parse("{passage_text}").is_plain
    assert parse("{passage_text}").question == parse("{body}").question == ""


@pytest.mark.parametrize("name", ["Energy Score", "#", "Été: 1", "a.b", 'the "name"', " padded "])
def test_a_column_may_have_any_name_but_a_brace(name: str) -> None:
    assert parse(f"{{{name}}}").pieces == (Slot(name),)


@pytest.mark.parametrize(
    "text", ["{", "}", "{}", "{ }", "{a", "a}", "{a{b}}", "{{a}}", "", "plain"]
)
def test_a_lost_brace_or_no_column_is_one_sentence(text: str) -> None:
    with pytest.raises(TemplateError, match=r"braces|belongs to no column"):
        parse(text)


@given(PIECES, WORDS, st.data())
def test_parts_are_where_the_values_stand(
    pieces: list[tuple[str, str]], end: str, data: st.DataObject
) -> None:
    template = parse("".join(f"{word}{{{name}}}" for word, name in pieces) + end)
    values = {name: data.draw(WORDS) for name in template.columns}

    text = template.render(values)
    parts = template.parts([len(values[name]) for name in template.columns])

    assert [part.column for part in parts] == list(template.columns)
    assert all(text[start:stop] == values[name] for name, start, stop in parts)


def test_a_value_that_looks_like_a_column_is_no_column() -> None:
    template = parse("{a}: {b}")

    assert template.render({"a": "{b}", "b": "x"}) == "{b}: x"
    assert template.parts([3, 1]) == (Part("a", 0, 3), Part("b", 5, 6))
