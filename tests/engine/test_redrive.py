"""Bad generations: listed for a person, asked again when a person says so."""

import asyncio
import csv
from typing import Any

import pytest
from engine_hand import NAME, Engine, forget_settings
from prefect.client.schemas.objects import State

import flows.redrive
from tasks.adapters.settings import settings
from tasks.core.answers import BadReason
from tasks.slices.waves import SlicesFailedError


def redrive(**options: object) -> State[Any]:
    return asyncio.run(flows.redrive.redrive.fn(name=NAME, dry_run=False, **options))


def two_bad(engine: Engine) -> list[str]:
    """Leave one answer that was no JSON and one that was blocked; return all ids."""
    ids = engine.load_samples(5)
    engine.fault("not_json", match={"text": "Chapter 1 deals"})
    engine.fault("safety", match={"text": "Chapter 2 deals"})
    engine.summary()
    engine.no_faults()
    return ids


def test_bad_generations_are_listed_with_reason_tries_and_the_raw_answer(engine: Engine) -> None:
    ids = two_bad(engine)

    [path] = settings().reports_dir.glob("*-bad.csv")
    with path.open(newline="") as file:
        rows = {row["target_id"]: row for row in csv.DictReader(file)}

    assert set(rows) == {ids[1], ids[2]}
    assert rows[ids[1]]["reason"] == "not_json"
    assert rows[ids[1]]["attempts"] == "3"
    assert rows[ids[1]]["raw"].startswith("I am sorry")
    assert rows[ids[2]]["explanation"] == BadReason.SAFETY.explanation


def test_a_run_without_bad_generations_leaves_no_list(engine: Engine) -> None:
    engine.load_samples(2)

    engine.summary()

    assert list(settings().reports_dir.glob("*-bad.csv")) == []


def test_only_the_chosen_reasons_are_asked_again(engine: Engine) -> None:
    two_bad(engine)

    state = redrive(reasons=(BadReason.SAFETY,))
    engine.summary()

    engine.check()
    assert "1 safety" in str(state.message)
    assert engine.ends() == {"written": 4, "bad: not_json": 1}


def test_without_reasons_all_are_asked_again(engine: Engine) -> None:
    two_bad(engine)

    redrive()
    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 5}


def test_a_dry_run_plans_nothing(engine: Engine) -> None:
    two_bad(engine)
    before = engine.generations()

    state = asyncio.run(flows.redrive.redrive.fn(name=NAME))

    assert state.name == "DryRun"
    assert engine.generations() == before


def test_jobs_that_cannot_be_seen_are_asked_again_only_when_a_person_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(2)
    engine.fault("stuck_running", times=1)
    engine.at_event("poll", _change_key, monkeypatch)
    with pytest.raises(SlicesFailedError, match="cannot be seen"):
        engine.run()

    state = redrive(lost_jobs=True)
    engine.summary()

    assert "1 lost jobs" in str(state.message)
    assert engine.ends() == {"written": 2}


def _change_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "other-project-key")
    forget_settings()
