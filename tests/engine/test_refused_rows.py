"""One row never stops a slice: what the user's table refuses is bad alone, all else is written."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from engine_hand import NAME, Engine, configure
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from songs_hand import sample, write_csv

from tasks.adapters.ledger import slices
from tasks.adapters.postgres import connect
from tasks.backfills.passage_concepts import BACKFILL
from tasks.core.answers import BadReason
from tasks.core.backfill import Answer
from tasks.core.errors import TableRefusesError
from tasks.slices.batch import build
from tasks.undo.redrive import plan_again
from tasks.writing import project
from tasks.writing.ingest import ingest_slice

pytestmark = pytest.mark.usefixtures("plain")
ENDS = {"written": 11, "bad: refused_by_database": 1}
PLACE = "(select passage_id from passages order by passage_id offset 4 limit 1)"
RAISE = """
create function refuse() returns trigger language plpgsql as $$
begin
    if new.passage_id = {place} then {how}; end if;
    return new;
end $$;
create trigger refuse before insert on passage_concepts for each row execute function refuse();
"""


def trigger(how: str) -> str:
    return RAISE.format(place=PLACE, how=how)


def on_one(condition: str) -> str:
    """Return the statement of a check that one passage alone does not pass."""
    return (
        f"do $$ begin execute format('alter table passage_concepts add constraint strict"
        f" check ({condition})', {PLACE}); end $$"
    )


def line(doc_id: object, answer: object) -> bytes:
    """Return one line of a job's output."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    part = {"content": {"parts": [{"text": text}]}, "finishReason": "STOP"}
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 5}
    said = {"candidates": [part], "usageMetadata": usage}
    return orjson.dumps({"key": str(doc_id), "response": said}) + b"\n"


def concepts(*names: str, **more: object) -> dict[str, object]:
    return {"concepts": [concept(name, **more) for name in names]}


def concept(name: str, **more: object) -> dict[str, object]:
    said = {"name": name, "type": "method", "aliases": [], "confidence": 0.9, "surface": "the"}
    return {**said, "quotes": ["the simple model holds"], **more}


def answered(engine: Engine, place: Path, answers: list[object]) -> str:
    """Write the slice of as many passages as there are answers; return its id."""
    engine.load_samples(len(answers))
    [slice_id] = engine.plan()
    build.directly(slice_id)
    path = place / "answers.jsonl"
    planned = [row["doc_id"] for row in engine.generations()]
    path.write_bytes(b"".join(map(line, planned, answers)))
    ingest_slice(slice_id, path)
    return slice_id


def refused(engine: Engine) -> dict[str, Any]:
    [row] = [row for row in engine.generations() if row["reason"] == "refused_by_database"]
    return row


def holds(engine: Engine, transport: str = "batch") -> None:
    """Assert that sums, rows, offsets and the checkpoint say the same."""
    if transport == "batch":  # what is asked one by one has no key at the service
        engine.check()
        assert set(engine.billed().values()) <= {1}
    [job] = engine.sql("select items_processed, items_failed from kb_migrations")
    ends = [row["state"] for row in engine.generations()]
    assert engine.processed() == ends.count("written") + ends.count("empty")
    assert job["items_failed"] == ends.count("bad")


# What a table may have against one row


@pytest.mark.parametrize(
    "transport", ["batch", pytest.param("interactive", marks=pytest.mark.long)]
)
@pytest.mark.parametrize(
    ("against", "said"),
    [
        (on_one("passage_id <> %L"), "constraint strict: "),
        (trigger("raise exception 'this one is closed'"), "this one is closed (P0001)"),
        (trigger("return null"), "taken without a word and none stands"),
        (trigger("raise check_violation using message = 'no', constraint = 'ours'"), "ours: no"),
        (trigger("assert false, 'never'"), "never (P0004)"),
        (trigger("new.concept_name := repeat('x', 41)"), "value too long"),
        (trigger("new.concept_name := null"), "column concept_name"),
    ],
)
def test_a_target_that_the_table_refuses_is_bad_alone(
    engine: Engine, against: str, said: str, transport: str
) -> None:
    ids = sorted(engine.load_samples(12))
    engine.sql("alter table passage_concepts alter concept_name type varchar(40)")
    engine.sql("delete from passage_concepts where length(concept_name) > 40")
    engine.sql(against)

    engine.summary(transport=transport)
    again = engine.summary(transport=transport)

    holds(engine, transport)
    bad = refused(engine)
    assert engine.ends() == ENDS
    assert bad["target_id"] == ids[4]
    assert said in bad["detail"]
    assert "concepts" in bad["raw"]
    assert again == "Nothing to do."


