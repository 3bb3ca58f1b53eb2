"""What a table cannot hold is one sentence of preflight, and nothing was sent or written."""

from collections.abc import Iterator

import psycopg
import pytest
from engine_hand import NAME, Engine, configure

from tasks import backfills
from tasks.adapters.migrations import apply_migrations
from tasks.adapters.postgres import connect, statements
from tasks.core.errors import PreflightError
from tasks.planning.preflight import look
from tasks.planning.tables_fit import Fit

ALTER = "alter table passage_concepts "


def found(engine: Engine) -> Fit:
    before = engine.sql("select * from passage_concepts order by 1, 2, 3, 7")
    fit = look(backfills.get(NAME))
    assert engine.sql("select * from passage_concepts order by 1, 2, 3, 7") == before
    assert engine.sql("select * from kb_migrations") == []
    return fit


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "alter confidence type int",
            (
                "passage_concepts.confidence is integer and cannot hold what passage_concepts"
                ' writes there (invalid input syntax for type integer: "0.73" (22P02)): alter table'
                " passage_concepts alter column confidence type double precision;"
            ),
        ),
        ("alter confidence type smallint", "confidence is smallint and cannot hold"),
        ("alter confidence type boolean using true", "confidence is boolean and cannot hold"),
        ("alter confidence type timestamptz using now()", "confidence is timestamp with time zone"),
        ("alter confidence type numeric(3, 1)", "numeric(3,1), which makes 0.7 of 0.73: alter"),
        ("alter confidence type numeric(2, 2)", "numeric field overflow (22003)"),
        ("alter concept_name type numeric using 1", "concept_name is numeric and cannot hold"),
        ("alter concept_name type timestamp using now()", "column concept_name type text;"),
        ("alter concept_type type inet using null", "concept_type is inet and cannot hold"),
        ("alter concept_type type varchar(2)", "concept_type is character varying(2) and cannot"),
        ("alter concept_type type mood using 'sad'", "concept_type is mood and cannot hold"),
        ("alter aliases type int[] using null", "aliases is integer[] and cannot hold"),
        ("alter aliases type pair using null", "aliases is pair and cannot hold"),
        ("alter evidence type float8[] using null", "column evidence type jsonb;"),
        (
            "alter created_at drop default, alter created_at type int using 1",
            "created_at is integer and cannot hold",
        ),
        ("alter confidence type many using null", "violates check constraint"),
        ("alter extractor_version type varchar(3)", "extractor_version is character varying(3)"),
        ("alter concept_name type name", "is name, which cuts what is longer than 63 bytes"),
        (
            "add constraint elsewhere foreign key (passage_id) references nowhere (id) not valid",
            "constraint elsewhere: ",
        ),
        ("add constraint c check (extractor_model = 'gpt')", "widen the constraint, or drop it"),
    ],
)
def test_a_column_that_cannot_hold_an_answer_is_named_before_anything_is_spent(
    engine: Engine, change: str, said: str
) -> None:
    engine.load_samples(5)
    engine.sql(
        "create type mood as enum ('sad', 'glad'); create type pair as (x float8, y float8);"
        " create domain many as real check (value > 7); create table nowhere (id uuid primary key);"
        " delete from passage_concepts"
    )
    engine.sql(ALTER + change)

    [sentence] = found(engine).problems

    assert said in sentence
    assert "\n" not in sentence
    with pytest.raises(PreflightError):
        engine.run()
    assert engine.http.get("/calls").json().get("batches.create") is None


@pytest.mark.parametrize(
    "change",
    [
        "alter confidence type numeric",
        "alter confidence type numeric(3, 2)",
        "alter confidence type text",
        "alter aliases type text[] using null",
        "alter aliases type text",
        "alter aliases type json",
        "alter evidence type text",
        "alter evidence type json",
        "alter evidence type bytea using null",
        "alter created_at type timestamp",
        "alter concept_type type char(20)",
        "alter concept_type type kinds using null",
        "alter concept_name type short",
    ],
)
def test_a_column_that_can_hold_every_answer_is_written(engine: Engine, change: str) -> None:
    engine.load_samples(3)
    engine.sql(
        "delete from passage_concepts; create domain short as varchar(600);"
        " create type kinds as enum ('method', 'objective', 'prior', 'model', 'dataset', 'field',"
        " 'math_object', 'metric', 'domain', 'algorithm', 'technique')"
    )
    engine.sql(ALTER + change)

    assert found(engine) == Fit()
    assert engine.summary().startswith("3 targets: 3 written")


@pytest.mark.parametrize(
    ("against", "said"),
    [
        ("add constraint sure check (confidence >= 0.5)", "constraint sure"),
        ("alter concept_name type varchar(40)", "column concept_name (character varying(40))"),
        (
            "alter concept_type type mood using null",
            'invalid input value for enum mood: "objective"',
        ),
        ("add constraint known foreign key (concept_name) references words", "constraint known"),
        ("add constraint latin check (concept_name ~ '^[xyz]+$')", "constraint latin"),
    ],
)
def test_what_only_some_answers_meet_is_told_and_stops_nothing(
    engine: Engine, against: str, said: str
) -> None:
    engine.load_samples(5)
    engine.sql(
        "delete from passage_concepts; create type mood as enum ('method', 'field');"
        " create table words (word text primary key)"
    )
    engine.sql(ALTER + against)

    fit = found(engine)

    assert fit.problems == []
    assert said in " ".join(fit.notes)


