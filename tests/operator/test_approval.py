"""Money is spent only with a yes: three ways to give it, a refusal, and nobody there."""

import time

import pytest
from deployed import Deployed

FULL = {"kind": "full", "without_pilot": True, "slice_size": 20}


def ledger(on_stack: Deployed) -> dict[str, object]:
    [run] = on_stack.sql("select state, approved_by, approved_usd, message from backfill.runs")
    return run


def put_down(on_stack: Deployed) -> dict[str, object]:
    """Return the ledger's run once its process has let go of it: Prefect knows a moment before."""
    deadline = time.monotonic() + 60
    while (run := ledger(on_stack))["state"] == "running" and time.monotonic() < deadline:
        time.sleep(0.2)
    return run


def test_a_suspended_run_goes_on_with_what_the_form_says(on_stack: Deployed) -> None:
    on_stack.load(40)
    run = on_stack.start("backfill/full", **FULL)
    suspended = on_stack.suspended(run)
    assert suspended["name"] == "Suspended"
    assert on_stack.form(run)["created"] < suspended["timestamp"], "it could be killed without form"
    waiting = put_down(on_stack)
    [checkpoint] = on_stack.sql("select status, notes from kb_migrations")
    estimate = on_stack.artifact("passage-concepts-estimate")

    on_stack.answer(run, approve_up_to_usd=1.0)
    state = on_stack.end(run)

    assert "| Targets | 40 |" in estimate
    assert checkpoint["status"] == "waiting"
    assert "waits for a person's approval" in checkpoint["notes"]
    assert on_stack.sql("select status from kb_migrations") == [{"status": "completed"}]
    assert waiting["state"] == "stopped"
    assert "waits for a person's approval" in str(waiting["message"])
    assert state["type"] == "COMPLETED", state
    assert ledger(on_stack)["approved_by"] == "form"
    assert ledger(on_stack)["state"] == "finished"


@pytest.mark.long
def test_a_refusal_ends_the_run_as_refused_and_spends_nothing(on_stack: Deployed) -> None:
    on_stack.load(40)
    run = on_stack.start("backfill/full", **FULL)
    on_stack.suspended(run)

    on_stack.answer(run, refuse=True)
    state = on_stack.end(run)

    assert (state["type"], state["name"]) == ("CANCELLED", "Refused")
    assert ledger(on_stack)["state"] == "refused"
    assert on_stack.sql("select 1 from backfill.slices where state <> 'planned'") == []


@pytest.mark.long
def test_a_run_that_is_resumed_without_an_answer_asks_again(on_stack: Deployed) -> None:
    on_stack.load(40)
    run = on_stack.start("backfill/full", **FULL)
    first = on_stack.suspended(run)

    on_stack.answer(run)
    again = on_stack.suspended(run, after=first)
    assert ledger(on_stack)["approved_by"] is None
    on_stack.answer(run, approve_up_to_usd=1.0)

    assert again["name"] == "Suspended"
    assert on_stack.end(run)["type"] == "COMPLETED"


@pytest.mark.long
def test_a_run_that_nobody_answers_ends_by_itself(on_stack: Deployed) -> None:
    on_stack.load(40)
    run = on_stack.start("backfill/full", approval_hours=0.001, **FULL)
    on_stack.suspended(run)

    state = on_stack.end(run)

    assert (state["type"], state["message"]) == ("FAILED", "The flow was paused and never resumed.")
    assert put_down(on_stack)["state"] == "stopped"
    assert on_stack.sql("select 1 from backfill.slices where state <> 'planned'") == []


@pytest.mark.long
def test_what_the_form_approved_is_a_hard_cap(on_stack: Deployed) -> None:
    on_stack.load(100)
    run = on_stack.start("backfill/full", slices_at_once=1, **FULL)
    on_stack.suspended(run)
    [priced] = on_stack.sql("select max(estimated_usd) as usd from backfill.slices")

    on_stack.answer(run, approve_up_to_usd=float(priced["usd"]) * 2.5)
    state = on_stack.end(run)

    assert (state["type"], state["name"]) == ("CANCELLED", "BudgetReached")
    [spent] = on_stack.sql("select sum(cost_usd) as usd from backfill.slices")
    assert 0 < spent["usd"] <= ledger(on_stack)["approved_usd"]
    states = {row["state"] for row in on_stack.sql("select state from backfill.slices")}
    assert states == {"done", "planned"}


@pytest.mark.long
@pytest.mark.parametrize("first", [{"refuse": True}, {"approve_up_to_usd": 0.00001}])
def test_a_run_that_ended_for_its_approval_asks_anew_when_it_is_retried(
    on_stack: Deployed, first: dict[str, object]
) -> None:
    on_stack.load(40)
    run = on_stack.start("backfill/full", **FULL)
    on_stack.suspended(run)
    on_stack.answer(run, **first)
    assert on_stack.end(run)["name"] in {"Refused", "BudgetReached"}

    on_stack.retry(run)
    assert on_stack.suspended(run)["name"] == "Suspended"
    on_stack.answer(run, approve_up_to_usd=1.0)

    assert on_stack.end(run)["type"] == "COMPLETED"
    assert ledger(on_stack)["state"] == "finished"


@pytest.mark.long
def test_a_schedule_spends_its_standing_approval_without_asking(on_stack: Deployed) -> None:
    on_stack.load(20)

    state = on_stack.run("backfill/incremental", without_pilot=True)

    assert state["type"] == "COMPLETED", state
    assert ledger(on_stack)["approved_by"] == "parameter"


@pytest.mark.long
def test_a_suspended_run_outlives_a_restart_of_the_server(on_stack: Deployed) -> None:
    on_stack.load(40)
    run = on_stack.start("backfill/full", **FULL)
    on_stack.suspended(run)
    put_down(on_stack)

    on_stack.stack.kill("prefect")
    on_stack.stack.start("prefect")
    on_stack.answer(run, approve_up_to_usd=1.0)

    assert on_stack.end(run)["type"] == "COMPLETED"