@pytest.mark.parametrize(
    ("against", "answer", "said"),
    [
        (
            "alter table passage_concepts alter concept_name type varchar(40)",
            concepts("fine", "n" * 41),
            (
                "column concept_name (character varying(40)), 41 characters: value too long for"
                " type character varying(40) (22001)"
            ),
        ),
        (
            "alter table passage_concepts add constraint sure check (confidence >= 0.5)",
            concepts("fine", "unsure", confidence=0.3),
            'constraint sure: new row for relation "passage_concepts" violates check constraint',
        ),
        (
            "create table t as select 1; select 1",
            concepts("fine", "".join(map(str, range(3000)))),
            "index row",
        ),
        (
            (
                "create table vocabulary (name text primary key);"
                "insert into vocabulary values ('fine'), ('good');"
                "alter table passage_concepts add constraint known foreign key (concept_name)"
                " references vocabulary {deferred}"
            ),
            concepts("fine", "unheard of"),
            "constraint known: ",
        ),
        (
            (
                "create extension btree_gist; alter table passage_concepts add constraint alone"
                " exclude using gist (concept_name with =, extractor_version with =)"
                " where (concept_name = 'unheard_of') {deferred};"
                "insert into passage_concepts (passage_id, concept_name, extractor_model,"
                " extractor_version) values (gen_random_uuid(), 'unheard_of', 'm',"
                " 'gemini_batch_v1')"
            ),
            concepts("fine", "unheard of"),
            "constraint alone: ",
        ),
        (
            "alter table passage_concepts add constraint one_each unique (passage_id) {deferred}",
            concepts("fine", "good"),
            "constraint one_each: ",
        ),
    ],
)
@pytest.mark.parametrize("deferred", ["", "deferrable initially deferred"])
def test_what_an_answer_says_is_refused_with_column_constraint_and_length(  # noqa: PLR0913, PLR0917
    engine: Engine, tmp_path: Path, against: str, answer: object, said: str, deferred: str
) -> None:
    engine.sql(against.format(deferred=deferred))

    answered(engine, tmp_path, [concepts("fine"), answer, concepts("good")])

    bad = refused(engine)
    assert engine.ends() == {"written": 2, "bad: refused_by_database": 1}
    assert said in bad["detail"]
    assert json.loads(bad["raw"]) == answer
    names = engine.sql(
        "select concept_name from passage_concepts where extractor_model <> 'm' and"
        " extractor_version = 'gemini_batch_v1' order by 1"
    )
    assert [row["concept_name"] for row in names] == ["fine", "good"]


def test_two_targets_that_exclude_one_another_are_not_both_refused(
    engine: Engine, tmp_path: Path
) -> None:
    engine.sql("create unique index on passage_concepts (concept_name)")

    answered(engine, tmp_path, [concepts("same"), concepts("same"), concepts("other")])

    assert engine.ends() == {"written": 2, "bad: refused_by_database": 1}


def test_a_null_character_is_mended_wherever_it_stands(engine: Engine, tmp_path: Path) -> None:
    dirty = concept("a\0name", surface="\0", aliases=["x\0", "\ud800"], quotes=["the\0 simple"])

    answered(engine, tmp_path, [{"concepts": [dirty]}, "not \0 json", concepts("fine")])

    assert engine.ends()["written"] == 2
    [row] = engine.sql("select raw, detail from backfill.generations where state = 'bad'")
    assert row["raw"] == "not \ufffd json"


