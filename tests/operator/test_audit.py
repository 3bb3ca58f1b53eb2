"""The audit against a database built to show each finding."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine, configure
from hypothesis import given
from hypothesis import strategies as st
from operator_hand import in_flight

import tasks.reports.audit
from tasks import backfills
from tasks.adapters import reference
from tasks.adapters.gemini import gemini
from tasks.adapters.leases import held
from tasks.core.audit import Checkpoint, Coverage, Worth, judge
from tasks.core.model_table import ModelTable
from tasks.reports.audit import Audit, look, write

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
JOB = backfills.get(NAME).checkpoint
SIX_HOURS = timedelta(hours=6)
COVERAGE = Coverage(targets=1000, with_rows=92, without_rows=0, last_target="f0")


def checkpoint(**values: Any) -> Checkpoint:
    plain = {
        "job_name": "job",
        "cursor_position": None,
        "cursor_type": None,
        "updated_at": NOW,
        "status": "partial",
        "items_processed": 92,
    }
    return Checkpoint(**{**plain, **values})


@pytest.mark.parametrize(
    ("values", "worth", "words"),
    [
        ({"status": "completed"}, Worth.NOT_COMPLETE, "claims completed at 9.2% coverage"),
        ({"status": "Done"}, Worth.NOT_COMPLETE, "claims Done at 9.2%"),
        (
            {"status": "running", "updated_at": NOW - timedelta(hours=30)},
            Worth.STANDS_STILL,
            "says running and has not moved for 30 h",
        ),
        (
            {"status": "running", "updated_at": datetime(2026, 11, 20)},  # noqa: DTZ001 - as found
            Worth.STANDS_STILL,
            "has not moved for 36 h",
        ),
        (
            {"cursor_type": "target_id", "cursor_position": "ff"},
            Worth.BEYOND_DATA,
            "(target_id ff) lies beyond the data (f0)",
        ),
        ({"cursor_type": "offset", "cursor_position": "1001"}, Worth.BEYOND_DATA, "offset 1001"),
        ({"items_processed": 5000}, Worth.COUNTS_TOO_MUCH, "counts 5,000 items"),
    ],
)
def test_each_false_claim_is_named(values: dict[str, Any], worth: Worth, words: str) -> None:
    judged = judge(checkpoint(**values), COVERAGE, NOW, SIX_HOURS)

    assert judged.worth == (worth,)
    assert words in judged.sentences[0]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"status": "running", "updated_at": NOW - timedelta(hours=5)},
        {"cursor_type": "target_id", "cursor_position": "f0"},
        {"cursor_type": "offset", "cursor_position": "1000"},
    ],
)
def test_a_true_claim_is_left_in_peace(values: dict[str, Any]) -> None:
    assert judge(checkpoint(**values), COVERAGE, NOW, SIX_HOURS).worth == (Worth.TRUE,)


def test_a_job_that_nobody_can_measure_is_not_called_true() -> None:
    judged = judge(checkpoint(status="completed"), None, NOW, SIX_HOURS)

    assert judged.worth == (Worth.NOT_MEASURED,)


@given(
    targets=st.integers(0, 10**6), rows=st.integers(0, 10**6), without_rows=st.integers(0, 10**6)
)
def test_a_job_is_complete_if_and_only_if_its_targets_have_ends(
    targets: int, rows: int, without_rows: int
) -> None:
    coverage = Coverage(targets, min(rows, targets), without_rows, None)

    judged = judge(checkpoint(status="completed", items_processed=0), coverage, NOW, SIX_HOURS)

    is_false = 1000 * (min(rows, targets) + without_rows) < 999 * targets
    assert (Worth.NOT_COMPLETE in judged.worth) == is_false


@pytest.fixture
def neglected(engine: Engine) -> Engine:
    """Return a database in which everything that an audit looks for is wrong."""
    engine.load_samples(40)
    engine.summary(kind="pilot", limit=4)
    engine.sql("alter table passage_concepts drop constraint passage_concepts_pkey")
    engine.sql("drop index passage_concepts_by_version")
    engine.sql("alter table passages drop constraint passages_pkey")
    engine.sql(
        "insert into kb_migrations (job_name, status, updated_at, items_processed)"
        " values ('old_embeddings', 'running', now() - interval '3 days', 10)"
    )
    engine.set(run_seconds=3600.0)
    [slice_id] = engine.plan()
    in_flight(slice_id)
    engine.sql("update kb_migrations set status = 'completed' where job_name = %(job)s", job=JOB)
    engine.sql("delete from backfill.generations where state = 'planned'")
    engine.sql("delete from backfill.slices where state = 'submitted'")
    return engine


@pytest.fixture
def audit(neglected: Engine) -> Audit:
    return look("3.9.1", SIX_HOURS)


def has(audit: Audit, words: str) -> bool:
    return any(words in finding for finding in audit.findings)


def test_the_audit_finds_everything_that_is_wrong(audit: Audit) -> None:
    assert has(audit, f"{JOB} claims completed at 10.0% coverage (4 of 40)")
    assert has(audit, "old_embeddings says running and has not moved for 72 h")
    assert has(audit, "1 batch jobs with 36 requests run in the account and the ledger")
    assert has(audit, "1 files in the account are unknown to the ledger")
    assert has(audit, "create index concurrently on passages (passage_id);")
    assert has(audit, "create index concurrently on passage_concepts (extractor_version);")
    assert has(audit, "create index concurrently on passage_concepts (passage_id, extractor_")


def test_the_report_says_it_all_for_people(audit: Audit) -> None:
    report = write(audit)

    assert f"| {JOB} | completed | " in report
    assert "10.0% (4 of 40) | ✗ not complete |" in report
    assert "| old_embeddings | running | " in report
    assert "**36 targets**" in report
    assert f"| `{VERSION}` | 4 |" in report
    assert "| `llm_v2` |" in report
    assert "* our job batches/" in report
    assert "| prefect | " in report


def test_the_account_is_only_looked_at(audit: Audit) -> None:
    assert audit.jobs is not None
    states = {gemini().get_job(job.name).state for job in audit.jobs}
    assert states <= {"PENDING", "RUNNING"}


def test_a_database_in_order_gets_no_finding(engine: Engine) -> None:
    engine.load_samples(10)
    engine.sql("create index on passage_concepts (extractor_version)")
    engine.summary()

    found = look("3.9.1", SIX_HOURS)

    assert found.findings == []
    assert [each.backfill.name for each in found.inspected] == [NAME, "songs"]
    assert "Nothing to find fault with" in write(found)


def test_every_job_whose_table_and_version_its_name_says_is_measured(engine: Engine) -> None:
    ids = engine.load_samples(40)
    engine.sql("delete from passage_concepts")
    engine.sql(
        "create table passage_tags (note uuid references passages, tag text,"
        " extractor_version text)"
    )
    for passage_id in ids[:4]:
        engine.sql(
            "insert into passage_concepts (passage_id, concept_name, extractor_model,"
            " extractor_version) values (%(id)s, 'x', 'm', 'llm_v2')",
            id=passage_id,
        )
        engine.sql("insert into passage_tags values (%(id)s, 'x', 'v3')", id=passage_id)
    engine.sql(
        "insert into kb_migrations (job_name, status, updated_at, items_processed) values"
        " ('a_job_of_no_table', 'completed', now(), 0),"
        " ('backfill_passage_concepts_llm_v2', 'completed', now(), 41),"
        " ('backfill_passage_tags_v3', 'done', now(), 4),"
        " ('backfill_passage_tags_v4', 'running', now(), 0)"
    )

    found = look("3.9.1", SIX_HOURS)

    assert has(found, "backfill_passage_concepts_llm_v2 claims completed at 10.0% coverage (4 of")
    assert has(found, "backfill_passage_concepts_llm_v2 counts 41 items, but there are only 40.")
    assert has(found, "backfill_passage_tags_v3 claims done at 10.0% coverage (4 of 40)")
    order = [Worth.NOT_COMPLETE in each.worth for each in found.checkpoints]
    assert order == sorted(order, reverse=True), "false claims come first"
    worths = {each.checkpoint.job_name: each.worth for each in found.checkpoints}
    assert worths["a_job_of_no_table"] == (Worth.NOT_MEASURED,)
    assert worths["backfill_passage_tags_v4"] == (Worth.TRUE,)


def test_a_job_that_says_running_when_its_run_has_ended_is_found_at_once(engine: Engine) -> None:
    engine.load_samples(4)
    engine.summary()
    engine.sql("update kb_migrations set status = 'running', updated_at = now()")

    found = look("3.9.1", SIX_HOURS)
    with held("run", NAME):
        at_work = look("3.9.1", SIX_HOURS)
    engine.sql("update kb_migrations set notes = 'waiting: for a person'")
    waiting = look("3.9.1", SIX_HOURS)

    older = "backfill_passage_concepts_gemini_batch_v0"
    engine.sql(
        "insert into kb_migrations (job_name, status) values (%(job)s, 'running')", job=older
    )
    others = look("3.9.1", SIX_HOURS)
    engine.sql("update backfill.slices set extractor_version = 'gemini_batch_v0'")
    own = look("3.9.1", SIX_HOURS)

    assert has(found, f"{JOB} says running, and no run of it is at work")
    assert has(own, f"{older} says running, and no run of it is at work")
    assert not has(others, older)
    assert not has(at_work, "says running")
    assert not has(waiting, "says running")


def test_what_cannot_be_reached_is_a_finding_and_not_the_end(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.adapters.settings import settings

    monkeypatch.setenv("BACKFILL_DATABASE_URL", "postgresql://me:hush@127.0.0.1:1/app")
    settings.cache_clear()

    found = look("3.9.1", SIX_HOURS)

    assert has(found, "Postgres at 127.0.0.1:1 (database 'app') cannot be reached")
    assert "It could not be reached." in write(found)
    assert "hush" not in write(found)


def test_models_near_their_end_and_rows_nobody_read_again_are_named(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "backfills.toml"
    site.write_text('[passage_concepts]\nmodel = "gemini-2.5-flash"\nextractor_version = "v9"\n')
    old = date.today() - timedelta(days=61)  # noqa: DTZ011 - a day is enough
    rows = {**reference.models().models}
    rows["gemini-3.8-flash"] = rows["gemini-3.8-flash"].model_copy(update={"read": old})
    table = ModelTable(models=rows)
    monkeypatch.setattr(reference, "models", lambda: table)
    monkeypatch.setattr(tasks.reports.audit, "models", lambda: table)
    configure(monkeypatch, site_file=site)

    found = look("3", SIX_HOURS)

    said = "\n".join(found.findings)
    assert "routed to gemini-3.5-flash-lite, at its prices, on 2026-12-01" in said
    assert "gemini-2.5-flash is closed to keys that never used it" in said
    assert "1 rows of tasks/models.toml were read more than 60 days ago (gemini-3.8-flash)" in said
    page = write(found)
    assert f"| gemini-3.8-flash |  | yes | — | 0.375 / 1.875 | {old} |" in page
    assert "| gemini-2.5-flash | yes | no | 2026-12-01, then gemini-3.5-flash-lite |" in page
