"""Bad input in the user's data: nothing stops a run, nothing is lost, offsets stay true."""

from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest
from engine_hand import NAME, Engine, configure, sample_text
from psycopg import sql

from tasks import backfills
from tasks.adapters import rows
from tasks.adapters.postgres import connect
from tasks.core.backfill import Target
from tasks.core.ends import SkipReason
from tasks.core.errors import PreflightError
from tasks.core.identity import content_hash
from tasks.core.models import Member
from tasks.core.requests import UnsendableTextError
from tasks.slices import batch as batches
from tasks.slices import submission
from tasks.slices.requests import template_of

RTL = "הלמידה העמוקה משתמשת ברשתות נוירונים כדי לזהות תבניות. השיטה דורשת נתונים רבים ומחשוב רב."
COMBINING = (
    "Le\u0301on no\u0308tes that a\u0302ge matters; na\u0131\u0308ve Bayes is a simple method. " * 4
)
EMOJI = (
    "👩‍👩‍👧‍👦 families use 🧠 networks; \U0001d518\U0001d52b text and 🏳️‍🌈 flags are measured. " * 4
)
CONTROL = (
    "\x01\x02 bell\x07 tab\t vertical\x0b form\x0c escape\x1b[0m delete\x7f next\x85 line\u2028. "
    * 4
)


def test_odd_but_honest_texts_are_answered_with_true_offsets(engine: Engine) -> None:
    texts = (
        RTL * 3,
        COMBINING,
        EMOJI,
        CONTROL,
        "\ufeff" + sample_text(1),
        "x" * 50,
    )
    engine.load(*texts)

    engine.summary()

    engine.check()
    assert engine.ends().keys() <= {"written", "empty"}
    assert engine.ends()["written"] >= 5


def test_a_text_of_two_megabytes_is_answered(engine: Engine) -> None:
    engine.load("\n".join(sample_text(number) for number in range(6500)), sample_text(1))

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 2}


def test_empty_blank_and_absent_texts_are_skipped_and_counted(engine: Engine) -> None:
    engine.sql("alter table passages alter column passage_text drop not null")
    unseen = ("\u200b", "\ufeff", "\u3164", "\u00a0\u2060\n", "\x01\u202e", "\u2800\U000e0020")
    engine.load("", " \n\t", None, sample_text(1), *unseen)

    engine.summary()

    engine.check()
    ends = engine.ends()
    assert ends["written"] == 1
    assert ends["skipped: empty_text"] == 3 + len(unseen)


def test_a_lone_surrogate_is_refused_before_it_is_sent() -> None:
    with pytest.raises(UnsendableTextError):
        template_of(backfills.get(NAME)).line("a-key", "broken \ud800 text")


def test_a_text_that_cannot_be_sent_ends_as_skipped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Postgres holds no lone surrogate, so it is planted behind the database.
    ids = engine.load_samples(3)
    real = rows.current

    def planted(*arguments: object) -> object:
        present, gone = real(*arguments)  # type: ignore[arg-type]
        broken = [
            Target(each.doc_id, each.target_id, "broken \ud800")
            if each.target_id == ids[0]
            else each
            for each in present
        ]
        return broken, gone

    monkeypatch.setattr(batches, "rows", SimpleNamespace(current=planted))

    engine.summary()

    assert engine.ends() == {"written": 2, f"skipped: {SkipReason.UNSENDABLE}": 1}


def test_a_text_that_changed_before_the_submission_is_not_asked_but_planned_anew(
    engine: Engine,
) -> None:
    ids = engine.load_samples(3)
    engine.plan()
    _rewrite(engine, ids[0])

    engine.summary()
    engine.summary()

    ends = engine.ends()
    assert ends["written"] == 3
    assert ends["skipped: text_changed"] == 1
    assert len(engine.billed()) == 3


def test_an_answer_to_a_text_that_has_changed_since_is_not_written(engine: Engine) -> None:
    ids = engine.load_samples(3)
    [slice_id] = engine.plan()
    submission.submit(
        slice_id, batches.upload.directly(batches.build.directly(slice_id)).name, None
    )
    _rewrite(engine, ids[0])

    engine.summary()
    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 3, "skipped: text_changed": 1}


def test_a_changed_text_replaces_the_rows_of_the_old_one(engine: Engine) -> None:
    ids = engine.load_samples(3)
    engine.summary()
    before = engine.rows()
    _rewrite(engine, ids[0])

    engine.summary()

    after = engine.rows()
    mine = [row for row in after if row["row"]["passage_id"] == ids[0]]
    assert mine
    assert all(row not in before for row in mine)
    assert [row for row in after if row not in mine] == [
        row for row in before if row["row"]["passage_id"] != ids[0]
    ]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_row_that_was_deleted_in_between_is_skipped(engine: Engine, when: str) -> None:
    ids = engine.load_samples(3)
    [slice_id] = engine.plan()
    if when == "after":
        submission.submit(
            slice_id, batches.upload.directly(batches.build.directly(slice_id)).name, None
        )
    engine.sql("delete from passages where passage_id = %(id)s", id=ids[0])

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 2, "skipped: row_deleted": 1}