def test_old_rows_that_must_stay_keep_their_target_from_getting_others(
    engine: Engine, tmp_path: Path
) -> None:
    answered(engine, tmp_path, [concepts("first"), concepts("second")])
    engine.sql("alter table passage_concepts add id serial unique")
    engine.sql(
        "create table reviews (id int references passage_concepts (id));"
        "insert into reviews select id from passage_concepts where concept_name = 'first'"
    )
    engine.sql("update passages set passage_text = passage_text || ' More.'")
    [slice_id] = engine.plan()
    build.directly(slice_id)
    path = tmp_path / "more.jsonl"
    rows = [row for row in engine.generations() if row["state"] == "planned"]
    path.write_bytes(b"".join(line(row["doc_id"], concepts("new")) for row in rows))

    ingest_slice(slice_id, path)

    names = engine.sql("select concept_name from passage_concepts order by 1")
    assert [row["concept_name"] for row in names if row["concept_name"] in "first second new"] == [
        "first",
        "new",
    ]
    assert "reviews" in refused(engine)["detail"]


def test_records_that_fail_at_one_answer_make_it_bad_alone_until_they_are_mended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = sorted(engine.load_samples(12))
    real = vars(BACKFILL)["records"]

    def fail(answer: Answer) -> object:
        return [answer.missing] if answer.target.target_id == ids[4] else real(answer)  # type: ignore[attr-defined]

    with monkeypatch.context() as patch:
        patch.setitem(vars(BACKFILL), "records", fail)
        engine.summary()
        assert engine.ends() == {"written": 11, "bad: records_failed": 1}
        assert engine.summary() == "Nothing to do."
        [bad] = [row for row in engine.generations() if row["state"] == "bad"]
        assert bad["target_id"] == ids[4]
        assert bad["detail"] == "AttributeError: 'Answer' object has no attribute 'missing'"
    asked = len(engine.billed())

    plan_again.directly(NAME, ["records_failed"], dry_run=False)
    said = engine.summary()

    assert said == "Nothing to ask. 1 restored from kept answers, 0 USD."
    assert engine.ends() == {"written": 12}
    assert len(engine.billed()) == asked


@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_records_that_fail_at_every_answer_stop_the_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr(project, "MANY", 5)
    engine.load_samples(40)

    with monkeypatch.context() as patch:
        patch.setitem(vars(BACKFILL), "records", lambda answer: answer.missing)
        with pytest.raises(TableRefusesError, match="`records` of passage_concepts fails at"):
            engine.run(transport=transport)
    ends = engine.ends()
    engine.summary(transport=transport)

    assert ends["planned"] >= 1
    assert engine.ends()["written"] == 40 - ends["bad: records_failed"]


def test_a_trigger_that_drops_some_rows_of_a_target_is_counted_by_what_stands(
    engine: Engine, tmp_path: Path
) -> None:
    engine.sql(
        "create function drop_some() returns trigger language plpgsql as $$ begin"
        " return case when new.concept_name = 'good' then null else new end; end $$;"
        " create trigger drop_some before insert on passage_concepts"
        " for each row execute function drop_some()"
    )

    answered(engine, tmp_path, [concepts("fine", "good"), concepts("good")])

    assert engine.ends() == {"written": 1, "bad: refused_by_database": 1}
    assert engine.sql("select records from backfill.projections") == [{"records": 1}]


# In place, and as columns of a CSV

