"""What counts as a pilot: no large run before a small one that says something of the rest."""

import asyncio
from dataclasses import replace

import pytest
from engine_hand import NAME, Engine

from tasks import backfills
from tasks.core.errors import PreflightError
from tasks.core.gates import Gate
from tasks.planning.pilot import require_pilot


def test_a_pilot_counts_from_fifty_rows_or_all_there_are_and_a_gated_first_wave_is_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(55)

    small = engine.summary(kind="pilot", limit=4)
    with pytest.raises(PreflightError, match="no pilot was judged by 50 rows or more"):
        engine.run(without_pilot=False)
    large = engine.summary(kind="pilot", limit=50)
    full = engine.summary(without_pilot=False)

    assert small.endswith(" As a pilot it is too small: ask 50 rows or more.")
    assert "too small" not in large
    assert full.startswith("1 targets: 1 written")
    gate = Gate("usable", "Share of usable answers", at_least=0.95)
    waved = replace(backfills.get(NAME), waves=(2, 4), wave_gate=gate, extractor_version="waved")
    monkeypatch.setattr(backfills, "get", lambda _: waved)
    assert asyncio.run(require_pilot(NAME, "full", without_pilot=False)) is False
