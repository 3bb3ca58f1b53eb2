"""What a limit is, and what `fresh` forgets, when earlier runs left work behind."""

from typing import Any

import pytest
from engine_hand import Engine

import flows.backfill
import flows.backfill_slice
from tasks.adapters.gemini import gemini
from tasks.slices.again import take_back


def asked(engine: Engine) -> int:
    return int(engine.http.get("/bill").json()["totals"]["requests"])


def leave_planned(engine: Engine, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """Plan everything, and die before anything goes out."""

    async def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(flows.backfill, "obtain_approval", die)
        with pytest.raises(SystemExit):
            engine.run(**options)


def test_a_limited_run_asks_no_more_than_its_limit_whatever_a_larger_one_had_planned(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(60)
    leave_planned(engine, monkeypatch)

    said = engine.summary(limit=7)

    assert said.startswith("7 targets: 7 written")
    assert "53 remain" in said
    assert asked(engine) == 7
    engine.summary()
    assert engine.ends() == {"written": 60}


def test_a_pilot_judges_its_own_rows_and_leaves_the_bad_ones_of_others(engine: Engine) -> None:
    engine.load_samples(40)
    engine.fault("not_json", match={"text": "deals with hash tables"}, times=4)
    engine.run(limit=20, transport="batch")
    bad = engine.ends()["bad: not_json"]
    before = asked(engine)

    said = engine.summary(kind="pilot", limit=5)

    assert said.startswith("5 targets")
    assert asked(engine) == before + 5
    assert engine.ends()["bad: not_json"] == bad


def test_fresh_after_cancelled_jobs_plans_again_what_was_never_answered(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(30)
    engine.set(run_seconds=3600)

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(flows.backfill_slice, "await_job", die)
        with pytest.raises(SystemExit):
            engine.run()
    for each in engine.slices():
        if each["state"] == "submitted" and each["transport"] == "batch":
            gemini().cancel_job(each["job_name"])
            take_back(each["slice_id"], "cancelled on request")
    engine.set(run_seconds=0)

    for _ in range(2):
        leave_planned(engine, monkeypatch, fresh=True)
    engine.summary(fresh=True)

    assert engine.ends() == {"written": 30}
    assert max(engine.billed().values()) == 1
