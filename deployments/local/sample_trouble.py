"""The kinds of trouble in a synthetic tree; each function adds one combination and counts it."""

from collections.abc import Callable

from deployments.local.sample_documents import Combo, Tree, prose
from deployments.local.sample_rows import (
    add_bad_draft,
    add_draft,
    add_essay,
    add_evaluation,
    add_lost_essay,
    add_lost_evaluation,
    add_rest,
    count_unread,
)


def plain(tree: Tree, combo: Combo) -> None:
    """Add a combination without trouble."""
    add_draft(tree, combo)
    add_rest(tree, combo)


def missing_file(tree: Tree, combo: Combo) -> None:
    """Name a response that is not there."""
    add_bad_draft(tree, combo, "draft_responses/never-written.txt")


def climbing_file(tree: Tree, combo: Combo) -> None:
    """Name a response that leads out of its root."""
    add_bad_draft(tree, combo, "draft_responses/../../outside.txt")


def absolute_file(tree: Tree, combo: Combo) -> None:
    """Name a response from the top of the disk."""
    add_bad_draft(tree, combo, str(tree.root / "outside.txt"))


def escaping_symlink(tree: Tree, combo: Combo) -> None:
    """Name a response that is a symlink out of the root."""
    link = f"draft_responses/escape-{combo.number}.txt"
    (tree.root / "3_generation" / link).symlink_to(tree.root / "outside.txt")
    add_bad_draft(tree, combo, link)


def inner_symlink(tree: Tree, combo: Combo) -> None:
    """Name a response that is a symlink within the root."""
    link = f"draft_responses/inner-{combo.number}.txt"
    file = tree.root / "3_generation" / tree.respond("draft", f"target {combo.name}")
    (tree.root / "3_generation" / link).symlink_to(file)
    add_draft(tree, combo, response_file=link)
    add_rest(tree, combo)


def empty_file(tree: Tree, combo: Combo) -> None:
    """Name a response without content."""
    add_bad_draft(tree, combo, tree.respond(combo.draft_kind, combo.draft_id, b" \n"))


def folder_for_file(tree: Tree, combo: Combo) -> None:
    """Name a response that cannot be read."""
    (tree.root / f"3_generation/draft_responses/folder-{combo.number}").mkdir()
    add_bad_draft(tree, combo, f"draft_responses/folder-{combo.number}")


def latin_1(tree: Tree, combo: Combo) -> None:
    """Answer in bytes that are not UTF-8."""
    add_draft(tree, combo, "Ein Entwurf über Gärten".encode("latin-1"))
    add_rest(tree, combo)


def byte_order_mark(tree: Tree, combo: Combo) -> None:
    """Answer with a byte order mark and Windows newlines, from below data/."""
    text = "\ufeff" + prose(combo.name).replace("\n", "\r\n")
    path = tree.respond(combo.draft_kind, combo.draft_id, text.encode())
    add_draft(tree, combo, text.encode(), response_file=f"data/3_generation/{path}")
    add_rest(tree, combo)


def second_attempt(tree: Tree, combo: Combo) -> None:
    """Fail once, without a file or its size, then succeed under the same task id."""
    failed = combo.draft(generation_status="failed")
    tree.add(combo.draft_kind, lacks="response_size_bytes", **failed)
    tree.counts["draft_missing_response"] += 1
    tree.counts["bad_generations"] += 1
    add_draft(tree, combo, generation_timestamp=combo.moment(5))
    add_rest(tree, combo)


def repeated_row(tree: Tree, combo: Combo) -> None:
    """Write the very same record twice."""
    add_draft(tree, combo)
    file = tree.respond(combo.draft_kind, combo.draft_id)
    tree.add(combo.draft_kind, **combo.draft(response_file=file))
    tree.counts["duplicate_rows_skipped"] += 1
    add_rest(tree, combo)


def draft_too_young(tree: Tree, combo: Combo) -> None:
    """Make the only draft later than the essay."""
    add_draft(tree, combo, generation_timestamp=combo.moment(90))
    add_lost_essay(tree, combo)


def other_model(tree: Tree, combo: Combo) -> None:
    """Let another model write the essay."""
    add_draft(tree, combo)
    add_lost_essay(tree, combo, generation_model="another-model")


def tie(tree: Tree, combo: Combo) -> None:
    """Make a draft and a link at the same instant, told in two zones; the draft wins."""
    add_draft(tree, combo, generation_timestamp="2025-03-01T12:00:00+02:00")
    add_draft(tree, combo.rival, generation_timestamp="2025-03-01 10:00:00")
    add_essay(tree, combo, parent=f"{combo.name}__draft")
    add_evaluation(tree, combo)


def unreadable_time(tree: Tree, combo: Combo) -> None:
    """Write the essay at a time that nobody can read."""
    add_draft(tree, combo)
    add_lost_essay(tree, combo, generation_timestamp="03/04/2025 some time")


def essay_without_file(tree: Tree, combo: Combo) -> None:
    """Resolve the essay's parent, but lose its response."""
    add_draft(tree, combo)
    tree.add("essay", **combo.essay(response_file="essay_responses/gone.txt"))
    tree.counts["essay_parent_resolved"] += 1
    tree.counts["essay_missing_response"] += 1
    add_lost_evaluation(tree, combo)


