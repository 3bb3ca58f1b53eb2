"""Undo: one version's rows, nobody else's, resumable, and what was paid stays on record."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine
from operator_hand import in_flight
from prefect.client.schemas.objects import State

import tasks.undo.restore
import tasks.undo.rollback
from flows.rollback import rollback
from tasks import backfills
from tasks.adapters.gemini import gemini
from tasks.adapters.leases import held
from tasks.adapters.ledger import rollbacks
from tasks.core.errors import PreflightError, RunInProgressError
from tasks.planning.preflight import look


def undo(**options: Any) -> State[Any]:
    return asyncio.run(rollback.fn(**{"name": NAME, "dry_run": False, **options}))


restore_version = tasks.undo.restore.restore_version.directly


def checkpoint(engine: Engine) -> tuple[str, int]:
    [row] = engine.sql("select status, items_processed from kb_migrations")
    return row["status"], row["items_processed"]


def test_it_is_said_in_the_words_that_the_users_table_takes(engine: Engine) -> None:
    engine.sql("alter table kb_migrations add check (status in ('running', 'completed', 'failed'))")
    engine.load_samples(3)
    engine.summary()

    undo()

    [row] = engine.sql("select status, notes from kb_migrations")
    assert row == {"status": "failed", "notes": "rolled back: Rolled back."}


def test_a_dry_run_counts_and_changes_nothing(engine: Engine) -> None:
    engine.load_samples(30)
    engine.summary()
    rows = engine.rows()

    state = undo(dry_run=True)

    assert state.name == "DryRun"
    assert f"{len(rows):,} rows of passage_concepts and 30 ledger entries" in str(state.message)
    assert engine.rows() == rows
    assert checkpoint(engine) == ("completed", 30)


class Said:
    """A run's log, as it is read."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def info(self, line: str, *values: object) -> None:
        self.lines.append(line % values if values else line)


def test_only_this_versions_rows_go_and_the_bill_stays(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(30)
    legacy = engine.legacy()
    engine.summary()
    paid = sum(each["cost_usd"] for each in engine.slices())

    said: list[str] = []
    monkeypatch.setattr(tasks.undo.rollback, "get_run_logger", lambda: Said(said))
    ours = len(engine.rows())

    state = undo(step=7)

    assert state.name == "RolledBack"
    taken = [re.findall(r"^(\d+) ledger entries, (\d+) rows taken back", each) for each in said]
    entries, rows = zip(*[map(int, pair) for [pair] in filter(None, taken)], strict=True)
    assert (entries, sum(rows)) == ((7, 7, 7, 7, 2), ours)
    assert f"{ours:,} rows and 30 ledger entries deleted" in str(state.message)
    assert said[-1] == state.message
    assert engine.rows() == []
    assert engine.generations() == []
    assert engine.legacy() == legacy
    assert checkpoint(engine) == ("rolled back", 0)
    assert engine.sql(
        "select items_failed, cursor_position, started_at, notes from kb_migrations"
    ) == [
        {
            "items_failed": 0,
            "cursor_position": None,
            "started_at": None,
            "notes": "Rolled back.",
        }
    ]
    assert {each["state"] for each in engine.slices()} == {"rolled_back"}
    assert sum(each["cost_usd"] for each in engine.slices()) == paid > 0


def test_afterwards_runs_are_refused_until_it_is_taken_back_for_nothing(engine: Engine) -> None:
    engine.load_samples(30)
    engine.summary()
    before = engine.rows()
    undo()
    with pytest.raises(PreflightError, match=r"was rolled back on .* run restore/withdrawn"):
        engine.run()

    restore_version(NAME, None, dry_run=False)

    assert engine.rows() == before
    assert checkpoint(engine) == ("completed", 30)
    assert engine.summary() == "Nothing to do."
    assert sum(each["request_count"] for each in engine.slices()) == 30


def test_a_version_without_kept_answers_may_be_asked_again_at_once(engine: Engine) -> None:
    engine.load_samples(30)
    engine.summary()
    engine.sql("delete from backfill.questions")
    engine.sql("delete from backfill.answer_blocks")
    undo()

    engine.summary()

    assert checkpoint(engine) == ("completed", 30)
    assert sum(each["request_count"] for each in engine.slices()) == 60


def test_rows_of_this_version_that_another_script_wrote_go_too(engine: Engine) -> None:
    ids = engine.load_samples(30)
    engine.sql(
        "insert into passage_concepts"
        " (passage_id, concept_name, extractor_model, extractor_version)"
        " select %(id)s, 'foreign_' || n, 'model', %(version)s from generate_series(1, 3) as n",
        id=ids[0],
        version=VERSION,
    )
    engine.summary()

    undo(step=1)

    assert engine.rows() == []


def test_an_interrupted_rollback_is_finished_by_the_next(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(30)
    engine.summary()
    rows = len(engine.rows())

    with monkeypatch.context() as broken:
        broken.setattr(rollbacks, "step", BreaksOff(rollbacks.step, after=2))
        with pytest.raises(KeyboardInterrupt):
            undo(step=10)
    half = len(engine.rows())
    [refused] = look(backfills.get(NAME)).problems
    status = engine.sql("select status from kb_migrations")
    undo(step=10)

    assert 0 < half < rows
    assert "run rollback/written again" in refused
    assert status == [{"status": "rolling back"}]
    assert engine.rows() == []
    [withdrawn] = look(backfills.get(NAME)).problems
    assert "run restore/withdrawn to take it back for nothing" in withdrawn
    assert engine.sql("select rows_deleted from backfill.rollbacks") == [{"rows_deleted": rows}]


class BreaksOff:
    """A step that is interrupted after a number of times."""

    def __init__(self, step: Callable[..., Any], after: int) -> None:
        self._step = step
        self._left = after

    def __call__(self, *args: object) -> object:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return self._step(*args)


def test_a_rollback_waits_for_no_run_it_refuses(engine: Engine) -> None:
    with (
        held("run", NAME, holder="full passage_concepts"),
        pytest.raises(RunInProgressError, match="full passage_concepts"),
    ):
        undo()


def test_a_job_in_flight_is_neither_lost_nor_forgotten(engine: Engine) -> None:
    engine.load_samples(30)
    engine.set(run_seconds=3600.0)
    [slice_id] = engine.plan()
    in_flight(slice_id)

    with pytest.raises(RunInProgressError, match="1 batch jobs of passage_concepts are in flight"):
        undo()

    assert engine.slice(slice_id).state == "submitted"
    assert len(engine.generations()) == 30


def test_a_job_in_flight_is_cancelled_if_that_is_wanted(engine: Engine) -> None:
    engine.load_samples(30)
    engine.set(run_seconds=3600.0)
    [slice_id] = engine.plan()
    job = in_flight(slice_id)

    undo(cancel_jobs=True)

    assert engine.slice(slice_id).state == "failed"
    assert engine.generations() == []
    assert gemini().get_job(job).state in ("CANCELLED", "CANCELLING")


def test_a_version_that_others_wrote_is_not_ours_to_delete(engine: Engine) -> None:
    engine.load_samples(30)

    with pytest.raises(PreflightError, match="nothing of passage_concepts under 'llm_v2'"):
        undo(extractor_version="llm_v2")


def test_a_rollback_takes_the_pilots_verdict_back(engine: Engine) -> None:
    engine.load_samples(30)
    engine.summary(kind="pilot", limit=10)

    undo()
    restore_version(NAME, None, dry_run=False)

    with pytest.raises(PreflightError, match="no pilot was judged"):
        engine.run(without_pilot=False)
