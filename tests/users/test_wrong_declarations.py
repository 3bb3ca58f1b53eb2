"""What does not fit is one sentence that says what to write, before anything is spent."""

from pathlib import Path

import psycopg
import pytest
from engine_hand import Engine, forget_settings
from users_hand import site

from tasks import backfills
from tasks.core.errors import PreflightError, SettingsError
from tasks.planning.preflight import look

TABLES = """
create schema kb;
create table kb."Notes" ("noteId" bigint primary key, "Body" text not null, body2 text, n int);
create table note_concepts (
    note_id int, concept_name text, concept_type text, aliases jsonb, confidence real,
    extractor_model text, extractor_version text, evidence jsonb
);
insert into kb."Notes" values (1, 'A note about hash tables and trees.', null, 1);
"""
SITE = """
[notes]
of = "passage_concepts"
[notes.source]
table = "kb.Notes"
id = "noteId"
text = "{Body}"
[notes.target]
table = "note_concepts"
id = "note_id"
"""
IN_PLACE = """
[ads]
of = "job_enrichment"
extractor_version = "ads_v1"
[ads.source]
table = "ads"
id = "id"
text = "{description}"
name = "{id}"
[ads.target]
columns = ["skills", "seniority", "summary", "embedding"]
done_when = "embedding is not null"
"""
ADS = (
    "create table ads (id text, description text, skills text[], seniority text, summary text,"
    " embedding float8[])"
)


@pytest.fixture
def place(engine: Engine, tmp_path: Path) -> Path:
    """Return a folder for a site file beside a world that fits SITE."""
    engine.sql(TABLES)
    return tmp_path


def problems(name: str = "notes") -> list[str]:
    return look(backfills.get(name)).problems


def test_a_site_that_fits_has_nothing_against_it(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(monkeypatch, place, SITE)

    assert problems() == []
    assert engine.summary(name="notes").startswith("1 targets: 1 written")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "kb.Notes",
            "kb.Note",
            "lacks table kb.Note; there is kb.Notes",
        ),
        (
            "kb.Notes",
            "Notes",
            "Set source.table in [notes] of backfills.toml: database",
        ),
        ("kb.Notes", "kb.notes", "lacks table kb.notes; there is kb.Notes"),
        ('"noteId"', '"note_id"', "Notes has no column note_id; it has noteId: set source.id"),
        ("{Body}", "{body}", "Notes has no column body; it has Body: set source.text in [notes]"),
        ("{Body}", "{Title}: {Body}", "Notes has no column Title; set source.text in [notes]"),
        (
            'table = "note_concepts"',
            'table = "notes_concept"',
            "Set target.table in [notes] of backfills.toml: database",
        ),
        (
            'id = "note_id"',
            'id = "id"',
            "note_concepts has no column id; it has note_id: set target.id",
        ),
        (
            'text = "{Body}"',
            'text = "{Body}"\nwhere = "bodi is null"',
            'source.where in [notes] is no condition over Notes: column "bodi" does not exist',
        ),
        (
            'text = "{Body}"',
            'text = "{Body}"\nwhere = "n"',
            "argument of WHERE must be type boolean, not type integer",
        ),
        ('id = "note_id"', 'id = "confidence"', "An id of Notes does not fit"),
    ],
)
def test_a_name_or_condition_that_is_not_there_names_the_line_to_mend(  # noqa: PLR0913, PLR0917
    engine: Engine,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
    after: str,
    said: str,
) -> None:
    if "does not fit" in said:
        engine.sql("alter table note_concepts alter confidence type int, drop note_id")
        engine.sql('update kb."Notes" set "noteId" = 9000000000')
        engine.sql("alter table note_concepts rename confidence to id2")
        site(monkeypatch, place, SITE.replace(before, 'id = "id2"\noptional = ["confidence"]'))
    else:
        site(monkeypatch, place, SITE.replace(before, after))

    found = problems()

    assert len(found) == 1
    assert said in found[0]
    with pytest.raises(PreflightError):
        engine.run(name="notes")
    assert engine.jobs() == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "alter table note_concepts drop evidence",
            (
                "note_concepts has no column evidence, which notes writes: add it, or set"
                ' target.optional = ["evidence"] to leave it out ([notes] of backfills.toml)'
            ),
        ),
        (
            "alter table note_concepts rename concept_name to name",
            'if name is meant, set target.columns = { concept_name = "name" }',
        ),
        (
            "alter table note_concepts drop extractor_version",
            "add it, so that the rows of several versions can stand side by side ([notes]",
        ),
        (
            "alter table note_concepts add reviewer text not null",
            "note_concepts.reviewer is not null, has no default and is filled by nothing",
        ),
        (
            (
                "alter table note_concepts drop confidence,"
                " add confidence real generated always as (0.5) stored"
            ),
            "note_concepts.confidence is generated by the database and cannot be written",
        ),
    ],
)
def test_a_target_that_does_not_fit_says_which_column_and_what_to_do(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch, change: str, said: str
) -> None:
    engine.sql(change)
    site(monkeypatch, place, SITE)

    [sentence] = problems()

    assert said in sentence


