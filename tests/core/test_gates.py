import pytest

from tasks.core.gates import Gate, judge

BOTH = Gate("mean", "Concepts per passage", at_least=4, at_most=14)


@pytest.mark.parametrize(
    ("value", "passed"),
    [(3.99, False), (4, True), (14, True), (14.01, False), (None, False)],
)
def test_a_value_passes_on_and_between_its_limits(value: float | None, *, passed: bool) -> None:
    assert passed == BOTH.passes(value)


def test_what_was_not_measured_does_not_pass() -> None:
    [measured] = judge([BOTH], {}, {})

    assert not measured.passed
    assert "was not measured" in measured.sentence()


def test_a_measurement_names_itself_and_limit() -> None:
    [measured] = judge([BOTH], {"mean": 15.2}, {})

    assert measured.sentence() == "Concepts per passage is 15.2, outside its limit >= 4 and <= 14."
