"""The table of models: what it knows of each, by day, and what is refused before it is asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks import backfills
from tasks.adapters.reference import models
from tasks.core.asking import generation_config, refusals, without_item_limits
from tasks.core.backfill import DEFAULT_MODEL, Backfill
from tasks.core.errors import PreflightError
from tasks.core.model_table import FRESH, Model, ModelTable

TODAY = date(2026, 11, 27)
STEP = date(2027, 1, 1)
SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
NAMES = sorted(models().models)
ANSWERING = [name for name in NAMES if models().find(name).makes == "answers"]
PASSAGES = backfills.declared()["passage_concepts"]


def asked(model: str, **changed: Any) -> dict[str, Any]:
    """Return the generationConfig that the model would be sent."""
    backfill = replace(PASSAGES, model=model, **changed)
    return generation_config(backfill, models().find(model), SCHEMA)


def refused(model: str, **changed: Any) -> list[str]:
    return list(refusals(replace(PASSAGES, model=model, **changed), models()))


@pytest.mark.parametrize("name", NAMES)
def test_every_row_says_when_and_where_it_was_read(name: str) -> None:
    row = models().find(name)

    assert row.read <= date.today()  # noqa: DTZ011 - a day is enough
    assert len(row.source) > 20


def test_the_default_model_is_open_to_new_keys_and_lives() -> None:
    row = models().find(DEFAULT_MODEL)

    assert DEFAULT_MODEL == "gemini-3.1-flash-lite"
    assert row.new_keys
    assert models().living(DEFAULT_MODEL, TODAY) is row
    assert list(models().remarks(DEFAULT_MODEL, TODAY)) == []


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        ("gemini-2.5-flash-lite", {"thinkingBudget": 0}),
        ("gemini-3.1-flash-lite", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.5-flash-lite", None),
        ("gemini-3.6-flash", {"thinkingBudget": 0}),
        ("gemini-3.7-flash", {"thinkingLevel": "LOW"}),
        ("gemini-3.8-flash", {"thinkingLevel": "LOW"}),
        ("gemini-4-hydrogen", {"thinkingLevel": "LOW"}),
    ],
)
def test_each_model_is_asked_for_the_least_thinking_that_it_takes(
    model: str, thinking: Mapping[str, object] | None
) -> None:
    assert asked(model).get("thinkingConfig") == thinking
    assert refused(model) == []


@pytest.mark.parametrize("model", ANSWERING)
def test_no_model_is_sent_what_it_refuses(model: str) -> None:
    row, config = models().find(model), asked(model)

    thinking = config.get("thinkingConfig", {})
    assert len(thinking) <= 1, "a budget and a level together are a 400"
    if "thinkingBudget" in thinking:
        assert row.budgets
        assert row.budget_0
    if "thinkingLevel" in thinking:
        assert thinking["thinkingLevel"].lower() in row.levels
    assert ("temperature" in config) == (row.sampling == "allowed")


def test_without_a_word_the_temperature_is_0_and_a_word_is_sent() -> None:
    assert asked(DEFAULT_MODEL)["temperature"] == 0.0
    assert asked(DEFAULT_MODEL, temperature=0.7)["temperature"] == 0.7


@pytest.mark.parametrize(
    ("model", "changed", "sentence"),
    [
        ("gemini-3.8-flash", {"temperature": 0.7}, "temperature is 0.7, which gemini-3.8-flash ig"),
        (
            "gemini-4-argon",
            {"temperature": 0.0},
            "temperature is 0.0, which gemini-4-argon refuses",
        ),
        ("gemini-3.5-flash-lite", {"thinking": 0}, "gemini-3.5-flash-lite refuses thinking = 0"),
        ("gemini-3.8-flash", {"thinking": "minimal"}, 'refuses thinking = "minimal"; it takes'),
        ("gemini-4-neon", {"thinking": 512}, "refuses thinking = 512: it knows no budget"),
        ("gemini-2.5-flash-lite", {"thinking": "low"}, 'refuses thinking = "low"; it takes'),
        ("gemini-3.6-flash", {"max_output_tokens": 70_000}, "max_output_tokens is 70,000, and an"),
        ("gemini-3.1-flashlite", {}, "did you mean gemini-3.1-flash-lite?"),
        ("gemini-embedding-001", {}, "makes vectors, not answers"),
        ("gemini-4-neon", {"extra_generation_config": {"topK": 4}}, "gemini-4-neon refuses topK"),
    ],
)
def test_what_a_model_refuses_is_told_before_it_is_asked(
    model: str, changed: dict[str, Any], sentence: str
) -> None:
    [said] = refused(model, **changed)

    assert sentence in said
    assert "\n" not in said


@pytest.mark.parametrize("thinking", ["least", "default", "low", 512, -1])
def test_what_a_model_takes_is_not_refused(thinking: Any) -> None:
    assert refused("gemini-3.5-flash-lite", thinking=thinking) == []


def test_schema_and_search_go_together_where_the_model_lets_them() -> None:
    old, new = (
        asked(model, google_search=True) for model in ("gemini-2.5-flash-lite", DEFAULT_MODEL)
    )

    assert "responseSchema" not in old
    assert "responseMimeType" not in old
    assert new["responseSchema"] == SCHEMA


def test_limits_on_lists_of_objects_are_left_out_for_the_model_that_refuses_them() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "names": {"type": "ARRAY", "maxItems": 3, "items": {"type": "STRING"}},
            "concepts": {"type": "ARRAY", "maxItems": 14, "minItems": 1, "items": SCHEMA},
        },
    }

    said: Any = without_item_limits(schema)

    assert said["properties"]["names"]["maxItems"] == 3
    assert said["properties"]["concepts"] == {"type": "ARRAY", "minItems": 1, "items": SCHEMA}
    assert schema["properties"]["concepts"]["maxItems"] == 14  # type: ignore[index]


# Lives, routes and prices by day


def test_a_model_that_was_shut_down_is_refused_with_its_day_and_a_living_one() -> None:
    with pytest.raises(PreflightError, match=r"was shut down on 2026-06-01.*gemini-3\.1-flash-lit"):
        models().living("gemini-2.0-flash", TODAY)

    assert models().living("gemini-2.0-flash", date(2026, 5, 31)).prices[0].output == 0.40


def test_a_routed_model_is_billed_at_the_rates_of_the_one_that_answers() -> None:
    before, after = (models().billed("gemini-2.5-flash", day) for day in (TODAY, date(2026, 12, 1)))

    assert before.prices[0].batch_input == 0.15
    assert after is models().find("gemini-3.5-flash-lite")


def test_a_model_closed_to_new_keys_and_one_near_its_end_are_spoken_of() -> None:
    [closed, ending] = models().remarks("gemini-2.5-flash", TODAY)

    assert "closed to keys that never used it" in closed
    assert "will be routed to gemini-3.5-flash-lite, at its prices, on 2026-12-01" in ending
    assert 'model = "gemini-3.1-flash-lite"' in ending


def test_an_earliest_end_is_spoken_of_60_days_before_and_stops_nothing_after_it() -> None:
    end = date(2027, 5, 7)

    assert list(models().remarks(DEFAULT_MODEL, end - FRESH - timedelta(days=1))) == []
    [said] = models().remarks(DEFAULT_MODEL, end - FRESH)
    assert "may be shut down from 2027-05-07 on" in said
    assert models().living(DEFAULT_MODEL, end + FRESH)


def test_a_row_that_was_read_more_than_60_days_ago_is_stale() -> None:
    read = models().find(DEFAULT_MODEL).read

    assert DEFAULT_MODEL not in models().stale(read + FRESH)
    assert DEFAULT_MODEL in models().stale(read + FRESH + timedelta(days=1))


def test_the_price_of_3_8_flash_doubles_with_2027() -> None:
    row = models().find("gemini-3.8-flash")

    assert row.price_on(STEP - timedelta(days=1)).batch_output == 1.875
    assert row.price_on(STEP).batch_output == 3.75


@given(days=st.floats(0.01, 200), before=st.integers(0, 100))
def test_a_run_across_a_step_pays_each_day_at_its_own_price(days: float, before: int) -> None:
    row, begin = models().find("gemini-3.8-flash"), STEP - timedelta(days=before)
    cheap, dear = row.prices

    price = row.price_over(begin, days)

    share = min(1.0, max(0.0, (days - before) / days))
    expected = cheap.input + share * (dear.input - cheap.input)
    assert price.input == pytest.approx(expected)
    assert (row.next_step(begin, days) is dear) == (0 < before < days)


def test_tokens_that_may_wait_are_taken_from_a_relative_where_google_shows_none() -> None:
    assert models().enqueued("gemini-2.5-flash-lite") == ((10_000_000, 500_000_000, 10**9), False)
    assert models().enqueued(DEFAULT_MODEL) == ((10_000_000, 500_000_000, 10**9), True)
    assert models().enqueued("gemini-2.0-flash") == (None, False)


def test_an_unknown_model_is_refused_with_the_nearest_and_all_known_ones() -> None:
    with pytest.raises(
        PreflightError, match=r"no model 'gemini-3\.8-flsh'.*mean gemini-3\.8-flash"
    ):
        models().find("gemini-3.8-flsh")


@pytest.mark.parametrize("changed", [{"routed_to": "nobody"}, {"enqueued_as": "nobody"}])
def test_a_row_cannot_name_a_model_that_has_none(changed: dict[str, str]) -> None:
    row = models().find(DEFAULT_MODEL).model_copy(update=changed)

    with pytest.raises(ValidationError, match="names nobody, which has no row"):
        ModelTable(models={"one": row})


def test_prices_stand_in_the_order_of_their_days() -> None:
    row = models().find("gemini-3.8-flash")
    turned = {**row.model_dump(), "prices": row.prices[::-1]}

    with pytest.raises(ValidationError, match="in the order of their days"):
        Model.model_validate(turned)


def test_a_declaration_that_its_model_refuses_is_told_so_at_load() -> None:
    odd: Backfill = replace(PASSAGES, model="gemini-3.8-flash", thinking="minimal")

    with pytest.raises(Exception, match=r"^odd\.py: gemini-3\.8-flash refuses thinking = \"minim"):
        backfills.refuse(odd, "odd.py")


def test_rows_go_together_up_to_twenty_and_not_beside_a_search() -> None:
    assert refused(DEFAULT_MODEL, rows_per_request=20) == []
    assert refused(DEFAULT_MODEL, rows_per_request=21) == [
        "rows_per_request is 21, and may be 1 to 20"
    ]
    [said] = refused(DEFAULT_MODEL, rows_per_request=5, max_attempts=1)
    assert said.endswith("max_attempts of 1 leaves no try for that")
    [said] = refused(DEFAULT_MODEL, rows_per_request=5, google_search=True)
    assert said.endswith("would speak of others too: take it or google_search away")
