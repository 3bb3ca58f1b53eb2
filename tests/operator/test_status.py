"""Status: every target in exactly one column, jobs with their age, for eyes and for scripts."""

import io
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from engine_hand import NAME, VERSION, Engine
from operator_hand import in_flight
from rich.console import Console

from deployments import status as command
from deployments.screen import Screen
from tasks.adapters import status
from tasks.adapters.pages import render
from tasks.core.models import Progress
from tasks.core.quality import bar
from tasks.core.status import RunStatus, duration
from tasks.reports.status import sentence
from tasks.slices import waves

EVIL = "\x1b]52;c;eA==\x07[bold]\u202e"
"""What writes into a terminal's clipboard, and turns the direction of what follows."""

COUNTS = ("planned", "in_flight", "written", "empty", "bad", "skipped")


@pytest.fixture
def busy(engine: Engine) -> Engine:
    """Return an engine with finished, bad, planned and submitted targets."""
    engine.load(*[f"A passage about topic {number}, long enough." for number in range(20)], "")
    engine.summary(kind="pilot", limit=10)
    engine.sql(
        "update backfill.generations set state = 'bad', reason = 'not_json' where doc_id in"
        " (select doc_id from backfill.generations where state = 'written' limit 2)"
    )
    engine.set(run_seconds=3600.0)
    first, *_ = engine.plan(slice_size=5)
    in_flight(first)
    return engine


def test_every_target_is_in_exactly_one_column(busy: Engine) -> None:
    [each] = status.read().backfills

    assert (each.backfill, each.extractor_version) == (NAME, VERSION)
    assert sum(getattr(each, name) for name in COUNTS) == each.targets == 21
    assert (each.in_flight, each.planned, each.skipped) == (5, 5, 1)
    assert each.bad_reasons == {"not_json": 2}


def test_a_job_in_flight_is_named_with_its_age(busy: Engine) -> None:
    [each] = status.read().backfills

    [job] = each.jobs
    assert job.state == "submitted"
    assert str(job.job_name).startswith("batches/")
    assert 0 <= (job.age_seconds or -1) < 60


def test_a_target_that_is_asked_again_counts_once_while_it_waits_and_when_it_has_ended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Progress] = []
    monkeypatch.setattr(waves, "_line", lambda progress, _: seen.append(progress))
    engine.load_samples(40)
    engine.fault("not_json", times=9)
    engine.fault("not_json", match={"text": "Chapter 7 "})

    engine.summary(slice_size=20)

    [each] = status.read().backfills
    assert {each["attempt"] for each in engine.slices()} == {1, 2, 3}
    assert {progress.targets for progress in seen} == {40}
    assert (seen[-1].written, seen[-1].bad, seen[-1].ended) == (39, 1, 40)
    assert each.run
    assert each.run.progress.startswith("40 of 40, ")


def test_scripts_read_json(busy: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    command.once(as_json=True)

    [each] = json.loads(capsys.readouterr().out)["backfills"]
    assert each["in_flight"] == 5
    assert each["run"]["approved_usd"] == 100.0


def test_a_pipe_gets_one_plain_line_per_fact(
    busy: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    command.once(as_json=False)

    facts = dict(line.split(" ", 1) for line in capsys.readouterr().out.splitlines())
    assert facts[f"{NAME}.{VERSION}.planned"] == "5"
    assert facts[f"{NAME}.{VERSION}.bad.not_json"] == "2"


def test_a_terminal_gets_bars_and_tables(busy: Engine) -> None:
    screen = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)

    screen.print(command.view(status.read()))

    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "52.4% of 21 targets" in shown
    assert "batches/" in shown


def test_a_terminal_obeys_nothing_that_a_run_or_its_log_says(
    busy: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    busy.sql("update backfill.runs set message = %(evil)s", evil=EVIL)
    terminal = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)

    terminal.print(command.view(status.read()))
    Screen().say(EVIL)

    for shown in (terminal.file.getvalue(), capsys.readouterr().out):  # type: ignore[attr-defined]
        assert r"\x1b]52;c;eA==\x07[bold]\u202e" in shown
        assert not set(shown) & set("\x1b\x07\u202e")


def test_the_artifact_says_the_same(busy: Engine) -> None:
    now = status.read()

    markdown = render("status.md", status=now, duration=duration, bar=bar)

    assert "| in flight | 5 |" in markdown
    assert "| bad: not_json | 2 |" in markdown
    assert "5 in flight in 1 jobs" in sentence(now.backfills[0])


def test_an_empty_ledger_says_what_to_do(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    command.once(as_json=False)

    assert capsys.readouterr().out == "empty ledger: nothing was run yet\n"


def test_the_rest_takes_as_long_as_the_rate_says() -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)

    run = RunStatus(
        run_id=uuid4(),
        kind="full",
        state="running",
        started_at=began,
        targets=300,
        ended=100,
        first_submitted_at=began,
        last_finished_at=began + timedelta(hours=2),
    )

    assert run.targets_per_hour == 50
    assert duration(run.seconds_left) == "4.0 h"


def test_without_a_finished_slice_nobody_guesses() -> None:
    run = RunStatus(
        run_id=uuid4(), kind="full", state="running", started_at=datetime.now(UTC), targets=300
    )

    assert run.targets_per_hour is None
    assert duration(run.seconds_left) == "—"
