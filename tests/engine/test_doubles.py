"""A second job of a slice's name, however it came about: cancelled, or kept and said in dollars."""

from pathlib import Path

import pytest
from engine_hand import NAME, VERSION, Engine, configure

import flows.backfill
from tasks import backfills
from tasks.adapters.audit import at_service
from tasks.adapters.gemini import Gemini, gemini
from tasks.adapters.postgres import connect
from tasks.core.errors import AmbiguousError
from tasks.core.models import BatchJob, SliceState
from tasks.slices import batch, submission
from tasks.slices.doubles import settle_doubles

NEWER = "gemini_batch_v2"


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
        assert at_service(connection).jobs == []
    assert engine.summary() == "Nothing to do."


def test_a_second_job_is_booked_only_once_its_slice_is_done_whose_sums_would_replace_it(
    engine: Engine,
) -> None:
    engine.load_samples(4)
    [slice_id] = engine.plan()
    file = batch.upload.directly(batch.build.directly(slice_id)).name
    submission.submit(slice_id, file, None)
    create_another(engine, slow=False)
    engine.at_rest()

    settle_doubles.directly(NAME, engine.slice(slice_id).run_id)
    early = engine.slice(slice_id)
    said = engine.summary()

    assert (early.state, early.cost_usd, early.measures) == (SliceState.SUBMITTED, 0.0, {})
    assert "4 rows were paid twice, 0.00" in said
    bill = engine.http.get("/bill").json()["totals"]
    assert engine.slice(slice_id).input_tokens == bill["input_tokens"]


def test_a_second_job_of_an_older_version_is_booked_and_its_answers_are_no_newer_ones(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine.load_samples(4)
    with monkeypatch.context() as first:
        first.setattr(flows.backfill, "settle_doubles", _nothing)
        first.setattr(batch, "cancel_doubles", lambda _: create_another(engine, slow=False))
        engine.summary()
    file = tmp_path / "backfills.toml"
    file.write_text(f'[{NAME}]\nextractor_version = "{NEWER}"\n')
    configure(monkeypatch, site_file=file)
    backfills.forget_site()
    engine.at_rest()

    with connect() as connection:
        [double], *_ = at_service(connection)
    said = engine.run(limit=1, transport="batch").message

    assert double.requests == 4
    assert "4 rows were paid twice, 0.00" in str(said)
    assert "USD, of an earlier run: the service" in str(said)
    [booked] = [each for each in engine.slices() if each["measures"].get("paid_twice")]
    assert (booked["extractor_version"], booked["measures"]["paid_twice"]) == (VERSION, 4)
    questions = engine.sql(
        "select extractor_version, count(*) from backfill.questions"
        " where backfill = %(name)s group by 1 order by 1",
        name=NAME,
    )
    assert [(each["extractor_version"], each["count"]) for each in questions] == [
        (VERSION, 4),
        (NEWER, 1),
    ]


async def _nothing(*_: object) -> str:
    return ""


def test_a_second_job_of_a_slice_that_has_one_is_an_orphan_to_the_audit(engine: Engine) -> None:
    engine.load_samples(3)
    [slice_id] = engine.plan()
    file = batch.upload.directly(batch.build.directly(slice_id)).name
    submission.submit(slice_id, file, None)
    create_another(engine, slow=True)

    with connect() as connection:
        [found] = at_service(connection).jobs

    assert found.name != engine.slice(slice_id).job_name


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
