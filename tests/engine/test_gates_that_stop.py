"""A model turned to prose costs little of an approval, and no run outside its gates is green."""

from typing import Any
from uuid import uuid4

import pytest
from engine_hand import NAME, Engine, sample_text

import flows.backfill
from tasks.adapters.settings import settings

INSERT = """
insert into passages (passage_id, doc_id, page_char_start, page_char_end, passage_text)
select md5(n::text)::uuid, md5(''::text)::uuid, 0, 40, 'Passage ' || n || ' deals with optics.'
from generate_series(1, %(rows)s::int) as n
"""


def test_a_large_run_sends_500_first_and_a_model_in_prose_ends_it(engine: Engine) -> None:
    engine.sql(INSERT, rows=3000)
    engine.fault("not_json")

    state = engine.run(slice_size=5000)

    assert (state.name, state.is_failed()) == ("GatesFailed", True)
    assert "0.0% (0 of 500) and 0.0% (0 of 500) in 2 slices, outside its limit >= 0.95" in str(
        state.message
    )
    assert engine.jobs() == 2
    assert engine.ends() == {"bad: not_json": 500}
    [job] = engine.sql("select status, notes from kb_migrations")
    assert job == {"status": "failed", "notes": state.message}
    assert engine.sql("select state from backfill.runs where kind = 'full'")[-1] == {
        "state": "failed"
    }


@pytest.mark.long
def test_a_large_run_goes_on_after_a_first_slice_that_passed(engine: Engine) -> None:
    engine.sql(INSERT, rows=2001)
    engine.fault("max_tokens", share=0.02, needs=2000)

    engine.run(slice_size=5000)

    first, rest, again = sorted(engine.slices(), key=lambda each: (each["attempt"], each["wave"]))
    assert [(each["wave"], each["request_count"]) for each in (first, rest)] == [
        (1, 500),
        (2, 1501),
    ]
    # Bad ones of the first slice do not hold up the rest, and go again with those of the rest.
    assert first["bad"] + rest["bad"] == again["request_count"] > first["bad"] > 0
    assert engine.ends() == {"written": 2001}


def test_two_slices_below_the_gate_stop_a_run_and_what_flies_is_collected(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql(INSERT, rows=480)
    run_slice, sent = flows.backfill.backfill_slice, 0

    async def then_prose(name: str, slice_id: str, part: str) -> Any:
        nonlocal sent
        sent += 1
        if sent == 2:
            engine.fault("not_json")
        return await run_slice(name, slice_id, part)

    monkeypatch.setattr(flows.backfill, "backfill_slice", then_prose)

    state = engine.run(slice_size=60, slices_at_once=1)

    assert state.name == "GatesFailed"
    assert "0.0% (0 of 60) and 0.0% (0 of 60)" in str(state.message)
    assert engine.jobs() == 3
    assert engine.ends()["written"] == 60
    jobs, slices = engine.jobs(), len(engine.slices())

    again = engine.run(slice_size=60, slices_at_once=3)

    assert again.name == "GatesFailed"
    assert engine.jobs() < jobs + len(engine.slices()) - slices
    assert not [each for each in engine.slices() if each["state"] in ("reserved", "submitted")]


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_run_outside_its_gates_has_failed_and_names_gate_measurement_and_limit(
    engine: Engine, kind: str
) -> None:
    engine.load_samples(12)
    engine.fault("not_json", match={"text": "Chapter 3 "})

    state = engine.run(kind=kind)

    assert (state.name, state.is_failed()) == ("GatesFailed", True)
    assert str(state.message).startswith("12 targets: 11 written, 0 empty, 1 bad")
    assert "Share of unparseable responses is 0.08333, outside its limit <= 0.01." in str(
        state.message
    )
    [run] = engine.sql(
        "select state, passed from backfill.runs where backfill = %(name)s and kind = %(kind)s"
        " and message is not null",
        name=NAME,
        kind=kind,
    )
    assert run == {"state": "failed", "passed": False}
    assert engine.sql("select status from kb_migrations") == [{"status": "failed"}]

    engine.no_faults()
    engine.insert(str(uuid4()), sample_text(12))
    again = engine.run(kind=kind)

    assert again.is_completed()
    # Each measure stands beside those of the version's last runs.
    *_, report = sorted(settings().reports_dir.glob(f"*-{NAME}-{kind}.md"))
    assert "| Share of unparseable responses | 0 | <= 0.01 | ✓ | 0.08333 |" in report.read_text()
