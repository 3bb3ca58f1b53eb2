# ruff: noqa: RUF001 - names in their own scripts
"""Names of tables as people write them, and of concepts as they meet across versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.identity import TableName, as_written, names, snake_case, table_name
from tasks.core.unseen import is_blank, only_seen


@pytest.mark.parametrize(
    ("written", "name", "quoted"),
    [
        ("passages", TableName(None, "passages"), '"passages"'),
        ("kb.Reviews", TableName("kb", "Reviews"), '"kb"."Reviews"'),
        ('kb."Reviews"', TableName("kb", "Reviews"), '"kb"."Reviews"'),
        ('"My Schema"."a.b"', TableName("My Schema", "a.b"), '"My Schema"."a.b"'),
        ('"say ""hi"""', TableName(None, 'say "hi"'), '"say ""hi"""'),
    ],
)
def test_a_table_is_named_in_the_letters_that_the_database_has(
    written: str, name: TableName, quoted: str
) -> None:
    assert table_name(written) == name
    assert name.quoted == quoted


@pytest.mark.parametrize("written", ["", "a.b.c", ".a", "a.", '"a', '""'])
def test_what_is_no_name_of_a_table_says_how_one_is_written(written: str) -> None:
    with pytest.raises(ValueError, match=r"write table or schema\.table"):
        table_name(written)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Gene expression", "gene_expression"),
        ("gene  expression", "gene_expression"),
        ("gene\u00a0expression", "gene_expression"),
        ("gene-expression", "gene_expression"),
        ("\u200bGene Expression", "gene_expression"),
        ("Optimal Transport (OT)", "optimal_transport_ot"),
        ("Schrödinger Equation", "schrödinger_equation"),
        ("Schro\u0308dinger equation", "schrödinger_equation"),
        ("C++", "c++"),
        ("C#", "c#"),
        ("किताबें", "किताबें"),
        ("\ufb01le system", "file_system"),
        ("...", ""),
        ("\u200b", ""),
        ("Deep learning", "deep_learning"),
        ("deep \u00a0 learning\n", "deep_learning"),
        ("deep\u200b learning", "deep_learning"),
        ("de\u00adep_learn\u200ding", "deep_learning"),
        ("\u202edeep\u202c learning\u200f", "deep_learning"),
        ("caf\u00e9", "caf\u00e9"),
        ("cafe\u0301", "caf\u00e9"),
        ("CAFE\u034f\u0301", "caf\u00e9"),
        ("deep\x08 learn\x00ing\x1b", "deep_learning"),
        ("\u3164\u2800\ufeff", ""),
    ],
)
def test_a_concepts_name_has_one_canonical_form(written: str, canonical: str) -> None:
    assert snake_case(written) == canonical


@given(st.text(max_size=40))
def test_a_canonical_name_is_its_own_canonical_form(name: str) -> None:
    once = snake_case(name)

    assert snake_case(once) == once
    assert " " not in once
    assert not once.startswith("_")
    assert not once.endswith("_")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Deep learning", "Deep learning"),
        ("  Deep \u00a0\n learning ", "Deep learning"),
        ("\u200bDeep\u200d learning\u00ad", "Deep learning"),
        ("\u202eDeep\u2069 learning", "Deep learning"),
        ("cafe\u0301-au_lait", "café-au_lait"),
        ("$\\beta$\x08-test\x1f", "$\\beta$-test"),
        ("C++\u2800/ C#", "C++ / C#"),
        ("?!", "?!"),
        ("\u200b", ""),
        ("\u3164 \u2800\x07\ufe0f", ""),
        # A joiner stays only where letters or pictures look otherwise without it.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष \u200dक", "क्\u200dष क"),
        ("\U0001f469\u200d\U0001f4bb\u200d", "\U0001f469\u200d\U0001f4bb"),
        ("\u2764\ufe0f a\ufe0f", "\u2764\ufe0f a"),
    ],
)
def test_a_name_as_it_is_written_has_nothing_unseen(written: str, kept: str) -> None:
    assert as_written(written) == kept


@given(st.text(max_size=40))
def test_no_name_has_a_character_that_is_not_seen(name: str) -> None:
    for found in (snake_case(name), as_written(name)):
        joiners = "" if found == snake_case(name) else "\u200c\u200d\ufe0f"
        assert all(mark == " " or mark in joiners or not is_blank(mark) for mark in found)
        assert "  " not in found
    assert as_written(as_written(name)) == as_written(name)


def test_one_name_is_kept_once_in_the_words_that_came_first() -> None:
    said = [
        "Adam",
        " ADAM",
        "ada\u200bm",
        "\u200b",
        "Café",
        "CAFE\u0301",
        "SGD",
        "می\u200cخواهم",
        "میخواهم",
    ]

    assert names(said) == ["Adam", "Café", "SGD", "می\u200cخواهم"]


def test_nothing_unseen_is_left_in_a_value_but_what_the_text_itself_has() -> None:
    text = "It says so\u200bft \u202eword\u202c here."

    assert only_seen("a \x08b\u202e c\u200b\nd\te\ufeff", text) == "a b c\nd\te"
    assert only_seen("so\u200bft \u202eword\u202c", text) == "so\u200bft \u202eword\u202c"
    assert snake_case("می\u200cخواهم") == snake_case("میخواهم") == "میخواهم"


def test_every_code_point_alone_is_a_stable_name() -> None:
    for code in range(0x110000):
        name = f"a{chr(code)}b"
        assert snake_case.__wrapped__(snake_case.__wrapped__(name)) == snake_case.__wrapped__(name)
