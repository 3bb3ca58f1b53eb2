"""The tree of a user who has run experiments for years: pandas' CSVs, two eras, many writers."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

SOURCES = {
    "draft": "draft_generation_results.csv",
    "link": "link_generation_results.csv",
    "essay": "essay_generation_results.csv",
    "evaluation": "evaluation_results.csv",
}
GENERATED = (
    "generation_model",
    "generation_status",
    "generation_timestamp",
    "response_file",
    "response_size_bytes",
)
HEADERS: Mapping[str, tuple[str, ...]] = {
    kind: (f"{kind}_task_id", "combo_id", f"{kind}_template_id", *GENERATED)
    for kind in ("draft", "link", "essay")
} | {
    "evaluation": (
        "evaluation_task_id",
        "essay_task_id",
        "combo_id",
        "draft_template",
        "essay_template",
        "generation_model",
        "evaluation_template",
        "evaluation_model",
        "evaluation_status",
        "evaluation_timestamp",
        "eval_response_file",
        "eval_response_size_bytes",
    )
}
OLDER = {
    "essay_task_id": "generation_task_id",
    "eval_response_file": "evaluation_response_file",
    "eval_response_size_bytes": "evaluation_response_size_bytes",
}
"""What the columns of evaluations were called before."""

START = datetime(2025, 8, 14, 9, 0, 0, 123456)  # noqa: DTZ001 - pandas wrote no zone
MODELS = ("gemini_25_pro", "deepseek_r1_p")

Cells = dict[str, str]
Key = tuple[str, str]


@dataclass
class World:
    """A tree on disk, and where each of its rows must end: with which parent, or for what reason.

    Rows are told by their CSV and task id.
    """

    data: Path
    older: bool
    rows: int = 0
    parents: dict[Key, str | None] = field(default_factory=dict)
    reasons: dict[Key, str] = field(default_factory=dict)
    texts: dict[Key, str] = field(default_factory=dict)

    @property
    def evaluations(self) -> str:
        """Return the folder in which this era keeps its evaluations."""
        return "3_generation" if self.older else "4_evaluation"

    def start(self) -> None:
        """Write the four headers and make the folders."""
        for folder in ("7_cross_experiment", "2_tasks", "3_generation", "db"):
            (self.data / folder).mkdir(parents=True)
        for kind, header in HEADERS.items():
            names = OLDER if self.older and kind == "evaluation" else {}
            self._append(kind, [names.get(name, name) for name in header])

    def written(self, kind: str, cells: Cells, parent: str | None, *extra: str) -> None:
        """Add a row that becomes a document, and its response."""
        told = self._answered(kind, cells)
        self.parents[self._end(kind, told)] = parent
        self.add(kind, told, *extra)

    def bad(self, kind: str, cells: Cells, reason: str, *extra: str, **how: str) -> None:
        """Add a row that becomes none, for a reason; it has a response unless it lost that."""
        lost = reason == "missing_response_file"
        told = cells if lost else self._answered(kind, cells)
        self.reasons[self._end(kind, told)] = reason
        self.add(kind, told, *extra, **how)

    def add(self, kind: str, cells: Cells, *extra: str, lacks: str = "") -> None:
        """Append a row as pandas does for a table that lacks some columns or has others too."""
        without = lacks.split()
        names = [name for name in HEADERS[kind] if name not in without]
        self._append(kind, [*(cells.get(name, "") for name in names), *extra])
        self.rows += 1

    def _answered(self, kind: str, cells: Cells) -> Cells:
        prefix = "eval_" if kind == "evaluation" else ""
        task_id = cells[f"{kind}_task_id"]
        root = self.evaluations if kind == "evaluation" else "3_generation"
        path = f"{kind}_responses/{task_id}.txt"
        text = f"What {task_id} came to.\nSCORE: 7\n"
        file = self.data / root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        self.texts[SOURCES[kind], task_id] = text
        size = str(len(text))
        return {f"{prefix}response_file": path, f"{prefix}response_size_bytes": size} | cells

    def _end(self, kind: str, cells: Cells) -> Key:
        return SOURCES[kind], cells[f"{kind}_task_id"]

    def _append(self, kind: str, record: list[str]) -> None:
        path = self.data / "7_cross_experiment" / SOURCES[kind]
        with path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerow(record)


def generated(kind: str, number: int, minutes: int, **changes: str) -> Cells:
    """Return the cells of a draft, link or essay of a combination, some minutes after its start."""
    at = START + timedelta(hours=number, minutes=minutes)
    model = MODELS[number % 2]
    return {
        f"{kind}_task_id": f"combo_v1_{number:012x}__{kind}__{model}",
        "combo_id": f"combo_v1_{number:012x}",
        f"{kind}_template_id": f"{kind}-template-v{number % 5}",
        "generation_model": model,
        "generation_status": "success",
        "generation_timestamp": at.isoformat(),
    } | changes


def evaluated(number: int, essay: str, **changes: str) -> Cells:
    """Return the cells of an evaluation of an essay."""
    return {
        "evaluation_task_id": f"{essay}__novelty-v2__sonnet-4",
        "essay_task_id": essay,
        "combo_id": f"combo_v1_{number:012x}",
        "draft_template": f"draft-template-v{number % 5}",
        "essay_template": f"essay-template-v{number % 5}",
        "generation_model": MODELS[number % 2],
        "evaluation_template": "novelty-v2",
        "evaluation_model": "sonnet-4",
        "evaluation_status": "success",
        "evaluation_timestamp": (START + timedelta(hours=number, minutes=50)).isoformat(),
    } | changes


def build(data: Path, combinations: int, *, older: bool) -> World:
    """Write a tree of some combinations and return what must become of it."""
    world = World(data, older)
    world.start()
    for number in range(combinations):
        ways = (_whole, _whole, _whole, _failed_first, _linked, _lost_draft, _appended, _torn)
        ways[number % len(ways)](world, number)
    return world


def _whole(world: World, number: int) -> None:
    draft, essay = generated("draft", number, 0), generated("essay", number, 20)
    world.written("draft", draft, None)
    _rest(world, number, essay, draft["draft_task_id"])


def _rest(world: World, number: int, essay: Cells, parent: str) -> None:
    task_id = essay["essay_task_id"]
    world.written("essay", essay, parent)
    world.written("evaluation", evaluated(number, task_id), task_id)


def _failed_first(world: World, number: int) -> None:
    """Fail before it succeeds: rows without a file and its size, or without even those columns."""
    name = generated("draft", number, 0)["draft_task_id"]
    told = {"draft_task_id": f"{name}__0", "generation_status": "failed"}
    failed = generated("draft", number, 0, **told)
    world.bad("draft", failed, "missing_response_file", lacks="response_size_bytes")
    failed["draft_task_id"] = f"{name}__1"
    both = "response_file response_size_bytes"
    world.bad("draft", failed, "missing_response_file", lacks=both)
    world.written("draft", generated("draft", number, 5), None)
    essay = generated("essay", number, 20)
    _rest(world, number, essay, name)
    told = {"evaluation_task_id": f"failed-{number}", "evaluation_status": "failed"}
    lost = evaluated(number, essay["essay_task_id"], **told)
    world.bad("evaluation", lost, "missing_response_file", lacks="eval_response_size_bytes")


def _linked(world: World, number: int) -> None:
    """Take the later of a draft and a link; times have no zone and are compared as they stand."""
    link = generated("link", number, 10)
    world.written("draft", generated("draft", number, 0), None)
    world.written("link", link, None)
    _rest(world, number, generated("essay", number, 20), link["link_task_id"])


def _lost_draft(world: World, number: int) -> None:
    """Lose the draft's file, and with it all that was made from it."""
    lost = generated("draft", number, 0, response_file="draft_responses/gone.txt")
    world.bad("draft", lost, "missing_response_file")
    essay = generated("essay", number, 20)
    world.bad("essay", essay, "unresolved_parent")
    world.bad("evaluation", evaluated(number, essay["essay_task_id"]), "unresolved_target")


def _appended(world: World, number: int) -> None:
    """Append rows of tables with more columns, and one without a size."""
    draft, essay = generated("draft", number, 0), generated("essay", number, 20)
    world.written("draft", draft, None, "1843", "no error")
    world.written("essay", essay, draft["draft_task_id"], "12.5")
    told = evaluated(number, essay["essay_task_id"])
    world.written("evaluation", told, essay["essay_task_id"], "", "")


def _torn(world: World, number: int) -> None:
    """Write rows that nobody can be sure of: one cut short, one that lacks its combination."""
    draft, essay = generated("draft", number, 0), generated("essay", number, 20)
    every = " ".join(HEADERS["draft"][3:])
    world.bad("draft", draft, "malformed_row", lacks=every)
    world.bad("essay", essay, "malformed_row", lacks="combo_id")
    unread = evaluated(number, essay["essay_task_id"])
    world.bad("evaluation", unread, "unresolved_target")
