"""Which CSV files there are, and which of their columns mean what."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.core.csv_cells import folded

FIELDS = (
    "task_id",
    "combo_id",
    "template_id",
    "model_id",
    "status",
    "timestamp",
    "response_file",
    "prompt_file",
    "essay_task_id",
    "generation_task_id",
)
SIDE_FIELDS = ("task_id", "combo_id", "template_id", "model_id", "draft_task_id", "score")


@dataclass(frozen=True)
class ResultsTable:
    """One CSV of results: its stage, the headings of its fields, and the fields it must have.

    Each entry of `required` is a group of fields of which one must be there. `roots` are the
    folders that its response files may be in, the newer trees' first; `responses` and `prompts`
    are the folders below them in which names without a folder of their own are looked up.
    """

    name: str
    stage: str
    headings: Mapping[str, tuple[str, ...]]
    required: tuple[tuple[str, ...], ...]
    responses: str
    prompts: str | None = None
    roots: tuple[str, ...] = ("3_generation",)


@dataclass(frozen=True)
class SideTable:
    """One optional CSV that fills gaps by task id; `fills` names the results it belongs to."""

    folder: str
    name: str
    headings: Mapping[str, tuple[str, ...]]
    fills: str | None = None


RESULTS_FOLDER = "7_cross_experiment"
TASKS_FOLDER = "2_tasks"


def _headings(kind: str) -> dict[str, tuple[str, ...]]:
    """Return the headings that a table of one kind of task uses, the preferred one first.

    A file that was appended to for years has several of them, each filled in some of its rows.
    """
    verb = "evaluation" if kind == "evaluation" else "generation"
    return {
        "task_id": (f"{kind}_task_id",),
        "combo_id": ("combo_id",),
        "template_id": (f"{kind}_template", f"{kind}_template_id"),
        "model_id": _once(f"{verb}_model", f"{verb}_model_id", f"{kind}_model", "model"),
        "status": _once(f"{verb}_status", "generation_status", "status"),
        "timestamp": _once(f"{verb}_timestamp", "generation_timestamp", "timestamp"),
        "response_file": _files(kind),
        "prompt_file": ("prompt_file",),
        "essay_task_id": ("essay_task_id",) if kind == "evaluation" else (),
        "generation_task_id": ("generation_task_id",) if kind == "evaluation" else (),
    }


def _once(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _files(kind: str) -> tuple[str, ...]:
    if kind == "evaluation":
        return ("eval_response_file", "evaluation_response_file", "response_file")
    return ("response_file",)


_GENERATED = tuple(
    (field,)
    for field in (
        "task_id",
        "combo_id",
        "template_id",
        "model_id",
        "status",
        "timestamp",
        "response_file",
    )
)
_EVALUATED = (
    ("task_id",),
    ("template_id",),
    ("model_id",),
    ("response_file",),
    ("essay_task_id", "generation_task_id"),
)

DRAFTS = ResultsTable(
    name="draft_generation_results.csv",
    stage="draft",
    headings=_headings("draft"),
    required=_GENERATED,
    responses="draft_responses",
)
LINKS = ResultsTable(
    name="link_generation_results.csv",
    stage="draft",
    headings=_headings("link"),
    required=_GENERATED,
    responses="links_responses",
    prompts="links_prompts",
)
ESSAYS = ResultsTable(
    name="essay_generation_results.csv",
    stage="essay",
    headings=_headings("essay"),
    required=_GENERATED,
    responses="essay_responses",
)
EVALUATIONS = ResultsTable(
    name="evaluation_results.csv",
    stage="evaluation",
    headings=_headings("evaluation"),
    required=_EVALUATED,
    responses="evaluation_responses",
    roots=("4_evaluation", "3_generation"),
)

SOURCES = (DRAFTS, LINKS, ESSAYS, EVALUATIONS)
BY_NAME = {source.name: source for source in SOURCES}

SIDE_TABLES = (
    SideTable(
        RESULTS_FOLDER,
        "generation_results.csv",
        {
            "task_id": ("generation_task_id",),
            "draft_task_id": ("draft_task_id", "link_task_id"),
        },
    ),
    SideTable(
        RESULTS_FOLDER,
        "parsed_scores.csv",
        {"task_id": ("evaluation_task_id",), "score": ("score",)},
    ),
    SideTable(RESULTS_FOLDER, "evaluation_scores_by_template_model.csv", {}),
    SideTable(TASKS_FOLDER, "draft_generation_tasks.csv", _headings("draft"), DRAFTS.name),
    SideTable(TASKS_FOLDER, "link_generation_tasks.csv", _headings("link"), LINKS.name),
    SideTable(TASKS_FOLDER, "essay_generation_tasks.csv", _headings("essay"), ESSAYS.name),
    SideTable(TASKS_FOLDER, "evaluation_tasks.csv", _headings("evaluation"), EVALUATIONS.name),
)


def clean(header: list[str]) -> list[str]:
    """Return a header's names as they are compared."""
    return [folded(name) for name in header]


def doubled(headings: Iterable[str], header: list[str]) -> list[str]:
    """Return which headings a header has more than once: nobody knows which of them is meant."""
    counts = Counter(clean(header))
    return sorted({heading for heading in headings if counts[heading] > 1})


def positions(
    headings: Mapping[str, tuple[str, ...]], header: list[str], fields: tuple[str, ...]
) -> dict[str, tuple[int, ...]]:
    """Return where each field stands in a header: at none, one or several of its headings."""
    names = clean(header)
    return {
        field: tuple(names.index(h) for h in headings.get(field, ()) if h in names)
        for field in fields
    }


def missing_columns(source: ResultsTable, header: list[str]) -> list[str]:
    """Return what a header lacks, each as the names under which it is looked for."""
    found = positions(source.headings, header, FIELDS)
    return [
        " or ".join(heading for field in group for heading in source.headings[field])
        for group in source.required
        if not any(found[field] for field in group)
    ]
