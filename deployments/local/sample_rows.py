"""The rows of which a synthetic tree is made; each function adds some and counts them."""

from deployments.local.sample_documents import Combo, Tree


def add_draft(tree: Tree, combo: Combo, content: bytes | None = None, **changes: str) -> None:
    """Add a draft that ends well."""
    file = tree.respond(combo.draft_kind, combo.draft_id, content)
    if combo.draft_kind == "link":
        prompt = tree.root / f"3_generation/links_prompts/{combo.draft_id}.txt"
        prompt.write_text(f"Link the concepts of {combo.name}.", encoding="utf-8")
    tree.add(combo.draft_kind, **combo.draft(response_file=file) | changes)
    tree.counts["draft_ok"] += 1


def add_essay(tree: Tree, combo: Combo, parent: str = "", **changes: str) -> None:
    """Add an essay that finds its draft."""
    told = combo.essay(response_file=tree.respond("essay", f"{combo.name}__essay")) | changes
    tree.add("essay", **told)
    truth = parent or combo.draft_id
    tree.add("truth", essay_task_id=told["essay_task_id"], draft_task_id=truth)
    tree.counts["essay_parent_resolved"] += 1


def add_evaluation(tree: Tree, combo: Combo, **changes: str) -> None:
    """Add an evaluation that finds its target, with a score."""
    file = tree.respond("evaluation", f"{combo.name}__evaluation")
    cells = combo.evaluation(eval_response_file=file)
    tree.add("evaluation", **cells | changes)
    tree.add("score", evaluation_task_id=cells["evaluation_task_id"], score="7.5")
    tree.counts["eval_resolved"] += 1


def add_rest(tree: Tree, combo: Combo) -> None:
    """Add the essay and the evaluation of a draft that ended well."""
    add_essay(tree, combo)
    add_evaluation(tree, combo)


def add_lost_essay(tree: Tree, combo: Combo, **changes: str) -> None:
    """Add an essay without a parent, and the evaluation that loses its target with it."""
    file = tree.respond("essay", f"{combo.name}__essay")
    tree.add("essay", **combo.essay(response_file=file) | changes)
    tree.counts["essay_unresolved_parent"] += 1
    add_lost_evaluation(tree, combo)


def add_lost_evaluation(tree: Tree, combo: Combo, **changes: str) -> None:
    """Add an evaluation without a target."""
    file = tree.respond("evaluation", combo.name)
    tree.add("evaluation", **combo.evaluation(eval_response_file=file) | changes)
    tree.counts["eval_unresolved_target"] += 1
    tree.counts["bad_generations"] += 1 if changes else 2


def add_bad_draft(tree: Tree, combo: Combo, response_file: str, **changes: str) -> None:
    """Add a draft without a usable response, and what is lost with it."""
    tree.add(combo.draft_kind, **combo.draft(response_file=response_file) | changes)
    tree.counts["draft_missing_response"] += 1
    tree.counts["bad_generations"] += 1
    add_lost_essay(tree, combo)


def count_unread(tree: Tree, combo: Combo) -> None:
    """Count a draft whose row cannot be used, and add what is lost with it."""
    tree.counts["malformed_or_without_task_id"] += 1
    tree.counts["bad_generations"] += 1
    add_lost_essay(tree, combo)
