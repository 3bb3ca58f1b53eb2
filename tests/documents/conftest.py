"""Fixtures of the documents index: an empty archive, and a Prefect server for the flow."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from documents_archive import Archive
from prefect.testing.utilities import prefect_test_harness


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


@pytest.fixture(scope="module")
def prefect_server() -> Iterator[None]:
    """Yield while a real Prefect server of this module's own runs."""
    with prefect_test_harness(server_startup_timeout=120):
        yield
