from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.adapters.reference import prices
from tasks.core.errors import PreflightError
from tasks.core.money import Price

TODAY = date(2026, 11, 21)


def test_a_million_tokens_each_way_cost_the_listed_sum() -> None:
    price = Price(input=0.10, output=0.40, source="test")

    usd = price.usd(1_000_000, 1_000_000, "interactive")

    assert usd == pytest.approx(0.50)


@given(st.integers(0, 10**10), st.integers(0, 10**10))
def test_batch_costs_half_of_the_standard_price(tokens_in: int, tokens_out: int) -> None:
    price = Price(input=0.25, output=1.50, source="test")

    batch = price.usd(tokens_in, tokens_out, "batch")

    assert batch == pytest.approx(price.usd(tokens_in, tokens_out, "interactive") / 2)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PreflightError, match=r"no price for model 'gemini-9'.*gemini-2\.5-flash"):
        prices().price("gemini-9", TODAY)


def test_a_model_that_was_shut_down_is_refused_with_its_day() -> None:
    with pytest.raises(PreflightError, match="was shut down on 2026-06-01"):
        prices().price("gemini-2.0-flash", TODAY)


def test_a_model_lives_until_the_day_of_its_end() -> None:
    last_day = date(2026, 5, 31)

    price = prices().price("gemini-2.0-flash", last_day)

    assert price.output == 0.40


def test_every_price_says_where_it_was_read() -> None:
    unsourced = [name for name, price in prices().models.items() if not price.source.strip()]

    assert unsourced == []
