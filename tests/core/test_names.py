"""Names of tables as people write them, and of concepts as they meet across versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.identity import TableName, snake_case, table_name


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
