"""The kinds of trouble in a synthetic tree; each function adds one combination and counts it."""

from collections.abc import Callable

from deployments.local.sample_documents import Combo, Tree, prose


def plain(tree: Tree, combo: Combo) -> None:
    """Add a combination without trouble."""
    _draft(tree, combo)
    _follow(tree, combo)


def _draft(tree: Tree, combo: Combo, content: bytes | None = None, **changes: str) -> None:
    """Add a draft that ends well."""
    file = tree.respond(combo.draft_id, content)
    if combo.draft_kind == "link":
        prompt = tree.root / f"3_generation/links_prompts/{combo.draft_id}.txt"
        prompt.write_text(f"Link the concepts of {combo.name}.", encoding="utf-8")
    tree.add(combo.draft_kind, **combo.draft(response_file=file) | changes)
    tree.counts["draft_ok"] += 1


def _essay(tree: Tree, combo: Combo, parent: str = "", **changes: str) -> None:
    """Add an essay that finds its draft."""
    file = tree.respond(f"{combo.name}__essay")
    truth = parent or combo.draft_id
    tree.add("essay", **combo.essay(response_file=file, true_parent=truth) | changes)
    tree.counts["essay_parent_resolved"] += 1


def _evaluation(tree: Tree, combo: Combo, **changes: str) -> None:
    """Add an evaluation that finds its target, with a score."""
    cells = combo.evaluation(response_file=tree.respond(f"{combo.name}__evaluation"))
    tree.add("evaluation", **cells | changes)
    tree.add("score", evaluation_task_id=cells["evaluation_task_id"], score="7.5")
    tree.counts["eval_resolved"] += 1


def _follow(tree: Tree, combo: Combo) -> None:
    """Add the essay and the evaluation of a draft that ended well."""
    _essay(tree, combo)
    _evaluation(tree, combo)


def _lost_essay(tree: Tree, combo: Combo, **changes: str) -> None:
    """Add an essay without a parent, and the evaluation that loses its target with it."""
    file = tree.respond(f"{combo.name}__essay")
    tree.add("essay", **combo.essay(response_file=file) | changes)
    tree.counts["essay_unresolved_parent"] += 1
    _lost_evaluation(tree, combo)


def _lost_evaluation(tree: Tree, combo: Combo, **changes: str) -> None:
    tree.add("evaluation", **combo.evaluation(response_file=tree.respond(combo.name)) | changes)
    tree.counts["eval_unresolved_target"] += 1
    tree.counts["bad_generations"] += 1 if changes else 2


def _bad_draft(tree: Tree, combo: Combo, response_file: str, **changes: str) -> None:
    """Add a draft without a usable response, and what is lost with it."""
    tree.add(combo.draft_kind, **combo.draft(response_file=response_file) | changes)
    tree.counts["draft_missing_response"] += 1
    tree.counts["bad_generations"] += 1
    _lost_essay(tree, combo)


def missing_file(tree: Tree, combo: Combo) -> None:
    """Name a response that is not there."""
    _bad_draft(tree, combo, "responses/never-written.txt")


def climbing_file(tree: Tree, combo: Combo) -> None:
    """Name a response that leads out of its root."""
    _bad_draft(tree, combo, "responses/../../outside.txt")


def absolute_file(tree: Tree, combo: Combo) -> None:
    """Name a response from the top of the disk."""
    _bad_draft(tree, combo, str(tree.root / "outside.txt"))


def escaping_symlink(tree: Tree, combo: Combo) -> None:
    """Name a response that is a symlink out of the root."""
    link = f"responses/escape-{combo.number}.txt"
    (tree.root / "3_generation" / link).symlink_to(tree.root / "outside.txt")
    _bad_draft(tree, combo, link)


def inner_symlink(tree: Tree, combo: Combo) -> None:
    """Name a response that is a symlink within the root."""
    link = f"responses/inner-{combo.number}.txt"
    file = tree.root / "3_generation" / tree.respond(f"target {combo.name}")
    (tree.root / "3_generation" / link).symlink_to(file)
    _draft(tree, combo, response_file=link)
    _follow(tree, combo)


def empty_file(tree: Tree, combo: Combo) -> None:
    """Name a response without content."""
    _bad_draft(tree, combo, tree.respond(combo.draft_id, b" \n"))


def folder_for_file(tree: Tree, combo: Combo) -> None:
    """Name a response that cannot be read."""
    (tree.root / f"3_generation/responses/folder-{combo.number}").mkdir()
    _bad_draft(tree, combo, f"responses/folder-{combo.number}")


def latin_1(tree: Tree, combo: Combo) -> None:
    """Answer in bytes that are not UTF-8."""
    _draft(tree, combo, "Ein Entwurf über Gärten".encode("latin-1"))
    _follow(tree, combo)


def byte_order_mark(tree: Tree, combo: Combo) -> None:
    """Answer with a byte order mark and Windows newlines, from below data/."""
    text = "\ufeff" + prose(combo.name).replace("\n", "\r\n")
    path = tree.respond(combo.draft_id, text.encode())
    _draft(tree, combo, text.encode(), response_file=f"data/3_generation/{path}")
    _follow(tree, combo)


def second_attempt(tree: Tree, combo: Combo) -> None:
    """Fail once, then succeed under the same task id."""
    tree.add(combo.draft_kind, **combo.draft(generation_status="failed", error="timeout"))
    tree.counts["draft_missing_response"] += 1
    tree.counts["bad_generations"] += 1
    _draft(tree, combo, generation_timestamp=combo.moment(5))
    _follow(tree, combo)


