"""A service without trouble, and a round that has not begun."""

from pathlib import Path

import pytest
from conformance_hand import KEY, Round

from deployments.local.emulator.serve import Address


@pytest.fixture
def one(
    emulator: Address,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Round:
    """Return a round against an emulator that remembers nothing and has no trouble."""
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    found = Round(emulator.base_url, tmp_path / "round", capsys)
    found.switch("settings", run_seconds=2.0, trouble=0.0)
    return found