ADS = """
create table ads (
    id text primary key, description text, skills text[], seniority text,
    summary text, embedding float8[]
);
insert into ads (id, description)
select 'ad/' || n, 'Advert number ' || n || ' is for an engineer who knows Postgres.'
from generate_series(1, 5) as n
"""
CHECK = "alter table ads add check (id <> 'ad/2' or embedding is null)"
DROP = """
create function drop_it() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger drop_it before update on ads
for each row when (old.id = 'ad/2') execute function drop_it();
"""
ADS_SITE = """
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


def with_site(engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    del engine
    file = place / "backfills.toml"
    file.write_text(text, encoding="utf-8")
    configure(monkeypatch, site_file=file)


@pytest.mark.parametrize(
    ("transport", "against", "why"),
    [
        ("batch", CHECK, "ads_check"),
        ("interactive", CHECK, "ads_check"),
        ("batch", DROP, "none stands"),
    ],
)
def test_a_row_that_cannot_be_filled_in_is_bad_alone(  # noqa: PLR0913, PLR0917
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
    against: str,
    why: str,
) -> None:
    engine.sql(ADS)
    engine.sql(against)
    with_site(engine, tmp_path, monkeypatch, ADS_SITE)

    engine.summary(name="ads", transport=transport)

    filled = engine.sql("select id from ads where embedding is not null order by id")
    assert [row["id"] for row in filled] == ["ad/1", "ad/3", "ad/4", "ad/5"]
    bad = refused(engine)
    assert (bad["target_id"], why in bad["detail"]) == ("ad/2", True)
    assert engine.sql("select skills, summary from ads where id = 'ad/2'") == [
        {"skills": None, "summary": None}
    ]


def test_a_song_whose_answer_the_ledger_cannot_hold_is_bad_alone(
    engine: Engine, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(6))
    engine.sql(
        "create function refuse() returns trigger language plpgsql as $$ begin"
        " if new.target_id = (select min(target_id) from backfill.csv_rows) then"
        " raise exception 'no such song'; end if; return new; end $$;"
        " create trigger refuse before insert on backfill.csv_answers"
        " for each row execute function refuse()"
    )
    out = tmp_path / "out.csv"

    engine.summary(name="songs", csv_in=str(path), csv_out=str(out))

    assert engine.ends() == {"written": 5, "bad: refused_by_database": 1}
    assert BadReason.REFUSED_BY_DATABASE.explanation in out.read_text(encoding="utf-8")


# A table that takes nothing


def test_a_table_that_takes_nothing_stops_the_run_and_no_answer_is_lost(engine: Engine) -> None:
    engine.load_samples(60)
    engine.at_event(
        "job_created",
        engine.sql,
        "alter table passage_concepts add constraint never check (extractor_version <>"
        " 'gemini_batch_v1')",
    )

    with pytest.raises(TableRefusesError) as stopped:
        engine.run()
    ends = engine.ends()
    engine.sql("alter table passage_concepts drop constraint never")
    engine.summary()

    assert "refuses the rows of 60 answers of passage_concepts alike" in str(stopped.value)
    assert "constraint never: " in str(stopped.value)
    assert ends == {"planned": 60}
    assert engine.ends() == {"written": 60}
    assert engine.calls("batches.create") == 1
    holds(engine)


def test_asking_one_by_one_stops_when_the_table_takes_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "MANY", 5)
    engine.load_samples(40)
    engine.sql(
        "create function refuse() returns trigger language plpgsql as $$"
        " begin raise exception 'closed'; end $$; create trigger refuse before insert on"
        " passage_concepts for each row execute function refuse()"
    )

    with pytest.raises(TableRefusesError, match="closed"):
        engine.run(transport="interactive")

    ends = engine.ends()
    assert 5 < ends["bad: refused_by_database"] < 20
    assert ends["planned"] > 20


def test_a_fault_that_is_no_rows_own_leaves_the_slice_as_it_was(
    engine: Engine, tmp_path: Path
) -> None:
    import psycopg

    engine.sql(
        "create function refuse() returns trigger language plpgsql as $$"
        " begin perform 1 from nowhere; return new; end $$; create trigger refuse before insert on"
        " passage_concepts for each row execute function refuse()"
    )

    with pytest.raises(psycopg.errors.UndefinedTable):
        answered(engine, tmp_path, [concepts("fine"), concepts("good")])

    assert engine.ends() == {"planned": 2}


# Any of them


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=4)
@given(data=st.data())
def test_whichever_are_refused_all_others_are_written_and_everything_adds_up(
    engine: Engine, data: st.DataObject
) -> None:
    engine.forget()
    engine.sql("delete from passages")
    engine.sql("alter table passage_concepts drop constraint if exists chosen")
    ids = engine.load_samples(30)
    chosen = data.draw(st.sets(st.sampled_from(ids), max_size=29))
    listed = ", ".join(f"'{each}'" for each in sorted(chosen)) or f"'{UUID(int=0)}'"
    engine.sql(
        "alter table passage_concepts add constraint chosen"
        f" check (passage_id not in ({listed})) not valid"
    )

    engine.summary(slice_size=data.draw(st.sampled_from([7, 30])))

    holds(engine)
    ends = engine.ends_by_target()
    assert {key for key, end in ends.items() if end == "bad: refused_by_database"} == chosen
    assert {key for key, end in ends.items() if end == "written"} == set(ids) - chosen
    for each in engine.slices():
        with connect() as connection:
            assert slices.get(connection, each["slice_id"]).bad == each["bad"]
