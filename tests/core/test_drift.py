import pytest

from tasks.core.drift import Earlier, earlier
from tasks.core.gates import Gate, judge

USUAL = [0.97, 0.96, 0.98, 0.97, 0.95]


@pytest.mark.parametrize(
    ("values", "value", "is_far"),
    [
        (USUAL, 0.92, False),
        (USUAL, 0.85, True),
        ([*USUAL[:4], 0.0], 0.85, True),  # one odd run is no custom
        ([0.0, 0.0, 0.0], 0.01, False),
        ([0.0, 0.0, 0.0], 0.08, True),
        ([8.1, 8.0, 7.9], 7.5, False),
        ([8.1, 8.0, 7.9], 6.9, True),
        ([0.97, 0.96], 0.2, False),  # nobody knows yet what is usual
        (USUAL, None, False),
    ],
)
def test_a_measure_moved_far_where_it_lies_beyond_what_the_last_runs_moved_by(
    values: list[float], value: float | None, *, is_far: bool
) -> None:
    assert Earlier(values).is_far(value) == is_far


def test_a_gates_sentence_says_what_was_measured_before_and_what_moved_far() -> None:
    before = earlier(
        [{"usable": 1.0, "rows": 9}, {"usable": None}, {"usable": 0.98}, {"usable": 1}]
    )

    [measured] = judge([Gate("usable", "Usable", at_least=0.5)], {"usable": 0.6}, before)

    assert set(before) == {"usable"}
    assert measured.sentence() == (
        "Usable is 0.6, within its limit >= 0.5."
        " In the last runs of the version: 1, 0.98, 1. It moved far."
    )
