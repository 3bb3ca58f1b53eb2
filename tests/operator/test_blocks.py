"""Prefect blocks instead of exports: what README says of them, in a deployed worker."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from deployed import Deployed
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_sqlalchemy import ConnectionComponents, SqlAlchemyConnector, SyncDriver
from psycopg.conninfo import conninfo_to_dict

from deployments.local.addresses import EMULATOR_KEY
from deployments.local.stack import Stack
from tasks.adapters.postgres import connect
from tasks.adapters.settings import DATABASE_BLOCK, KEY_BLOCK, settings
from tasks.core.errors import SettingsError


@pytest.fixture
def blocks(
    prefect_env: Stack, on_stack: Deployed, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """Yield the parts of the database's address; no key and no address is in the environment."""
    monkeypatch.setenv("BACKFILL_DATABASE_URL", " ")
    monkeypatch.setenv("GEMINI_API_KEY", "")
    Secret(value=f"{EMULATOR_KEY}\n").save(KEY_BLOCK, overwrite=True)
    settings.cache_clear()
    yield dict(conninfo_to_dict(on_stack.database_url))
    settings.cache_clear()
    for kind, name in ((SqlAlchemyConnector, DATABASE_BLOCK), (Secret, KEY_BLOCK)):
        kind.delete(name)


def save(info: ConnectionComponents | str, **more: Any) -> None:
    block = SqlAlchemyConnector(connection_info=info, **more)
    block.save(DATABASE_BLOCK, overwrite=True)
    settings.cache_clear()


def components(parts: dict[str, Any], **changed: Any) -> ConnectionComponents:
    fields = {
        "driver": SyncDriver.POSTGRESQL_PSYCOPG2,
        "database": parts["dbname"],
        "username": parts["user"],
        "password": parts["password"],
        "host": parts["host"],
        "port": parts["port"],
    }
    return ConnectionComponents(**{**fields, **changed})


def test_a_worker_with_the_two_blocks_needs_no_exports(
    blocks: dict[str, Any], on_stack: Deployed
) -> None:
    save(components(blocks))
    on_stack.extra = {"BACKFILL_DATABASE_URL": "", "GEMINI_API_KEY": "", "GOOGLE_API_KEY": ""}
    on_stack.load(4)

    state = on_stack.run("backfill/incremental", without_pilot=True)

    assert state["type"] == "COMPLETED", state
    assert on_stack.sql("select count(*) from backfill.generations where state = 'written'") == [
        {"count": 4}
    ]


def test_a_prefect_that_is_away_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BACKFILL_DATABASE_URL", raising=False)
    settings.cache_clear()

    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        pytest.raises(SettingsError, match=r"does not answer .*: check PREFECT_API_URL\.$"),
    ):
        settings().require_database_url()


def test_every_form_of_the_database_block_works_inside_an_event_loop_and_outside(
    blocks: dict[str, Any], on_stack: Deployed
) -> None:
    async def inside() -> str:
        return reached()

    def reached() -> str:
        settings.cache_clear()
        with connect() as connection:
            return str(connection.info.dbname)

    rest = on_stack.database_url.partition("://")[2]
    forms: list[tuple[ConnectionComponents | str, dict[str, Any]]] = [
        (components(blocks), {}),
        (components(blocks, driver="postgresql", query={"sslmode": "prefer"}), {}),
        (components(blocks, host=None, query={"host": blocks["host"]}), {}),
        (f"postgresql+psycopg2://{rest}", {}),
        (f"postgresql://{rest}", {"connect_args": {"sslmode": "prefer"}}),
    ]
    for info, more in forms:
        save(info, **more)
        assert [reached(), asyncio.run(inside())] == [blocks["dbname"]] * 2

    save(components(blocks, password="S3CRET"), connect_args={"pool": "S3CRET"})
    with pytest.raises(SettingsError) as caught:
        connect()
    assert "write postgresql://" in str(caught.value)
    assert "S3CRET" not in f"{caught.value!r} {caught.value.__context__!r}"
