from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.money import Price, days_to_ask, mixed

PRICE = Price(
    input=0.25, output=1.50, batch_input=0.125, batch_output=0.75, cached=0.025, search=14
)
counts = st.integers(0, 10**10)
shares = st.floats(0, 1)


def test_a_million_tokens_each_way_cost_the_listed_sum() -> None:
    assert PRICE.usd(1_000_000, 1_000_000, "interactive") == pytest.approx(1.75)
    assert PRICE.usd(1_000_000, 1_000_000, "batch") == pytest.approx(0.875)


def test_cached_tokens_cost_their_own_rate_in_both_transports() -> None:
    for transport, fresh in (("interactive", 0.25), ("batch", 0.125)):
        usd = PRICE.usd(1_000_000, 0, transport, cached_tokens=400_000)  # type: ignore[arg-type]

        assert usd == pytest.approx(0.6 * fresh + 0.4 * 0.025)


def test_a_thousand_searches_cost_the_same_in_both_transports() -> None:
    assert PRICE.usd(0, 0, "batch", searches=1000) == pytest.approx(14)
    assert PRICE.usd(0, 0, "interactive", searches=1000) == pytest.approx(14)


@given(fresh=counts, cached=counts)
def test_a_model_without_a_rate_for_cached_tokens_bills_them_as_others(
    fresh: int, cached: int
) -> None:
    plain = PRICE.model_copy(update={"cached": None})

    usd = plain.usd(fresh + cached, 0, "batch", cached_tokens=cached)

    assert usd == pytest.approx(plain.usd(fresh + cached, 0, "batch"))


@given(tokens_in=counts, tokens_out=counts, share=shares)
def test_a_mixed_price_costs_what_its_parts_cost(
    tokens_in: int, tokens_out: int, share: float
) -> None:
    dear = Price(input=3, output=15, batch_input=1.5, batch_output=7.5, cached=0.3, search=20)

    both = mixed([(1 - share, PRICE), (share, dear)])

    expected = (1 - share) * PRICE.usd(tokens_in, tokens_out, "batch") + share * dear.usd(
        tokens_in, tokens_out, "batch"
    )
    assert both.usd(tokens_in, tokens_out, "batch") == pytest.approx(expected)


@given(tokens=st.floats(1, 1e12), enqueued=st.floats(1e3, 1e10), hours=st.floats(0.01, 48))
def test_asking_takes_one_job_at_least_and_as_often_as_the_limit_fills(
    tokens: float, enqueued: float, hours: float
) -> None:
    days = days_to_ask(tokens, enqueued, hours)

    assert days >= hours / 24
    assert days >= tokens / enqueued * hours / 24 * 0.999
    assert days_to_ask(tokens, enqueued * 2, hours) <= days


def test_a_price_knows_no_other_words() -> None:
    with pytest.raises(ValueError, match="batch_inptu"):
        Price.model_validate({**PRICE.model_dump(), "batch_inptu": 1})


def test_the_first_price_holds_from_the_first_day() -> None:
    assert PRICE.since == date.min
