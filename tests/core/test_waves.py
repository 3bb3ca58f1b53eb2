import pytest

from tasks.core.gates import Gate
from tasks.core.waves import EndedSlice, judge

GOOD, BELOW = EndedSlice(2, 1, 499, 1), EndedSlice(2, 1, 460, 40)


@pytest.mark.parametrize(
    ("ended", "stops"),
    [
        ([GOOD] * 40, False),
        ([GOOD] * 40 + [BELOW], False),
        ([GOOD] * 40 + [BELOW] * 2, True),
        ([BELOW, EndedSlice(2, 2, 20, 80)], False),  # asked again, the wave has 96 %
        ([EndedSlice(1, 1, 0, 500), EndedSlice(1, 2, 0, 500)], True),
        ([EndedSlice(1, 1, 0, 49)] * 5, False),  # too few to say
        ([EndedSlice(1, 1, 47, 3)] * 5, False),  # 94 % of fifty may be chance
        ([EndedSlice(1, 1, 465, 35)] * 2, False),  # 93 % of 500 as well
        ([EndedSlice(1, 2, 0, 500)] * 2, False),  # leftovers of another run
    ],
)
def test_two_slices_below_the_gate_stop_a_run(ended: list[EndedSlice], *, stops: bool) -> None:
    assert bool(judge(ended, None)) == stops


def test_a_declared_gate_holds_instead_and_is_named_with_what_was_measured() -> None:
    gate = Gate("usable", "Usable tones", at_least=0.5)

    assert judge([BELOW] * 2, gate) is None
    assert str(judge([EndedSlice(1, 1, 40, 60)] * 2, gate)).startswith(
        "Usable tones was 40.0% (40 of 100) and 40.0% (40 of 100) in 2 slices,"
        " outside its limit >= 0.5"
    )