def test_several_faults_are_named_at_once(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site(monkeypatch, place, SITE.replace("{Body}", "{a} {b}").replace('"noteId"', '"x"'))

    assert len(problems()) == 3


def test_an_optional_column_that_is_absent_and_an_empty_source_are_only_told(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql("alter table note_concepts drop evidence")
    engine.sql('delete from kb."Notes"')
    site(monkeypatch, place, SITE + 'optional = ["evidence"]\n')

    found = look(backfills.get("notes"))

    assert found.problems == []
    assert found.notes == [
        "note_concepts has no column evidence: it is left out.",
        "kb.Notes is empty: there is nothing to ask.",
    ]
    assert engine.summary(name="notes") == "Nothing to do."


def test_a_view_may_be_asked_but_not_filled_in(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql('create view some_notes as select * from kb."Notes"')
    engine.sql(
        f"{ADS}; alter table ads rename to all_ads; create view ads as select * from all_ads"
    )
    site(monkeypatch, place, SITE.replace("kb.Notes", "some_notes") + IN_PLACE)

    assert engine.summary(name="notes").startswith("1 targets: 1 written")
    [sentence] = problems("ads")
    assert "ads is a view: answers are filled in in place" in sentence


def test_ids_that_stand_twice_are_refused_where_answers_go_in_place(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.sql(
        f"{ADS}; insert into ads (id, description) values ('a', 'x'), ('a', 'y'), ('b', 'z')"
    )
    site(monkeypatch, place, IN_PLACE)

    [sentence] = problems("ads")

    assert "1 values of ads.id stand in several rows" in sentence


def test_rows_hidden_by_row_security_are_not_taken_for_all(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    role = f"reader_{Path(database_url).name}"
    engine.sql(
        f"create role {role} login password 'x';"
        f" grant usage on schema kb, backfill, public to {role};"
        f" grant all on all tables in schema kb, backfill, public to {role};"
        ' alter table kb."Notes" enable row level security'
    )
    parts = psycopg.conninfo.conninfo_to_dict(database_url)
    url = f"postgresql://{role}:x@{parts.get('host')}:{parts.get('port')}/{parts['dbname']}"
    monkeypatch.setenv("BACKFILL_DATABASE_URL", url)
    site(monkeypatch, place, SITE)
    forget_settings()

    [sentence] = problems()

    assert f"Row security hides rows of Notes from user '{role}'" in sentence
    assert f"alter role {role} bypassrls" in sentence
    monkeypatch.setenv("BACKFILL_DATABASE_URL", database_url)
    forget_settings()
    engine.sql(f"drop owned by {role}; drop role {role}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[notes", "is not TOML"),
        ("[notes]\nof = passages", "is not TOML"),
        ("\xff", "is not UTF-8"),
        ("[passage_concepts]\nprompt = 'none.md'", "The prompt of passage_concepts cannot be read"),
    ],
)
def test_a_site_file_that_cannot_be_read_is_one_sentence(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    file = site(monkeypatch, place, "")
    file.write_bytes(text.encode("latin-1"))
    forget_settings()

    with pytest.raises((SettingsError, PreflightError), match=said):
        engine.run()
    assert engine.jobs() == 0


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('model = "gemini-3.8-flsh"', r"no model 'gemini-3\.8-flsh' .* did you mean gemini-3\.8-f"),
        ('model = "gemini-embedding-001"', "gemini-embedding-001 makes vectors, not answers"),
        (
            'model = "gemini-3.8-flash"\ntemperature = 0.7',
            r"temperature is 0\.7, which gemini-3\.8-flash ignores: take the line away",
        ),
        (
            'model = "gemini-4-hydrogen"\nthinking = 512',
            r"gemini-4-hydrogen refuses thinking = 512: it knows no budget",
        ),
        ('model = "gemini-3.5-flash-lite"\nthinking = 0', "refuses thinking = 0; it takes"),
        ('thinking = "a lot"', r"thinking: .*'a lot'"),
        ("max_output_tokens = 100000", "max_output_tokens is 100,000, and an answer of"),
    ],
)
def test_a_line_that_the_model_would_refuse_is_told_at_load(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch, lines: str, said: str
) -> None:
    site(monkeypatch, place, f"[passage_concepts]\n{lines}\n")

    with pytest.raises(SettingsError, match=said) as refused:
        engine.run()

    assert str(refused.value).count("\n") == 0
    assert "[passage_concepts]" in str(refused.value)
    assert engine.http.get("/calls").json() == {}


def test_a_site_file_that_was_named_and_is_not_there_is_said(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(tmp_path / "none.toml"))
    forget_settings()

    with pytest.raises(SettingsError, match=r"BACKFILL_SITE_FILE names .*none\.toml"):
        engine.run()


def test_a_prompt_that_asks_for_an_unknown_option_is_said(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "p.md").write_text("Take one of {{ concept_kinds }}.", encoding="utf-8")
    site(monkeypatch, place, "[passage_concepts]\nprompt = 'p.md'\n")

    with pytest.raises(PreflightError, match=r"has \{\{ concept_kinds \}\}, which is no option"):
        engine.run()


def test_changed_options_under_the_same_version_are_refused_and_a_new_version_is_not(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(3)
    engine.summary()
    changed = '[passage_concepts.options]\nconcept_types = ["idea", "thing"]\n'
    site(monkeypatch, place, changed)

    with pytest.raises(PreflightError, match="Give it a new extractor_version"):
        engine.run()
    site(monkeypatch, place, f'[passage_concepts]\nextractor_version = "v2"\n{changed}')

    assert engine.summary().startswith("3 targets: 3 written")
    types = engine.sql(
        "select distinct concept_type from passage_concepts where extractor_version = 'v2'"
    )
    assert {row["concept_type"] for row in types} <= {"idea", "thing"}


def test_temperature_and_output_limit_change_no_version(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(3)
    engine.summary()
    site(monkeypatch, place, "[passage_concepts]\ntemperature = 0.7\nmax_output_tokens = 1024\n")

    assert engine.summary() == "Nothing to do."


def test_a_worker_with_another_site_file_refuses_the_slice(
    engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.adapters.ledger import runs
    from tasks.adapters.postgres import connect

    engine.load_samples(3)
    site(monkeypatch, place, "[passage_concepts]\ntemperature = 0.5\n")
    [slice_id] = engine.plan()
    site(monkeypatch, place, "[passage_concepts]\ntemperature = 0.6\n")

    with (
        connect() as connection,
        pytest.raises(
            SettingsError, match=r"began with temperature = 0\.5 .* has temperature = 0\.6"
        ),
    ):
        runs.require_site(connection, slice_id, backfills.get("passage_concepts").site)
