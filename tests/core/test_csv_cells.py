"""No text of a model's is a formula in a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.csv_cells import filled, safe


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://x","y")',
        "=1+1",
        "+1+1",
        "-2+3",
        "-x",
        "+49 170 123",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n- a point",
        "  =1+1",
        "\u00a0=1+1",
        "＝1+1",  # noqa: RUF001 - the point
        "＋1",  # noqa: RUF001
        "=",
        "-",
        "-0.5+cmd|' /C calc'!A0",
    ],
)
def test_what_a_spreadsheet_computes_gets_an_apostrophe(text: str) -> None:
    assert safe(text, "quoted") == f"'{text}"
    assert safe(text, "as_is") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-0.5",
        "+3",
        "-1,000.25",
        "-.5",
        "-1e-5",
        "-5%",
        "a=b",
        "'=1",
        "C++",
        "Very High",
        "1-2",
        " a",
    ],
)
def test_numbers_and_words_stay(text: str) -> None:
    assert safe(text, "quoted") == text


@given(st.text(st.sampled_from("=+-@\t\r 0.5a'"), max_size=8))
def test_what_is_safe_stays_safe(text: str) -> None:
    once = safe(text, "quoted")

    assert safe(once, "quoted") == once
    assert once.removeprefix("'") == text.removeprefix("'")


def test_every_one_of_our_columns_is_safe_and_numbers_are_numbers() -> None:
    answer = {"reasoning": "=1+1", "score": -0.5, "tags": ["-x", "y"], "text": "-0.5"}
    row = {"state": "written", "reason": None, "detail": None, "answer": answer}
    columns = ["ai_status", "ai_error_message", "ai_reasoning", "ai_score", "ai_tags", "ai_text"]

    cells = filled(row, "ai_", columns)

    assert cells == {
        "ai_status": "SUCCESS",
        "ai_error_message": "",
        "ai_reasoning": "'=1+1",
        "ai_score": "-0.5",
        "ai_tags": "'-x, y",
        "ai_text": "-0.5",
    }
    assert filled(row, "ai_", columns, "as_is")["ai_reasoning"] == "=1+1"