def unknown_target(tree: Tree, combo: Combo) -> None:
    """Evaluate an essay that is in no CSV."""
    add_draft(tree, combo)
    add_essay(tree, combo)
    add_lost_evaluation(tree, combo, essay_task_id="no-such-essay")


def draft_evaluated(tree: Tree, combo: Combo) -> None:
    """Evaluate the draft by its own task id."""
    add_draft(tree, combo)
    add_essay(tree, combo)
    add_evaluation(tree, combo, essay_task_id="", generation_task_id=combo.draft_id)


def draft_evaluated_by_alias(tree: Tree, combo: Combo) -> None:
    """Evaluate the draft that generation_results.csv names."""
    alias = f"{combo.name}__generation"
    tree.add("generation", generation_task_id=alias, link_task_id=combo.draft_id)
    add_draft(tree, combo)
    add_essay(tree, combo)
    add_evaluation(tree, combo, essay_task_id="", generation_task_id=alias)


def evaluation_without_file(tree: Tree, combo: Combo) -> None:
    """Resolve the evaluation's target, but fail, without a response or its size."""
    add_draft(tree, combo)
    add_essay(tree, combo)
    failed = combo.evaluation(evaluation_status="failed")
    tree.add("evaluation", lacks="eval_response_size_bytes", **failed)
    for name in ("eval_resolved", "eval_missing_response", "bad_generations"):
        tree.counts[name] += 1


def newline_in_cell(tree: Tree, combo: Combo) -> None:
    """Quote newlines, commas and quotes inside a cell."""
    name = 'first line\r\nsecond, "quoted" line\n.'
    add_draft(tree, combo, None, **{f"{combo.draft_kind}_template_id": name})
    add_rest(tree, combo)


def short_row(tree: Tree, combo: Combo) -> None:
    """Cut a record off before its end."""
    tree.writers[combo.draft_kind]([combo.draft_id, combo.name, "template"])
    count_unread(tree, combo)


def shifted_row(tree: Tree, combo: Combo) -> None:
    """Append a row that lacks its status and holds another cell at its end."""
    file = tree.respond(combo.draft_kind, combo.draft_id)
    cells = combo.draft(response_file=file)
    tree.add(combo.draft_kind, "a note", lacks="generation_status", **cells)
    count_unread(tree, combo)


def wide_row(tree: Tree, combo: Combo) -> None:
    """Append a row of a table that has two more columns."""
    file = tree.respond(combo.draft_kind, combo.draft_id)
    tree.add(combo.draft_kind, "3", "some note", **combo.draft(response_file=file))
    tree.counts["draft_ok"] += 1
    tree.counts["missing_prompt"] += combo.draft_kind == "link"
    add_rest(tree, combo)


def no_task_id(tree: Tree, combo: Combo) -> None:
    """Leave the draft's task id empty."""
    file = tree.respond(combo.draft_kind, combo.draft_id)
    cells = combo.draft(response_file=file) | {f"{combo.draft_kind}_task_id": ""}
    tree.add(combo.draft_kind, **cells)
    count_unread(tree, combo)


def zones(tree: Tree, combo: Combo) -> None:
    """Make two drafts whose order as text is not their order in time."""
    add_draft(tree, combo, generation_timestamp="2025-03-01T23:30:00+09:00")
    add_draft(tree, combo.rival, generation_timestamp="2025-03-01T16:00:00Z")
    add_essay(tree, combo, parent=combo.rival.draft_id)
    add_evaluation(tree, combo)


def failed_with_text(tree: Tree, combo: Combo) -> None:
    """Keep the text of a draft that did not succeed; it is nobody's parent."""
    file = tree.respond(combo.draft_kind, combo.draft_id)
    tree.add(combo.draft_kind, **combo.draft(response_file=file, generation_status="failed"))
    tree.counts["draft_not_successful"] += 1
    tree.counts["missing_prompt"] += combo.draft_kind == "link"
    add_lost_essay(tree, combo)


def utf_16(tree: Tree, combo: Combo) -> None:
    """Answer in UTF-16 with its mark."""
    add_draft(tree, combo, "Ein Entwurf über Gärten".encode("utf-16"))
    add_rest(tree, combo)


def gap_in_row(tree: Tree, combo: Combo) -> None:
    """Leave to the task table what model and combination a draft belongs to."""
    known = combo.draft()
    given = Combo(combo.number, "draft")
    tree.add(
        "draft_task",
        draft_task_id=given.draft_id,
        combo_id=combo.name,
        draft_template_id="from-the-task-table",
        generation_model=known["generation_model"],
    )
    add_draft(tree, given, combo_id="", generation_model="", draft_template_id="")
    add_essay(tree, given)
    add_evaluation(tree, given)


TROUBLE: tuple[Callable[[Tree, Combo], None], ...] = (
    missing_file,
    climbing_file,
    absolute_file,
    escaping_symlink,
    inner_symlink,
    empty_file,
    folder_for_file,
    latin_1,
    byte_order_mark,
    second_attempt,
    repeated_row,
    draft_too_young,
    other_model,
    tie,
    unreadable_time,
    essay_without_file,
    unknown_target,
    draft_evaluated,
    draft_evaluated_by_alias,
    evaluation_without_file,
    newline_in_cell,
    short_row,
    shifted_row,
    wide_row,
    no_task_id,
    zones,
    failed_with_text,
    utf_16,
    gap_in_row,
)
