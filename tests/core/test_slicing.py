from hypothesis import given
from hypothesis import strategies as st

from tasks.core.slicing import Waves


def test_wave_sizes_become_ends() -> None:
    waves = Waves.of((100, 500, 2000), pilot=False)

    assert waves.ends == (100, 600, 2600)
    assert waves.last_size == 2000


def test_a_pilot_is_wave_zero_whatever_the_sizes() -> None:
    assert Waves.of((100, 500), pilot=True) == Waves(0, None)


def test_of_many_targets_500_go_first_unless_sizes_are_named() -> None:
    assert Waves.of(None, pilot=False, targets=2001) == Waves(1, (500, 2001))
    assert Waves.of(None, pilot=False, targets=2000) == Waves(1, None)
    assert Waves.of((10,), pilot=False, targets=2001) == Waves(1, (10,))


@given(st.lists(st.integers(1, 10_000), min_size=1))
def test_the_last_size_is_the_one_that_repeats(sizes: list[int]) -> None:
    waves = Waves.of(sizes, pilot=False)

    assert waves.last_end == sum(sizes)
    assert waves.last_size == sizes[-1]
