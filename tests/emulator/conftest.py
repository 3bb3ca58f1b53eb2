"""A running emulator that is quick and remembers nothing."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from emulator_hand import Hand, lines, quick

from deployments.local.emulator.serve import Address


@pytest.fixture
def hand(emulator: Address) -> Iterator[Hand]:
    """Yield a client of a quick emulator without trouble that remembers nothing."""
    one = quick(Hand(emulator))
    yield one
    one.http.close()


@pytest.fixture
def input_path(tmp_path: Path) -> Path:
    """Return a file of three input lines."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, lines(3))))
    return path
