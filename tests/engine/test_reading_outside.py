"""Answers are judged, and made into records, while no transaction is open; a kill loses none."""

from typing import Any

import pytest
from engine_hand import VERSION, Engine, configure

import tasks.writing.reading
from tasks.core.answers import judge
from tasks.writing.transaction import Ingestion

IN_TRANSACTION = """
select count(*) as sessions from pg_stat_activity
where state like 'idle in transaction%' and datname = current_database()
"""
REFUSED = """
do $$ begin execute format('alter table passage_concepts add check (passage_id <> %L) not valid',
(select max(passage_id::text) from passages)); end $$
"""


@pytest.mark.parametrize("transport", ["batch", "interactive"])
def test_no_transaction_is_open_while_answers_are_read_and_each_is_read_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    configure(monkeypatch, interactive_at_once=1)
    engine.load_samples(6)
    refused = transport == "batch"
    if refused:
        engine.at_event("job_created", engine.sql, REFUSED)
    seen: list[int] = []

    def look(*arguments: Any, **named: Any) -> Any:
        seen.append(engine.sql(IN_TRANSACTION)[0]["sessions"])
        return judge(*arguments, **named)

    monkeypatch.setattr(tasks.writing.reading, "judge", look)

    engine.summary(transport=transport)
    engine.sql("delete from passage_concepts where extractor_version = %(v)s", v=VERSION)
    said = engine.summary()

    assert engine.ends()["written"] == 6 - refused
    assert said == f"Nothing to ask. {6 - refused} restored from kept answers, 0 USD."
    assert seen == [0] * (6 + 6 - refused)


def test_a_kill_between_reading_and_writing_loses_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(6)

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Ingestion, "write_slice", die)
        with pytest.raises(SystemExit):
            engine.run()
    engine.summary()
    rows = engine.rows()
    engine.sql("delete from passage_concepts where extractor_version = %(v)s", v=VERSION)
    with monkeypatch.context() as patch:
        patch.setattr(Ingestion, "_take", die)
        with pytest.raises(SystemExit):
            engine.run()
    engine.summary()

    assert engine.rows() == rows
    assert engine.calls("batches.create") == 1
    engine.check()
