"""What another try changes of a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.adapters.reference import models
from tasks.core.another_try import (
    LIMIT_RAISE,
    MOST_TEMPERATURE,
    limit_again,
    temperature_again,
)
from tasks.core.answers import BadReason
from tasks.core.backfill import DEFAULT_MODEL

MODEL = models().find(DEFAULT_MODEL)
MOST_OUTPUT_TOKENS = MODEL.output_limit


@given(st.integers(1, 200_000), st.sampled_from(list(BadReason)))
def test_a_limit_is_raised_for_answers_that_were_cut_off_and_never_above_the_model_s(
    limit: int, reason: BadReason
) -> None:
    raised = limit_again(MODEL, limit, reason)

    if reason is not BadReason.MAX_TOKENS or limit >= MOST_OUTPUT_TOKENS:
        assert raised == limit
    else:
        assert raised == min(LIMIT_RAISE * limit, MOST_OUTPUT_TOKENS)


@pytest.mark.parametrize(
    ("declared", "tries", "said"),
    [
        (0.0, 0, None),
        (0.0, 1, 0.3),
        (0.0, 2, 0.6),
        (0.5, 1, 0.8),
        (0.5, 2, 1.0),
        (1.0, 1, None),
        (1.4, 2, None),
    ],
)
def test_every_further_try_is_a_little_warmer(
    declared: float, tries: int, said: float | None
) -> None:
    assert temperature_again(declared, tries) == said


@given(st.floats(0, 2), st.integers(0, 100))
def test_no_try_is_colder_than_declared_or_hotter_than_the_most(
    declared: float, tries: int
) -> None:
    said = temperature_again(declared, tries)

    assert said is None or declared < said <= MOST_TEMPERATURE
