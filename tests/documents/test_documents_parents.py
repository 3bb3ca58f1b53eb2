"""D5 and D6: which draft an essay comes from, which document an evaluation judges."""

from pathlib import Path

import pytest
from documents_archive import Archive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_an_essay_comes_from_the_latest_draft_before_it(archive: Archive) -> None:
    archive.draft("early", generation_timestamp="2025-01-01T10:00:00Z")
    archive.draft("late", generation_timestamp="2025-01-01T11:00:00Z")
    archive.draft("too-late", generation_timestamp="2025-01-01T13:00:01Z")
    archive.essay("essay")

    archive.run()

    assert archive.parent("essay") == "late"


def test_a_draft_of_the_very_same_instant_is_early_enough(archive: Archive) -> None:
    archive.draft("draft", generation_timestamp="2025-01-01 15:00:00+02:00")
    archive.essay("essay", generation_timestamp="20250101_130000")

    archive.run()

    assert archive.parent("essay") == "draft"


def test_instants_are_compared_and_not_their_text(archive: Archive) -> None:
    archive.draft("later-as-text", generation_timestamp="2025-01-01T20:00:00+09:00")
    archive.draft("later-in-time", generation_timestamp="2025-01-01T12:30:00Z")
    archive.essay("essay")

    archive.run()

    assert archive.parent("essay") == "later-in-time"


def test_a_tie_goes_to_the_draft_over_the_link(archive: Archive) -> None:
    archive.link("link")
    archive.draft("draft")
    archive.essay("essay")

    archive.run()

    assert archive.parent("essay") == "draft"


def test_a_later_link_goes_before_an_earlier_draft(archive: Archive) -> None:
    archive.draft("draft")
    archive.link("link", generation_timestamp="2025-01-01T12:00:00.000001Z")
    archive.essay("essay")

    archive.run()

    assert archive.parent("essay") == "link"


def test_a_tie_within_one_csv_goes_to_the_last_row(archive: Archive) -> None:
    archive.draft("first")
    archive.draft("second")
    archive.essay("essay")

    archive.run()

    assert archive.parent("essay") == "second"


@pytest.mark.parametrize(
    "changes",
    [
        {"combo_id": "another"},
        {"generation_model": "another"},
        {"generation_status": "failed"},
        {"generation_timestamp": "2025-01-01T13:00:01Z"},
        {"generation_timestamp": "sometime"},
        {"combo_id": ""},
    ],
)
def test_an_essay_without_a_fitting_draft_is_unresolved(
    archive: Archive, changes: dict[str, str]
) -> None:
    archive.draft("draft", **changes)
    archive.essay("essay")

    archive.run()

    assert archive.bad() == {"essay": "unresolved_parent"}


def test_a_time_that_cannot_be_read_is_blamed_on_the_row_that_has_it(archive: Archive) -> None:
    archive.draft("draft", generation_timestamp="03/04/2025")
    archive.essay("essay")
    archive.draft("another", combo_id="two", generation_timestamp="")
    archive.essay("of-another", combo_id="two")
    archive.draft("dated", combo_id="three")
    archive.essay("undated", combo_id="three", generation_timestamp="soon")

    archive.run()

    told = archive.query("select task_id, detail from bad_generations order by task_id")
    assert {row["task_id"]: row["detail"] for row in told} == {
        "essay": "draft#1 of draft_generation_results.csv may be what it was made from, but has a"
        " timestamp that cannot be read: correct it there",
        "of-another": "another#1 of draft_generation_results.csv may be what it was made from, but"
        " has a timestamp that cannot be read: correct it there",
        "undated": "the timestamp cannot be read, so no draft can be called earlier",
    }
    wrong = archive.query("select doc_id, problem from documents_consistency_report")
    assert [(row["doc_id"], row["problem"]) for row in wrong] == [
        (archive.one("draft")["doc_id"], "unreadable_timestamp")
    ]


def test_blank_combinations_are_no_common_combination(archive: Archive) -> None:
    archive.draft("draft", combo_id="", generation_model="")
    archive.essay("essay", combo_id="", generation_model="")

    archive.run()

    assert archive.bad() == {"essay": "unresolved_parent"}


def test_an_essay_is_never_given_to_an_earlier_draft_when_its_own_has_no_file(
    archive: Archive,
) -> None:
    archive.draft("earlier", generation_timestamp="2025-01-01T11:00:00Z")
    archive.draft("its-own", response_file="gone.txt")
    archive.essay("essay")
    archive.evaluation("evaluation", essay_task_id="essay")

    archive.run()

    assert archive.bad() == {
        "its-own": "missing_response_file",
        "essay": "unresolved_parent",
        "evaluation": "unresolved_target",
    }


def test_an_evaluation_judges_the_essay_it_names(archive: Archive) -> None:
    archive.draft("draft")
    archive.essay("essay")
    archive.evaluation("evaluation", essay_task_id="essay", generation_task_id="draft")

    archive.run()

    assert archive.parent("evaluation") == "essay"