def test_a_slice_of_deleted_rows_alone_ends_without_a_job(engine: Engine) -> None:
    engine.load_samples(3)
    engine.plan()
    engine.sql("delete from passages")

    engine.summary()

    assert engine.ends() == {"skipped: row_deleted": 3}
    assert engine.calls("batches.create") == 0


def test_duplicate_and_absent_ids_are_asked_once_or_not_at_all(engine: Engine) -> None:
    engine.sql("alter table passages drop constraint passages_pkey")
    engine.sql("alter table passages alter column passage_id drop not null")
    twice = str(uuid4())
    for passage_id, text in (
        (twice, sample_text(1)),
        (twice, sample_text(1)),
        (twice, sample_text(2)),
        (None, sample_text(3)),
        (str(uuid4()), sample_text(4)),
    ):
        engine.insert(passage_id, text)

    engine.summary()
    engine.summary()

    ends = engine.ends()
    assert ends["written"] == 2
    assert ends["planned"] == 0
    assert sorted(engine.billed().values()) == [1, 1]


def test_ids_that_are_no_uuids_are_ids_like_any_other(engine: Engine) -> None:
    engine.sql("alter table passages alter column passage_id type text")
    engine.sql("alter table passage_concepts alter column passage_id type text")
    odd = ["a,b", '{"x"}', "back\\slash", "sp ace", "ü😀", "null", "'; drop table passages; --"]
    for number, passage_id in enumerate(odd):
        engine.insert(passage_id, sample_text(number))

    engine.summary()

    engine.check()
    rows = {row["row"]["passage_id"] for row in engine.rows()}
    assert rows == set(odd)
    assert engine.ends() == {"written": len(odd)}


def test_a_table_that_may_not_be_written_is_named_before_anything_is_spent(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(2)
    role = f"reader_{uuid4().hex[:8]}"
    _create_reader(engine, role)
    address = engine.database_url.split("@")[-1]
    configure(monkeypatch, database_url=f"postgresql://{role}:pw@{address}")

    with pytest.raises(PreflightError) as raised:
        engine.run()

    said = str(raised.value)
    assert f"grant insert, update on public.kb_migrations to {role};" in said
    assert f"User '{role}' may not insert" in said
    assert f"on public.passage_concepts to {role};" in said

    configure(monkeypatch, database_url=engine.database_url)
    engine.sql(f"drop owned by {role}; drop role {role}")
    assert engine.calls("files.upload") == 0


def test_a_checkpoint_table_without_a_key_and_with_duplicates_is_adopted_as_it_is(
    fresh: Engine,
) -> None:
    engine = fresh
    engine.sql("drop table kb_migrations")
    engine.sql(
        "create table kb_migrations (job_name text, cursor_position text, cursor_type text,"
        " updated_at timestamp, status text, items_processed integer)"
    )
    engine.sql("insert into kb_migrations values ('other_job', '7', 'id', now(), 'completed', 9)")
    engine.load_samples(3)

    engine.summary()

    rows = engine.sql("select job_name, status, items_processed from kb_migrations order by 1")
    assert [tuple(row.values()) for row in rows] == [
        ("backfill_passage_concepts_gemini_batch_v1", "completed", 3),
        ("other_job", "completed", 9),
    ]


def test_a_member_whose_id_stands_in_several_rows_is_read_with_the_planned_text(
    engine: Engine,
) -> None:
    engine.sql("alter table passages drop constraint passages_pkey")
    one = str(uuid4())
    for text in ("another text", sample_text(1)):
        engine.insert(one, text)
    member = Member(doc_id=uuid4(), target_id=one, content_hash=content_hash(sample_text(1)))

    with connect() as connection:
        present, gone = rows.current(connection, backfills.get(NAME), [member])

    assert [each.text for each in present] == [sample_text(1)]
    assert gone == []


def _rewrite(engine: Engine, passage_id: str) -> None:
    engine.sql(
        "update passages set passage_text = %(text)s where passage_id = %(id)s",
        text=sample_text(99),
        id=passage_id,
    )


def _create_reader(engine: Engine, role: str) -> None:
    name = sql.Identifier(role)
    with psycopg.connect(engine.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create role {} login password 'pw'").format(name))
        connection.execute(sql.SQL("grant usage on schema backfill, public to {}").format(name))
        connection.execute(
            sql.SQL("grant select on all tables in schema backfill, public to {}").format(name)
        )
