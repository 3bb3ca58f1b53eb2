"""A second job of a slice's name, however it came about: cancelled, or kept and said in dollars."""

import pytest
from engine_hand import Engine

from tasks.adapters.audit import orphans
from tasks.adapters.gemini import Gemini, gemini
from tasks.adapters.postgres import connect
from tasks.core.errors import AmbiguousError
from tasks.core.models import BatchJob, SliceState
from tasks.slices import batch, submission


def create_another(engine: Engine, *, slow: bool) -> None:
    """Create the job of the newest slice once more, as a create that the service held back."""
    [slice_] = engine.sql(
        "select model, input_file, display_name from backfill.slices"
        " where state in ('reserved', 'submitted') limit 1"
    )
    if slow:
        engine.fault("slow_job", times=1)
    gemini().create_job(slice_["model"], slice_["input_file"], slice_["display_name"])


def test_a_second_job_that_has_not_ended_is_cancelled_and_costs_nothing(engine: Engine) -> None:
    engine.load_samples(10)
    engine.set(run_seconds=1.0)
    engine.at_event("job_created", lambda: create_another(engine, slow=True))

    said = engine.summary()

    assert engine.jobs() == 2
    assert "paid twice" not in said
    engine.check()


def test_a_second_job_that_was_paid_is_said_in_dollars_and_its_answers_are_kept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(10)
    monkeypatch.setattr(
        "tasks.slices.batch.cancel_doubles", lambda _: create_another(engine, slow=False)
    )

    said = engine.summary()

    assert "10 rows were paid twice, 0.00" in said
    assert engine.http.get("/keys", params={"min": 2}).json()["count"] == 10
    bill = engine.http.get("/bill").json()["totals"]
    [ledger] = engine.sql("select sum(input_tokens)::int as tokens from backfill.slices")
    assert ledger["tokens"] == bill["input_tokens"]
    with connect() as connection:
        assert orphans(connection)[0] == []
    assert engine.summary() == "Nothing to do."


def test_a_listing_that_fails_before_the_request_leaves_no_doubt_to_wait_out(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()
    file = batch.upload.directly(batch.build.directly(slice_id)).name

    def failing(_: object, name: str) -> list[BatchJob]:
        raise AmbiguousError(f"no listing for {name}")

    monkeypatch.setattr(Gemini, "find_jobs", failing)
    with pytest.raises(AmbiguousError):
        submission.submit(slice_id, file, None)

    assert engine.slice(slice_id).state is SliceState.PLANNED
    assert engine.jobs() == 0