def repeated_row(tree: Tree, combo: Combo) -> None:
    """Write the very same record twice."""
    _draft(tree, combo)
    tree.add(combo.draft_kind, **combo.draft(response_file=tree.respond(combo.draft_id)))
    tree.counts["duplicate_rows_skipped"] += 1
    _follow(tree, combo)


def draft_too_young(tree: Tree, combo: Combo) -> None:
    """Make the only draft later than the essay."""
    _draft(tree, combo, generation_timestamp=combo.moment(90))
    _lost_essay(tree, combo)


def other_model(tree: Tree, combo: Combo) -> None:
    """Let another model write the essay."""
    _draft(tree, combo)
    _lost_essay(tree, combo, generation_model="another-model")


def tie(tree: Tree, combo: Combo) -> None:
    """Make a draft and a link at the same instant, told in two zones; the draft wins."""
    _draft(tree, combo, generation_timestamp="2025-03-01T12:00:00+02:00")
    _draft(tree, combo.rival, generation_timestamp="2025-03-01 10:00:00")
    _essay(tree, combo, parent=f"{combo.name}__draft")
    _evaluation(tree, combo)


def unreadable_time(tree: Tree, combo: Combo) -> None:
    """Write the essay at a time that nobody can read."""
    _draft(tree, combo)
    _lost_essay(tree, combo, generation_timestamp="03/04/2025 some time")


def essay_without_file(tree: Tree, combo: Combo) -> None:
    """Resolve the essay's parent, but lose its response."""
    _draft(tree, combo)
    tree.add("essay", **combo.essay(response_file="responses/gone.txt", true_parent=combo.draft_id))
    tree.counts["essay_parent_resolved"] += 1
    tree.counts["essay_missing_response"] += 1
    _lost_evaluation(tree, combo)


def unknown_target(tree: Tree, combo: Combo) -> None:
    """Evaluate an essay that is in no CSV."""
    _draft(tree, combo)
    _essay(tree, combo)
    _lost_evaluation(tree, combo, essay_task_id="no-such-essay")


def draft_evaluated(tree: Tree, combo: Combo) -> None:
    """Evaluate the draft by its own task id."""
    _draft(tree, combo)
    _essay(tree, combo)
    _evaluation(tree, combo, essay_task_id="", generation_task_id=combo.draft_id)


def draft_evaluated_by_alias(tree: Tree, combo: Combo) -> None:
    """Evaluate the draft that generation_results.csv names."""
    alias = f"{combo.name}__generation"
    tree.add("generation", generation_task_id=alias, link_task_id=combo.draft_id)
    _draft(tree, combo)
    _essay(tree, combo)
    _evaluation(tree, combo, essay_task_id="", generation_task_id=alias)


def evaluation_without_file(tree: Tree, combo: Combo) -> None:
    """Resolve the evaluation's target, but lose its response."""
    _draft(tree, combo)
    _essay(tree, combo)
    tree.add("evaluation", **combo.evaluation(response_file=""))
    for name in ("eval_resolved", "eval_missing_response", "bad_generations"):
        tree.counts[name] += 1


def newline_in_cell(tree: Tree, combo: Combo) -> None:
    """Quote newlines, commas and quotes inside a cell."""
    _draft(tree, combo, error='first line\r\nsecond, "quoted" line\n')
    _follow(tree, combo)


def short_row(tree: Tree, combo: Combo) -> None:
    """Cut a record off before its end."""
    tree.writers[combo.draft_kind]([combo.draft_id, "template", combo.name])
    tree.counts["malformed_or_without_task_id"] += 1
    tree.counts["bad_generations"] += 1
    _lost_essay(tree, combo)


def no_task_id(tree: Tree, combo: Combo) -> None:
    """Leave the draft's task id empty."""
    file = tree.respond(combo.draft_id)
    cells = combo.draft(response_file=file) | {f"{combo.draft_kind}_task_id": ""}
    tree.add(combo.draft_kind, **cells)
    tree.counts["malformed_or_without_task_id"] += 1
    tree.counts["bad_generations"] += 1
    _lost_essay(tree, combo)


def zones(tree: Tree, combo: Combo) -> None:
    """Make two drafts whose order as text is not their order in time."""
    _draft(tree, combo, generation_timestamp="2025-03-01T23:30:00+09:00")
    _draft(tree, combo.rival, generation_timestamp="2025-03-01T16:00:00Z")
    _essay(tree, combo, parent=combo.rival.draft_id)
    _evaluation(tree, combo)


def failed_with_text(tree: Tree, combo: Combo) -> None:
    """Keep the text of a draft that did not succeed; it is nobody's parent."""
    file = tree.respond(combo.draft_id)
    tree.add(combo.draft_kind, **combo.draft(response_file=file, generation_status="truncated"))
    tree.counts["draft_not_successful"] += 1
    tree.counts["missing_prompt"] += combo.draft_kind == "link"
    _lost_essay(tree, combo)


def utf_16(tree: Tree, combo: Combo) -> None:
    """Answer in UTF-16 with its mark."""
    _draft(tree, combo, "Ein Entwurf über Gärten".encode("utf-16"))
    _follow(tree, combo)


def gap_in_row(tree: Tree, combo: Combo) -> None:
    """Leave to the task table what model and combination a draft belongs to."""
    known = combo.draft()
    given = Combo(combo.number, "draft")
    tree.add(
        "draft_task",
        draft_task_id=given.draft_id,
        combo_id=combo.name,
        draft_template="from-the-task-table",
        generation_model=known["generation_model"],
    )
    _draft(tree, given, combo_id="", generation_model="", draft_template="")
    _essay(tree, given)
    _evaluation(tree, given)


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
    no_task_id,
    zones,
    failed_with_text,
    utf_16,
    gap_in_row,
)
