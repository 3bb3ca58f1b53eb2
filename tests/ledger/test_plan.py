from collections import Counter
from uuid import UUID

import pytest
from planned import insert_passages, open_run, plan_all

from tasks import backfills
from tasks.adapters.ledger import runs, slices
from tasks.adapters.postgres import Connection
from tasks.core.identity import content_hash, doc_id
from tasks.core.models import SliceState
from tasks.core.slicing import SliceLimits, Waves

BACKFILL = backfills.get("passage_concepts")
VERSION = BACKFILL.extractor_version
THEIRS = """
insert into passage_concepts (passage_id, concept_name, extractor_model, extractor_version)
values (%s, 'theirs', 'm', %s)"""


def generations(connection: Connection) -> list[dict]:
    return connection.execute("select * from backfill.generations order by target_id").fetchall()


@pytest.mark.parametrize(
    "text", ["plain", "naïve — “quotes” 🜁 \u202e\u05e2\u05d1\u202c", "a:b|1:c"]
)
def test_postgres_and_python_compute_the_same_doc_id(connection: Connection, text: str) -> None:
    insert_passages(connection, {7: text})

    plan_all(connection)

    [row] = generations(connection)
    content = content_hash(text)
    expected = doc_id("passage_concepts", VERSION, str(UUID(int=7)), content)
    assert (row["doc_id"], row["content_hash"]) == (expected, content)


def test_a_second_plan_takes_nothing_twice(connection: Connection) -> None:
    insert_passages(connection, {number: f"text {number}" for number in range(10)})

    planned = [plan_all(connection), plan_all(connection)]

    assert planned == [10, 0]


def test_rows_of_this_version_by_another_hand_count_as_done(connection: Connection) -> None:
    insert_passages(connection, {1: "one", 2: "two"})
    connection.execute(
        THEIRS + ", (%s, 'theirs', 'm', %s)",
        (UUID(int=1), VERSION, UUID(int=2), "llm_v2"),
    )

    plan_all(connection)

    assert [row["target_id"] for row in generations(connection)] == [str(UUID(int=2))]


def test_a_changed_text_is_planned_again(connection: Connection) -> None:
    insert_passages(connection, {1: "before"})
    plan_all(connection)
    connection.execute("update passages set passage_text = 'after'")
    connection.execute(THEIRS, (UUID(int=1), VERSION))
    connection.execute(
        "insert into backfill.projections (doc_id, backfill, extractor_version, target_id, records)"
        " select doc_id, backfill, extractor_version, target_id, 1 from backfill.generations"
    )

    planned = plan_all(connection)

    assert planned == 1


def test_what_cannot_be_asked_is_counted_with_its_reason(connection: Connection) -> None:
    connection.execute("alter table passages alter column passage_text drop not null")
    insert_passages(connection, {1: "one", 2: "", 3: " \n\t ", 4: None})

    planned = plan_all(connection)

    ends = Counter((row["state"], row["reason"]) for row in generations(connection))
    assert planned == 1
    assert ends == {("planned", None): 1, ("skipped", "empty_text"): 3}


def test_of_two_rows_with_one_id_one_is_asked(connection: Connection) -> None:
    connection.execute("alter table passages drop constraint passages_pkey")
    insert_passages(connection, {1: "first"})
    insert_passages(connection, {1: "second"})

    plan_all(connection)
    again = plan_all(connection)

    ends = Counter((row["state"], row["reason"]) for row in generations(connection))
    assert ends == {("planned", None): 1, ("skipped", "duplicate_id"): 1}
    assert again == 0


def test_a_slice_is_full_by_rows_or_by_tokens_whichever_comes_first(
    connection: Connection,
) -> None:
    insert_passages(connection, {number: f"{number:400}" for number in range(100)})
    limits = SliceLimits(rows=30, tokens=1000, tokens_per_request=0, bytes_per_request=0)

    plan_all(connection, limits=limits)

    run = open_run(connection)
    sizes = [each.request_count for each in slices.open_slices(connection, run.run_id)]
    assert sizes == [10] * 10  # 100 tokens a text


def test_waves_are_as_large_as_they_are_named_and_the_last_repeats(connection: Connection) -> None:
    insert_passages(connection, {number: f"text {number}" for number in range(50)})

    plan_all(connection, waves=Waves.of((5, 10), pilot=False))

    run = open_run(connection)
    waves = Counter()
    for each in slices.open_slices(connection, run.run_id):
        assert each.state is SliceState.PLANNED
        waves[each.wave] += each.request_count
    assert waves == {1: 5, 2: 10, 3: 10, 4: 10, 5: 10, 6: 5}


def test_a_pilot_takes_a_random_sample(connection: Connection) -> None:
    insert_passages(connection, {number: f"text {number}" for number in range(500)})

    plan_all(connection, kind="pilot", max_targets=50)

    taken = [UUID(row["target_id"]).int for row in generations(connection)]
    assert len(taken) == 50
    assert 150 < sum(taken) / 50 < 350  # the first fifty would have a mean of 24.5


def test_a_run_keeps_its_own_plan_when_those_of_others_are_forgotten(
    connection: Connection,
) -> None:
    insert_passages(connection, {number: f"text {number}" for number in range(4)})
    plan_all(connection)
    run = open_run(connection)

    forgotten = runs.forget_unsubmitted(connection, BACKFILL, keep_run_id=run.run_id)

    assert forgotten == 0
    assert len(generations(connection)) == 4


def test_starting_fresh_forgets_only_what_was_never_submitted(connection: Connection) -> None:
    insert_passages(connection, {number: f"text {number}" for number in range(4)})
    limits = SliceLimits(rows=2, tokens=10**9, tokens_per_request=0, bytes_per_request=0)
    plan_all(connection, limits=limits)
    connection.execute(
        "update backfill.slices set state = 'submitted', job_name = 'batches/x'"
        " where slice_id = (select min(slice_id) from backfill.slices)"
    )

    forgotten = runs.forget_unsubmitted(connection, BACKFILL)

    states = [row["state"] for row in connection.execute("select state from backfill.slices")]
    assert forgotten == 2
    assert states == ["submitted"]
    assert len(generations(connection)) == 2
    assert slices.find_remaining(connection, BACKFILL).askable == 2
