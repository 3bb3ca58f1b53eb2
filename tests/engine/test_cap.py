"""What was approved is a hard cap, at every commit, however long the answers turn out to be."""

import re

import pytest
from engine_hand import NAME, Engine, configure
from prefect.exceptions import Pause

import tasks.planning.approval
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.money import Transport
from tasks.planning.approval import Approval
from tasks.planning.estimate import make_estimate

AT_EVERY_COMMIT = """
create function within_the_cap() returns trigger language plpgsql as $$
declare
    over text;
begin
    select format('%s of %s', sums.usd, runs.approved_usd) into over
    from backfill.runs
    cross join lateral (
        select sum(slices.cost_usd) + coalesce(
            sum(slices.reserved_usd) filter (where slices.state in ('reserved', 'submitted')), 0
        ) as usd
        from backfill.slices
        where slices.run_id = runs.run_id
    ) as sums
    where
        runs.run_id = new.run_id
        and runs.approved_by is not null
        and sums.usd > runs.approved_usd;
    if found then
        raise exception 'spent and reserved: %', over;
    end if;
    return null;
end $$;
create constraint trigger within_the_cap after insert or update on backfill.slices
deferrable initially deferred for each row execute function within_the_cap()
"""


def paid_usd(engine: Engine) -> float:
    usd = sum(row["cost_usd"] for row in engine.slices())
    return float(usd)


@pytest.fixture
def declared_too_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(BACKFILL), "output_tokens", BACKFILL.output_tokens // 4)


@pytest.fixture
def form(monkeypatch: pytest.MonkeyPatch) -> list[type[Approval]]:
    """Return what is kept of the forms that were shown; nobody answers them."""
    shown: list[type[Approval]] = []

    async def ask(form: type[Approval], **_: object) -> Approval:
        shown.append(form)
        raise Pause

    monkeypatch.setattr(tasks.planning.approval, "ask", ask)
    return shown


def estimated(engine: Engine, transport: Transport) -> float:
    """Return what a run is expected to cost that has just been planned, with 100 USD approved."""
    [run] = engine.sql("select run_id, approved_usd from backfill.runs where state = 'running'")
    assert run["approved_usd"] == 100
    return make_estimate.directly(NAME, run["run_id"]).usd(transport)


@pytest.mark.usefixtures("declared_too_short", "plain")
@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_ten_slices_at_once_never_spend_more_than_was_approved_at_last(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, transport: Transport
) -> None:
    configure(monkeypatch, requests_per_minute=60_000, tokens_per_minute=100_000_000)
    rows = 600 if transport == "batch" else 30
    engine.load_samples(rows)
    engine.set(run_seconds=0.2)
    engine.plan()
    approved = estimated(engine, transport) * 1.3
    engine.sql(AT_EVERY_COMMIT)

    state = engine.run(
        approve_up_to_usd=approved,
        slice_size=rows // 10,
        slices_at_once=10,
        transport=transport,
        fresh=True,
    )

    assert state.name == "BudgetReached"
    assert "rows stay planned" in str(state.message)
    assert 0.5 * approved < paid_usd(engine) <= approved


def test_a_form_proposes_what_is_expected_and_what_flies_at_once_and_that_is_enough(
    engine: Engine, form: list[type[Approval]]
) -> None:
    engine.load_samples(300)
    engine.plan()
    expected = estimated(engine, "batch")
    with pytest.raises(Pause):  # less than was approved before is not enough, and holds
        engine.run(approve_up_to_usd=expected / 2, slice_size=30, fresh=True)
    [shown] = form
    proposed = shown.model_fields["approve_up_to_usd"].default

    engine.sql(AT_EVERY_COMMIT)
    engine.fault("not_json", times=12)  # these are asked again
    state = engine.run(approve_up_to_usd=proposed, slice_size=30, slices_at_once=10)

    [about] = re.findall(r"about \*\*(\S+) USD", str(shown._description))
    assert float(about) == pytest.approx(expected, abs=0.01)
    [more] = re.findall(r"holds (\S+) USD more", str(shown._description))
    assert expected + float(more) <= proposed < expected + float(more) + 0.0101
    assert state.is_completed(), state
    assert len(form) == 1
    assert engine.ends() == {"written": 300}
    assert {each["attempt"] for each in engine.slices()} == {1, 2}


def test_a_small_approval_is_spent_on_slices_that_are_cut_to_what_is_left(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answered(*_: object, **__: object) -> Approval:
        return Approval(approve_up_to_usd=small)

    async def taken() -> None:
        return None

    monkeypatch.setattr(tasks.planning.approval, "ask", answered)
    monkeypatch.setattr(tasks.planning.approval, "taken", taken)
    engine.load_samples(600)
    engine.plan()
    small = estimated(engine, "batch") / 2
    engine.sql(AT_EVERY_COMMIT)

    state = engine.run(approve_up_to_usd=0.00001, slice_size=600, fresh=True)

    assert state.name == "BudgetReached"
    assert 0.3 * small < paid_usd(engine) <= small
    done = [each["request_count"] for each in engine.slices() if each["state"] == "done"]
    assert all(50 <= rows < 600 for rows in done)
