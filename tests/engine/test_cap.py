"""What was approved is a hard cap, at every commit, however long the answers turn out to be."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from engine_hand import NAME, Engine, configure

from tasks.backfills.passage_concepts import BACKFILL
from tasks.planning.estimate import make_estimate

SUMS = """
select
    runs.approved_usd::float as approved,
    sums.usd::float as spent
from backfill.runs
cross join lateral (
    select sum(slices.cost_usd) + coalesce(
        sum(slices.reserved_usd) filter (where slices.state in ('reserved', 'submitted')), 0
    ) as usd
    from backfill.slices
    where slices.run_id = runs.run_id
) as sums
where runs.state = 'running' and runs.approved_by = 'parameter'
"""


@contextmanager
def watched(engine: Engine) -> Iterator[list[tuple[float, float]]]:
    over, seen = threading.Event(), []

    def watch() -> None:
        while not over.wait(0.05):
            seen.extend((row["spent"] or 0.0, row["approved"]) for row in engine.sql(SUMS))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def paid_usd(engine: Engine) -> float:
    usd = sum(row["cost_usd"] for row in engine.slices())
    return float(usd)


@pytest.fixture
def declared_too_short() -> Iterator[None]:
    declared = BACKFILL.output_tokens
    object.__setattr__(BACKFILL, "output_tokens", declared // 4)
    yield
    object.__setattr__(BACKFILL, "output_tokens", declared)


@pytest.mark.usefixtures("declared_too_short")
@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_ten_slices_at_once_never_spend_more_than_was_approved(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    configure(monkeypatch, requests_per_minute=60_000, tokens_per_minute=100_000_000)
    rows = 600 if transport == "batch" else 30
    engine.load_samples(rows)
    engine.set(run_seconds=0.2)
    engine.plan()
    [run] = engine.sql("select run_id from backfill.runs where state = 'running'")
    needed = make_estimate.directly(NAME, run["run_id"]).usd(transport)
    approved = needed * 1.3

    with watched(engine) as seen:
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
    assert seen
    assert all(spent <= cap for spent, cap in seen)