def test_an_evaluation_without_an_essay_judges_the_draft_it_names(archive: Archive) -> None:
    archive.draft("draft")
    archive.link("link")
    archive.evaluation("of-draft", generation_task_id="draft")
    archive.evaluation("of-link", essay_task_id="unknown", generation_task_id="link")

    archive.run()

    assert archive.parent("of-draft") == "draft"
    assert archive.parent("of-link") == "link"


def test_in_older_files_the_generation_is_the_essay(archive: Archive) -> None:
    archive.link("link")
    archive.draft("both")
    archive.essay("essay")
    archive.essay("both")
    archive.save(
        "7_cross_experiment",
        "generation_results.csv",
        ["generation_task_id", "link_task_id"],
        ["essay", "link"],
    )
    archive.headers["evaluation_results.csv"].remove("essay_task_id")
    archive.evaluation("of-essay", generation_task_id="essay")
    archive.evaluation("of-draft", generation_task_id="both")

    archive.run()

    assert archive.parent("of-essay") == "essay"
    lineage = archive.query("select task_id, essay_doc_id from documents_lineage")
    assert {"task_id": "of-draft", "essay_doc_id": None} in lineage


def test_generation_results_may_name_the_draft(archive: Archive) -> None:
    archive.link("link")
    archive.evaluation("evaluation", generation_task_id="old-name")
    archive.save(
        "7_cross_experiment",
        "generation_results.csv",
        ["generation_task_id", "link_task_id"],
        ["old-name", "link"],
    )

    archive.run()

    assert archive.parent("evaluation") == "link"


def test_an_evaluation_of_nothing_known_is_unresolved(archive: Archive) -> None:
    archive.draft("draft")
    archive.evaluation("blank")
    archive.evaluation("unknown", essay_task_id="draft", generation_task_id="nobody")

    archive.run()

    assert archive.bad() == {"blank": "unresolved_target", "unknown": "unresolved_target"}


def test_of_two_attempts_an_evaluation_judges_the_one_it_can_have_seen(archive: Archive) -> None:
    archive.draft("draft")
    archive.essay("essay", generation_timestamp="2025-01-01T13:00:00Z")
    archive.essay("essay", generation_timestamp="2025-01-01T15:00:00Z")
    archive.evaluation("seen", essay_task_id="essay")
    archive.evaluation("no-time", essay_task_id="essay", evaluation_timestamp="")

    archive.run()

    rows = archive.query("select doc_id, row_key from documents where stage = 'essay'")
    essays = {row["row_key"]: row["doc_id"] for row in rows}
    assert archive.one("seen")["parent_doc_id"] == essays["essay#1"]
    assert archive.one("no-time")["parent_doc_id"] == essays["essay#2"]


DRAFT = st.fixed_dictionaries(
    {
        "link": st.booleans(),
        "combo_id": st.sampled_from("ab"),
        "generation_model": st.sampled_from("mn"),
        "generation_status": st.sampled_from(["success", "failed"]),
        "minute": st.integers(0, 4),
    }
)
ESSAY = st.fixed_dictionaries(
    {
        "combo_id": st.sampled_from("ab"),
        "generation_model": st.sampled_from("mn"),
        "minute": st.integers(0, 4),
    }
)


def expected_parent(drafts: list[dict[str, object]], essay: dict[str, object]) -> str | None:
    """Say D5 again, in Python: filter, then the greatest of (time, not a link, row)."""
    fitting = [
        (draft["minute"], not draft["link"], number)
        for number, draft in enumerate(drafts)
        if draft["generation_status"] == "success"
        and draft["combo_id"] == essay["combo_id"]
        and draft["generation_model"] == essay["generation_model"]
        and draft["minute"] <= essay["minute"]
    ]
    return f"draft-{max(fitting)[2]}" if fitting else None


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(DRAFT, max_size=8), st.lists(ESSAY, min_size=1, max_size=4))
def test_parents_are_those_of_the_rule_said_in_python(
    tmp_path_factory: pytest.TempPathFactory, drafts: list[dict], essays: list[dict]
) -> None:
    archive = Archive(Path(tmp_path_factory.mktemp("rule")))
    for number, told in enumerate(drafts):
        cells = {k: v for k, v in told.items() if k not in {"link", "minute"}}
        at = f"2025-01-01T12:0{told['minute']}:00Z"
        add = archive.link if told["link"] else archive.draft
        add(f"draft-{number}", generation_timestamp=at, **cells)
    for number, told in enumerate(essays):
        at = f"2025-01-01 13:0{told['minute']}:00+01:00"
        cells = {k: v for k, v in told.items() if k != "minute"}
        archive.essay(f"essay-{number}", generation_timestamp=at, **cells)

    archive.run()

    found = {
        row["task_id"]: row["parent_task_id"]
        for row in archive.query("select * from documents_lineage where stage = 'essay'")
    }
    assert found == {
        f"essay-{n}": parent for n, e in enumerate(essays) if (parent := expected_parent(drafts, e))
    }
