from collections.abc import Iterator

import pytest

from tasks.adapters.postgres import Connection, connect


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with connect(database_url) as opened:
        yield opened
