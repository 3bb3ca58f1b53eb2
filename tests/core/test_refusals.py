"""What a refused job was refused for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.refusals import (
    about_access,
    another_model,
    is_about_size,
    is_particular,
    named_lines,
    without_key,
)


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


CLOSED = (
    "404 NOT_FOUND: This model models/gemini-2.5-flash-lite is no longer available to new users."
    " Please update your code to use models/gemini-3.5-flash-lite."
)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (CLOSED, 'write model = "gemini-3.5-flash-lite" in [songs] of'),
        ("404 NOT_FOUND: models/x is not found", "write a line with another model in [songs] of"),
        ("Please update your code to use a newer model", "write a line with another model in"),
    ],
)
def test_the_model_that_the_service_names_is_the_line_to_write(said: str, line: str) -> None:
    assert another_model("songs", said).startswith(line)


@pytest.mark.parametrize(
    ("code", "reason", "message", "says"),
    [
        (400, "API_KEY_INVALID", "API key expired. Please renew the API key.", "AI Studio"),
        (401, "", "Request had invalid credentials.", "does not accept the key"),
        (403, "SERVICE_DISABLED", "It has not been used.", "enable the Generative Language API"),
        (403, "API_KEY_SERVICE_BLOCKED", "Requests are blocked.", "restricted to other services"),
    ],
)
def test_a_refusal_of_the_key_says_what_to_do(
    code: int, reason: str, message: str, says: str
) -> None:
    body = {"error": {"code": code, "message": message, "details": [{"reason": reason}]}}

    assert says in str(about_access(code, body, message))


def test_other_refusals_are_not_about_the_key() -> None:
    assert about_access(400, {"error": {}}, "Request contains an invalid argument.") is None
    assert about_access(404, "<html>", "") is None


def test_a_key_in_the_service_s_words_is_not_repeated() -> None:
    said = "Consumer 'api_key:AIzaSyA1234567890abcdefghijk' has been suspended."

    assert without_key(said) == "Consumer 'api_key:…' has been suspended."
