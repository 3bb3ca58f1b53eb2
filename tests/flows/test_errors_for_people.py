"""One clear sentence each: no key, no database, a wrong model, no tables, an old schema."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from prefect.blocks.system import Secret

from deployments.local.emulator.serve import Address
from deployments.local.stack import Stack
from tasks import backfills
from tasks.adapters import gemini, settings
from tasks.adapters.postgres import idle
from tasks.core.backfill import Backfill
from tasks.planning.preflight import look

BACKFILL = backfills.get("passage_concepts")


@pytest.fixture(autouse=True)
def environment(
    database_url: str, emulator: Address, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.MonkeyPatch]:
    """Yield an environment in which all is well, for a test to spoil."""
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database_url)
    monkeypatch.setenv("GEMINI_API_KEY", "emulator-key")
    monkeypatch.setenv("BACKFILL_GEMINI_URL", emulator.base_url)
    forget()
    yield monkeypatch
    forget()


def forget() -> None:
    settings.settings.cache_clear()
    gemini.gemini.cache_clear()
    idle.end()


def problems(backfill: Backfill = BACKFILL) -> list[str]:
    forget()
    return look(backfill).problems


def test_where_all_is_well_there_is_nothing_to_say() -> None:
    assert problems() == []


def test_an_unreachable_database_is_named_without_its_password(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("BACKFILL_DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/app")

    [sentence] = problems()

    assert sentence.startswith("Postgres at 127.0.0.1:1 (database 'app') cannot be reached:")
    assert "BACKFILL_DATABASE_URL" in sentence
    assert "hush" not in sentence


def test_something_that_is_no_address_is_called_so(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("BACKFILL_DATABASE_URL", "postgresql://[oops")

    [sentence] = problems()

    assert "cannot be read" in sentence
    assert "oops" not in sentence


def test_a_wrong_model_name_is_named_with_the_known_ones() -> None:
    sentences = problems(replace(BACKFILL, model="gemini-2.5-flsh"))

    assert any("There is no model 'gemini-2.5-flsh'" in sentence for sentence in sentences)
    assert any("'gemini-2.5-flsh' cannot be used" in sentence for sentence in sentences)


def test_a_model_that_was_shut_down_is_refused_by_name() -> None:
    sentences = problems(replace(BACKFILL, model="gemini-2.0-flash"))

    assert any("'gemini-2.0-flash' was shut down on 2026-06-01" in each for each in sentences)


def test_a_wrong_key_is_said_in_the_services_words(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GEMINI_API_KEY", "invalid-key")

    [sentence] = problems()

    assert "API key not valid" in sentence
    assert "invalid-key" not in sentence


def test_missing_tables_are_named_each(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("drop table passages, passage_concepts")

    sentences = problems()

    assert [each.partition("lacks ")[2].partition(";")[0] for each in sentences] == [
        "table passages",
        "table passage_concepts",
    ]
    assert "Set source.table in [passage_concepts] of backfills.toml" in sentences[0]
    assert "Set target.table in [passage_concepts] of backfills.toml" in sentences[1]


def test_a_missing_column_is_named_with_its_table(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("alter table passage_concepts drop column evidence")

    [sentence] = problems()

    assert "passage_concepts has no column evidence" in sentence


def test_an_old_schema_says_how_to_bring_it_up_to_date(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("drop schema backfill cascade")

    [sentence] = problems()

    assert "0001_create_ledger.sql" in sentence
    assert "make deploy" in sentence


def test_a_changed_prompt_under_an_old_version_is_refused(database_url: str) -> None:
    assert problems() == []
    with psycopg.connect(database_url) as connection:
        connection.execute("update backfill.versions set digest = 'another'")
        connection.execute(
            "insert into backfill.generations"
            " (doc_id, backfill, extractor_version, target_id, content_hash, state)"
            " values (gen_random_uuid(), 'passage_concepts', 'gemini_batch_v1', 'a',"
            " gen_random_uuid(), 'bad')"
        )

    [sentence] = problems()

    assert "still 'gemini_batch_v1'" in sentence
    assert "new extractor_version" in sentence


def test_a_missing_key_says_the_two_places_it_may_come_from(
    prefect_env: Stack, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("GEMINI_API_KEY")

    sentences = problems()

    assert (
        "No Gemini API key is set: export GEMINI_API_KEY=..., or save a Secret block"
        in " ".join(sentences)
    )


def test_a_missing_database_says_the_two_places_it_may_come_from(
    prefect_env: Stack, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("BACKFILL_DATABASE_URL")

    sentences = problems()

    assert "No database is set: export BACKFILL_DATABASE_URL=" in " ".join(sentences)


def test_a_key_in_a_secret_block_is_used(
    prefect_env: Stack, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("GEMINI_API_KEY")
    Secret(value="invalid-key-in-a-block").save(settings.KEY_BLOCK, overwrite=True)

    sentences = problems()

    Secret.delete(settings.KEY_BLOCK)
    assert "API key not valid" in " ".join(sentences)