def test_rows_that_are_refused_for_their_ids_stop_nothing_while_others_are_taken(
    engine: Engine,
) -> None:
    ids = sorted(engine.load_samples(6))
    engine.sql("delete from passage_concepts")
    listed = ", ".join(f"'{each}'" for each in ids[:5])
    engine.sql(f"{ALTER}add check (passage_id not in ({listed}))")

    assert found(engine).problems == []


def test_row_security_on_the_target_is_written_through_where_its_policy_lets_us(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sorted(engine.load_samples(6))
    role = f"writer_{database_url.rsplit('/', 1)[-1]}"
    engine.sql(
        f"create role {role} login password 'x'; grant usage on schema backfill, public to {role};"
        f" grant all on all tables in schema backfill, public to {role};"
        f" grant all on all sequences in schema backfill to {role};"
        f" grant create on schema backfill to {role};"
        " alter table passage_concepts enable row level security;"
        " create policy ours on passage_concepts using (true)"
        f" with check (passage_id <> '{ids[0]}')"
    )
    parts = psycopg.conninfo.conninfo_to_dict(database_url)
    url = f"postgresql://{role}:x@{parts.get('host')}:{parts.get('port')}/{parts['dbname']}"
    configure(monkeypatch, database_url=url)
    try:
        said = engine.summary()
        engine.sql("select 1")
        assert said.startswith("6 targets: 5 written, 0 empty, 1 bad")
        assert engine.ends() == {"written": 5, "bad: refused_by_database": 1}
    finally:
        configure(monkeypatch, database_url=database_url)
        engine.sql(f"drop owned by {role}; drop role {role}")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("alter items_processed type smallint", "items_processed cannot hold 33,000"),
        ("alter items_failed type smallint", "items_failed cannot hold 33,000"),
        ("alter notes type varchar(50)", "kb_migrations refuses what a run says there"),
        ("alter cursor_position type int using 1", "kb_migrations refuses"),
        ("add owner text not null", 'column "owner"'),
    ],
)
def test_a_checkpoint_that_cannot_hold_what_a_run_says_is_named(
    engine: Engine, change: str, said: str
) -> None:
    engine.sql(
        "insert into passages (passage_id, doc_id, page_char_start, page_char_end, passage_text)"
        " select gen_random_uuid(), gen_random_uuid(), 0, 1, 'text' from generate_series(1, 33000)"
    )
    engine.sql(f"alter table kb_migrations {change}")

    [sentence] = found(engine).problems

    assert said in sentence


# What the server is set to


@pytest.fixture
def other(engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the name of a database in another encoding; the test makes it by `made`."""
    name = f"{database_url.rsplit('/', 1)[-1]}_other"
    yield name
    configure(monkeypatch, database_url=database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}".encode())
    del engine


def made(database_url: str, name: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            f"create database {name} encoding '{encoding}' locale 'C' template template0".encode()
        )
    configure(monkeypatch, database_url=f"{database_url.rsplit('/', 1)[0]}/{name}")
    apply_migrations()
    with connect() as connection:
        connection.execute(statements("demo/passages.sql")["create_tables"])


def test_letters_arrive_in_a_latin_database_and_what_it_lacks_is_bad_alone(
    engine: Engine, database_url: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(database_url, other, "LATIN1", monkeypatch)
    ids = engine.load("A café serves tea and cake. " * 3, "An inn serves beer and bread. " * 3)
    engine.sql(
        "create function other() returns trigger language plpgsql as $$ begin"
        f" if new.passage_id = '{ids[1]}' then raise untranslatable_character; end if;"
        " return new; end $$; create trigger other before insert on passage_concepts"
        " for each row execute function other()"
    )

    engine.summary()

    assert engine.ends() == {"written": 1, "bad: refused_by_database": 1}
    [row] = engine.sql(
        "select distinct evidence ->> 'source_text' as text from passage_concepts"
        " where extractor_version = 'gemini_batch_v1'"
    )
    assert "café" in row["text"]


def test_a_database_that_knows_no_letters_is_one_sentence(
    engine: Engine, database_url: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(database_url, other, "SQL_ASCII", monkeypatch)
    del engine

    [sentence] = look(backfills.get(NAME)).problems

    assert "is SQL_ASCII" in sentence


def test_limits_of_the_database_are_not_ours_and_read_only_is_one_sentence(
    engine: Engine,
) -> None:
    engine.load_samples(5)
    engine.alter_database("set statement_timeout = 500")
    engine.alter_database("set idle_in_transaction_session_timeout = 500")
    engine.alter_database("set idle_session_timeout = 100")
    engine.alter_database("set datestyle = 'German'")
    engine.alter_database("set intervalstyle = 'iso_8601'")
    engine.sql(
        "create function slow() returns trigger language plpgsql as $$ begin"
        " perform pg_sleep(0.6); return null; end $$; create trigger slow after insert on"
        " passage_concepts for each statement execute function slow()"
    )

    assert engine.summary().startswith("5 targets: 5 written")

    engine.alter_database("set default_transaction_read_only = on")
    [sentence] = look(backfills.get(NAME)).problems
    assert "is read-only for user" in sentence
    assert "default_transaction_read_only = off" in sentence


def test_a_lock_that_somebody_holds_ends_with_who_it_is(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tasks.adapters.postgres as module

    monkeypatch.setattr(module, "LOCK_SECONDS", 1)
    engine.load_samples(2)
    with psycopg.connect(database_url, application_name="a psql") as other:
        other.execute("lock table passage_concepts")
        holder = other.info.backend_pid
        [sentence] = look(backfills.get(NAME)).problems

    assert "(a psql, user" in sentence
    assert "has held passage_concepts" in sentence
    assert f"pg_terminate_backend({holder})" in sentence
