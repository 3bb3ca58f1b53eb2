"""What a refused job was refused for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.refusals import is_about_size, is_particular, named_lines


def test_the_named_lines_are_read_once_each_in_their_order() -> None:
    message = (
        "Error on line 12: invalid JSON, near column 1032: no such field: 'thinking_config'\n"
        "Error on line 3: invalid JSON, near column 23: unexpected character: '['; expected '{'\n"
        "Error on line 12: once more"
    )

    lines = named_lines(message)

    assert lines == (3, 12)


@pytest.mark.parametrize(
    "message", ["", "Request contains an invalid argument.", "line 4 is odd", "Error on line x"]
)
def test_a_message_without_numbers_names_no_line(message: str) -> None:
    assert named_lines(message) == ()


@given(st.text())
def test_any_message_can_be_read(message: str) -> None:
    assert all(number >= 0 for number in named_lines(message))


@pytest.mark.parametrize(
    ("lines", "requests", "particular"),
    [
        ((), 100, False),
        ((7,), 100, True),
        ((1,), 1, True),  # a lone one can be set aside whatever it is
        ((1, 2), 100, True),
        ((1, 2), 2, False),
        ((1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 5000, False),  # all that were looked at
        ((2, 40, 77, 130, 200), 5000, True),
    ],
)
def test_a_few_lines_are_particular_and_most_lines_are_not(
    lines: tuple[int, ...], requests: int, *, particular: bool
) -> None:
    assert is_particular(lines, requests) is particular


@pytest.mark.parametrize(
    ("code", "message", "about_size"),
    [
        (413, "", True),
        (400, "Request payload size exceeds the limit: 20971520 bytes.", True),
        (400, "The input file is too large.", True),
        (400, "User location is not supported for the API use.", False),
        (404, "The file is too large to be found.", False),
        (None, "too large", False),
    ],
)
def test_a_refusal_for_size_is_told_from_others(
    code: int | None, message: str, *, about_size: bool
) -> None:
    assert is_about_size(code, message) is about_size
