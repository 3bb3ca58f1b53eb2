"""Before money is spent: what it would cost, how sure that is, how long it may take."""

import asyncio
from typing import Any

import pytest
from engine_hand import NAME, Engine
from hypothesis import given
from hypothesis import strategies as st
from prefect.client.schemas.objects import State

import tasks.planning.dry_run
from flows.backfill import backfill
from tasks.core.money import Forecast
from tasks.planning.dry_run import estimate_rest
from tasks.planning.estimate import estimate_page


def page(name: str = NAME) -> str:
    estimate = estimate_rest(name)
    return estimate_page(name, estimate, estimate.usd())


def test_before_the_first_job_nobody_pretends_to_know(engine: Engine) -> None:
    engine.load_samples(30)

    markdown = page()

    assert "| Targets | 30 |" in markdown
    assert "no batch job has finished yet" in markdown
    assert "characters, not counted" in markdown


def test_a_pilots_measurements_replace_the_guess(engine: Engine) -> None:
    engine.load_samples(120)
    engine.summary(kind="pilot", limit=60)

    markdown = page()

    assert "| Targets | 60 |" in markdown
    assert "measured on 60 answers" in markdown
    assert "Tokens out in 8 of 10 answers so far" in markdown
    assert "| One batch job took (median, 9 of 10 within) |" in markdown


@given(slices=st.integers(0, 500), at_once=st.integers(1, 100), each=st.floats(0, 1e6))
def test_a_run_takes_as_many_rounds_as_its_jobs_need(
    slices: int, at_once: int, each: float
) -> None:
    expected = Forecast(1, each, each, None, None).seconds(slices, at_once)

    assert expected is not None
    rounds = 0
    while rounds * at_once < slices:
        rounds += 1
    assert expected == pytest.approx(rounds * each)


def test_a_dry_run_sends_nothing_and_writes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def shown(**_: object) -> None:
        return None

    engine.load_samples(30)
    monkeypatch.setattr(tasks.planning.dry_run, "acreate_markdown_artifact", shown)

    state: State[Any] = asyncio.run(backfill.fn(name=NAME, kind="full", dry_run=True))

    assert "30 targets in 1 batch jobs would be asked" in str(state.message)
    assert engine.generations() == []
    assert engine.sql("select 1 from backfill.runs") == []
    assert engine.http.get("/calls").json() == {}
