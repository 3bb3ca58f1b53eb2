"""The engine without a Prefect server: real Postgres, real emulator, the flows' own code."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from collector_hand import Observe, observing
from engine_hand import Engine, forget_settings
from machine_hand import World, world_of
from prefect.logging import disable_run_logger

from bench.without_prefect import take_out

if TYPE_CHECKING:
    from deployments.local.emulator.serve import Address

QUICK = {
    "BACKFILL_HTTP_TIMEOUT_SECONDS": "4",
    "BACKFILL_POLL_SECONDS": "0.02",
    "BACKFILL_RECREATE_AFTER_SECONDS": "0.1",
    "BACKFILL_QUOTA_PATIENCE_SECONDS": "0.5",
    "BACKFILL_QUOTA_BACKOFF_SECONDS": "0.05",
}


@pytest.fixture
def fresh(
    database_url: str,
    emulator: "Address",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Engine]:
    """Yield the engine over an empty database and a quick emulator that remembers nothing."""
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database_url)
    monkeypatch.setenv("BACKFILL_GEMINI_URL", emulator.base_url)
    monkeypatch.setenv("GEMINI_API_KEY", "a-key")
    monkeypatch.setenv("BACKFILL_WORK_DIR", str(tmp_path / "work"))
    monkeypatch.setenv("BACKFILL_REPORTS_DIR", str(tmp_path / "reports"))
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
    forget_settings()
    take_out(monkeypatch.setattr)
    one = Engine(database_url, emulator.base_url)
    one.set(run_seconds=0.0, trouble=0.0)
    with disable_run_logger():
        yield one
    one.http.close()
    forget_settings()


@pytest.fixture
def engine(fresh: Engine) -> Engine:
    """Return the engine an hour after an earlier run: no canary goes before a test's own."""
    fresh.asked_lately()
    return fresh


@pytest.fixture
def world(fresh: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    """Yield the engine with everything that may happen to it and to its tables."""
    with world_of(fresh, monkeypatch, tmp_path) as made:
        yield made


@pytest.fixture
def observe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Observe]:
    """Yield a function that starts a collector and lets the engine report to it."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with observing(monkeypatch) as start:
        yield start
