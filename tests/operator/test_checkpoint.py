"""What other tools read in kb_migrations is true at every moment, whatever becomes of a run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, Engine, Json, configure, forget_settings
from prefect.exceptions import Pause
from worlds_hand import ROWS, build

import flows.backfill
import tasks.planning.approval
from flows.backfill_slice import backfill_slice
from tasks import backfills
from tasks.adapters.ledger import checkpoint
from tasks.adapters.postgres import Connection
from tasks.core.answers import BadReason
from tasks.planning.approval import Approval
from tasks.undo.redrive import plan_again
from tasks.undo.stop import JobsInFlight, stopped

JOB = "backfill_passage_concepts_gemini_batch_v1"


AT_EVERY_COMMIT = """
create function is_a_recount() returns trigger language plpgsql as $$
declare
    counted bigint;
begin
    select count(*) into counted
    from backfill.generations
    where generations.state in ('written', 'empty');
    if new.items_processed <> counted then
        raise exception 'kb_migrations says %, a recount %', new.items_processed, counted;
    end if;
    insert into said values (new.items_processed);
    return null;
end $$;
create table said (items bigint);
create constraint trigger is_a_recount after insert or update on kb_migrations
deferrable initially deferred for each row execute function is_a_recount()
"""


def row(engine: Engine) -> Json:
    [found] = engine.sql("select * from kb_migrations")
    assert (found["job_name"], found["cursor_type"]) == (JOB, "passage_id")
    return found


def status(engine: Engine) -> str:
    return str(row(engine)["status"])


def watch(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, name: str, statement: str = "select 1"
) -> list[Json]:
    """Return what kb_migrations says each time that the flow comes to one of its stages.

    The statement is carried out then, too: preflight, which tries rows out, is over.
    """
    seen: list[Json] = []
    stage = getattr(flows.backfill, name)

    async def watched(*given: object) -> object:
        seen.append(row(engine))
        engine.sql(statement)
        return await stage(*given)

    monkeypatch.setattr(flows.backfill, name, watched)
    return seen


def answered(monkeypatch: pytest.MonkeyPatch, answer: Approval) -> None:
    """Let a person have answered the form before it is shown."""

    async def ask(*_: object, **__: object) -> Approval:
        return answer

    async def taken() -> None:
        return None

    monkeypatch.setattr(tasks.planning.approval, "ask", ask)
    monkeypatch.setattr(tasks.planning.approval, "taken", taken)


@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_it_is_running_and_a_recount_at_every_commit_and_completed_when_all_is_done(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    configure(monkeypatch, requests_per_minute=60_000)
    engine.load_samples(ROWS)
    before = watch(monkeypatch, engine, "make_estimate", AT_EVERY_COMMIT)
    after = watch(monkeypatch, engine, "judge_quality")

    engine.fault("not_json", times=3)
    said = engine.summary(slice_size=10, transport=transport)

    counts = {each["items"] for each in engine.sql("select items from said")}
    assert counts >= ({0, ROWS} if transport == "batch" else {*range(ROWS + 1)})
    for each, done in ((before[0], 0), (after[0], ROWS)):
        assert (each["status"], each["items_processed"]) == ("running", done)
        assert each["started_at"]
        assert each["finished_at"] is None
    last = row(engine)
    assert (last["status"], last["items_processed"], last["notes"]) == ("completed", ROWS, said)
    assert last["finished_at"] >= last["started_at"] == before[0]["started_at"]


def test_a_second_run_goes_on_where_the_first_one_began(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(ROWS)
    engine.summary(limit=10)
    first = row(engine)
    seen = watch(monkeypatch, engine, "make_estimate")

    engine.summary()

    assert (first["status"], first["items_processed"]) == ("stopped", 10)
    assert "14 remain" in first["notes"]
    assert first["finished_at"]
    assert (seen[0]["status"], seen[0]["finished_at"]) == ("running", None)
    assert row(engine)["started_at"] == first["started_at"]
    assert status(engine) == "completed"


def test_a_pilot_that_leaves_rows_is_stopped_and_one_that_leaves_none_is_completed(
    engine: Engine,
) -> None:
    engine.load_samples(ROWS)

    engine.summary(kind="pilot", limit=10)
    some = status(engine)
    engine.summary(kind="pilot", limit=100)

    assert (some, status(engine)) == ("stopped", "completed")


def test_a_pilot_that_does_not_pass_has_failed_and_the_notes_say_why(engine: Engine) -> None:
    engine.load_samples(ROWS)
    engine.fault("not_json", share=0.8)

    state = engine.run(kind="pilot", limit=10)

    assert (state.name, state.is_failed()) == ("GatesFailed", True)
    last = row(engine)
    assert last["status"] == "failed"
    assert last["notes"] == state.message
    assert last["notes"].startswith("10 targets: ")
    assert "Share of unparseable responses is 0." in last["notes"]
    assert "outside its limit <= 0.01" in last["notes"]
    assert engine.sql("select state from backfill.runs") == [{"state": "failed"}]


def test_it_waits_while_a_person_is_asked_and_runs_again_after_the_answer(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_: object, **__: object) -> None:
        raise Pause

    engine.load_samples(ROWS)
    monkeypatch.setattr(tasks.planning.approval, "ask", ask)

    with pytest.raises(Pause):
        engine.run(approve_up_to_usd=0.0)
    waiting = row(engine)
    asyncio.run(stopped(NAME, 1, JobsInFlight()))
    then = row(engine)
    engine.summary()
    asyncio.run(stopped(NAME, 0, JobsInFlight()))

    assert waiting["status"] == "waiting"
    assert (then["status"], then["notes"]) == ("stopped", "It was stopped; run again to go on.")
    assert waiting["notes"] == "It waits for a person's approval in the Prefect UI."
    assert waiting["finished_at"] is None
    assert status(engine) == "completed"


def test_a_refusal_stops_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.load_samples(ROWS)
    answered(monkeypatch, Approval(refuse=True))

    assert engine.run(approve_up_to_usd=0.0).name == "Refused"
    assert (status(engine), row(engine)["notes"]) == ("stopped", "Refused: nothing was submitted.")


def test_a_budget_that_is_reached_stops_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.load_samples(60)
    answered(monkeypatch, Approval(approve_up_to_usd=0.003))

    state = engine.run(approve_up_to_usd=0.0, slice_size=10, slices_at_once=1)

    assert state.name == "BudgetReached", state
    assert (status(engine), row(engine)["notes"]) == ("stopped", state.message)


def test_it_waits_for_quota_and_a_quota_that_is_used_up_stops_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.asked_lately()
    engine.load_samples(ROWS)
    engine.fault("create_quota")
    tell, seen = checkpoint.say, []

    def say(connection: Connection, *given: Any, **named: Any) -> None:
        tell(connection, *given, **named)
        seen.append(connection.execute("select status, notes from kb_migrations").fetchone())

    monkeypatch.setattr(checkpoint, "say", say)

    state = engine.run()
    waited = [each["notes"] for each in seen if each and each["status"] == "waiting"]

    assert state.name == "QuotaExhausted"
    assert "429" in waited[-1]
    assert (status(engine), row(engine)["notes"]) == ("stopped", state.message)


def test_where_a_check_allows_only_the_users_words_it_is_said_in_those_with_the_reason(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_: object, **__: object) -> None:
        raise Pause

    engine.sql("alter table kb_migrations add check (status in ('running', 'completed', 'failed'))")
    engine.load_samples(ROWS)
    with monkeypatch.context() as asked:
        asked.setattr(tasks.planning.approval, "ask", ask)
        with pytest.raises(Pause):
            engine.run(approve_up_to_usd=0.0)
    waiting = row(engine)
    engine.summary(limit=10)
    stopped = row(engine)

    assert (waiting["status"], waiting["finished_at"]) == ("running", None)
    assert waiting["notes"] == "waiting: It waits for a person's approval in the Prefect UI."
    assert stopped["status"] == "failed"
    assert stopped["notes"].startswith("stopped: 10 targets: 10 written")


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (asyncio.CancelledError, "stopped"),
        (KeyboardInterrupt, "stopped"),
        (SystemExit, "stopped"),
        (RuntimeError, "failed"),
    ],
)
def test_a_run_that_is_stopped_or_breaks_off_says_so(
    cause: type[BaseException], expected: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks_off(*_: object) -> None:
        raise cause

    engine.load_samples(ROWS)
    with monkeypatch.context() as broken:
        broken.setattr(flows.backfill, "judge_quality", breaks_off)
        with pytest.raises(cause):
            engine.run()
    left = row(engine)
    engine.summary()

    assert (left["status"], left["items_processed"]) == (expected, ROWS)
    assert left["finished_at"]
    assert status(engine) == "completed"


def test_a_gate_of_a_wave_that_fails_is_a_failure(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = build("songs", engine, tmp_path, monkeypatch)
    with (tmp_path / "backfills.toml").open("a", encoding="utf-8") as file:
        file.write("[songs]\nwaves = [10, 100]\n")
    forget_settings()
    engine.fault("not_json")

    state = engine.run(name="songs", csv_in=str(world.csv), csv_out=str(world.csv_out))

    assert state.name == "GatesFailed", state
    last = world.checkpoint()
    assert (last["status"], last["notes"]) == ("failed", state.message)


def test_bad_targets_are_counted_and_planned_again_it_is_complete_no_more(engine: Engine) -> None:
    engine.load_samples(ROWS)
    engine.fault("safety", match={"text": "Chapter 3 "})
    engine.summary()
    bad = row(engine)

    plan_again.directly(NAME, [*BadReason], dry_run=False)

    assert (bad["status"], bad["items_processed"], bad["items_failed"]) == (
        "completed",
        ROWS - 1,
        1,
    )
    assert status(engine) == "stopped"
    assert row(engine)["notes"] == "1 bad targets are planned again; the next run asks them."


def test_a_table_without_the_later_columns_is_kept_as_it_is(engine: Engine) -> None:
    engine.sql(
        "alter table kb_migrations drop column notes, drop column items_failed,"
        " drop column started_at, drop column finished_at"
    )
    engine.load_samples(ROWS)

    engine.summary()

    assert (status(engine), row(engine)["items_processed"]) == ("completed", ROWS)


def test_a_row_that_somebody_deleted_is_made_anew(engine: Engine) -> None:
    engine.load_samples(ROWS)
    engine.summary(limit=10)
    engine.sql("delete from kb_migrations where job_name like '%%gemini_batch_v1%%'", x=0)

    engine.summary()

    assert (status(engine), row(engine)["items_processed"]) == ("completed", ROWS)
    assert backfills.get(NAME).checkpoint == JOB


def test_a_slice_that_a_worker_commits_after_the_stop_is_counted_and_starts_nothing(
    engine: Engine,
) -> None:
    engine.load_samples(ROWS)
    engine.summary(limit=4)
    [slice_id] = engine.plan()

    asyncio.run(backfill_slice.fn(name=NAME, slice_id=slice_id))

    late = row(engine)
    assert (late["status"], late["items_processed"]) == ("stopped", ROWS)
    assert late["finished_at"]
