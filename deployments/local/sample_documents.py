"""A synthetic tree for the documents index, of any size, with every kind of trouble counted.

Run as `python -m deployments.local.sample_documents FOLDER COMBINATIONS`.
"""

import csv
import hashlib
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

Cells = dict[str, str]

_GENERATED = (
    "generation_model",
    "generation_status",
    "generation_timestamp",
    "response_file",
    "response_size_bytes",
)
_COLUMNS = {
    "draft": ("draft_task_id", "combo_id", "draft_template_id", *_GENERATED),
    "link": ("link_task_id", "combo_id", "link_template_id", *_GENERATED),
    "essay": ("essay_task_id", "combo_id", "essay_template_id", *_GENERATED),
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
        "generation_task_id",  # of rows from before there were essay_task_ids
    ),
    "generation": ("generation_task_id", "link_task_id"),
    "score": ("evaluation_task_id", "score"),
    "draft_task": ("draft_task_id", "combo_id", "draft_template_id", "generation_model"),
    "truth": ("essay_task_id", "draft_task_id"),
}
_FILES = {
    "draft": "7_cross_experiment/draft_generation_results.csv",
    "link": "7_cross_experiment/link_generation_results.csv",
    "essay": "7_cross_experiment/essay_generation_results.csv",
    "evaluation": "7_cross_experiment/evaluation_results.csv",
    "generation": "7_cross_experiment/generation_results.csv",
    "score": "7_cross_experiment/parsed_scores.csv",
    "draft_task": "2_tasks/draft_generation_tasks.csv",
    "truth": "true_parents.csv",  # what every essay was made from: for tests, not for the index
}
_FOLDERS = {"draft": "draft_responses", "link": "links_responses", "essay": "essay_responses"}
_START = datetime(2025, 7, 1, tzinfo=UTC)
_WORDS = ("memory", "dream", "lattice", "river", "signal", "garden", "proof", "engine", "tide")


@dataclass
class Tree:
    """A tree that is being written: its root, a CSV writer per table, known amounts and sizes."""

    root: Path
    writers: dict[str, Callable[[list[str]], object]]
    counts: Counter[str] = field(default_factory=Counter)
    sizes: dict[str, str] = field(default_factory=dict)

    def add(self, table: str, *extra: str, lacks: str = "", **cells: str) -> None:
        """Write one record as pandas appends it; cells that are not given stay empty.

        One column may be lacking, as in a table in which no row has it, and cells of columns that
        the file does not have may follow.
        """
        prefix = "eval_" if table == "evaluation" else ""
        size = self.sizes.get(cells.get(f"{prefix}response_file", ""), "")
        told = {f"{prefix}response_size_bytes": size} | cells
        columns = [column for column in _COLUMNS[table] if column != lacks]
        self.writers[table]([*(told.get(column, "") for column in columns), *extra])

    def respond(self, kind: str, name: str, content: bytes | None = None) -> str:
        """Write a response and return its path as the CSVs tell it; its name says nothing.

        Evaluations lie in the folder of newer trees or in that of older ones.
        """
        raw = prose(name).encode() if content is None else content
        code = hashlib.sha256(name.encode()).hexdigest()[:20]
        path = f"{_FOLDERS.get(kind, 'evaluation_responses')}/{code}.txt"
        newer = kind not in _FOLDERS and code < "8"
        file = self.root / ("4_evaluation" if newer else "3_generation") / path
        file.write_bytes(raw)
        self.sizes[path] = str(len(raw))
        return path


@dataclass(frozen=True)
class Combo:
    """One combination: the cells that its draft and essay share, and when they were made."""

    number: int
    draft_kind: str

    @property
    def name(self) -> str:
        """Return the combo_id."""
        return f"combo-{self.number:07d}"

    @property
    def draft_id(self) -> str:
        """Return the task id of the combination's draft."""
        return f"{self.name}__{self.draft_kind}"

    @property
    def rival(self) -> "Combo":
        """Return the same combination with its draft in the other CSV."""
        return Combo(self.number, "link" if self.draft_kind == "draft" else "draft")

    def moment(self, minutes: int) -> str:
        """Return a timestamp in one of the ways in which they are found, the same instant each."""
        at = _START + timedelta(minutes=3 * self.number + minutes)
        east = at.astimezone(timezone(timedelta(hours=5, minutes=30)))
        ways = (
            at.isoformat(),
            at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            at.strftime("%Y%m%d_%H%M%S"),
            at.strftime("%Y-%m-%d %H:%M:%S"),
            east.isoformat(),
            str(int(at.timestamp())),
            at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        )
        return ways[(self.number + minutes) % len(ways)]

    def draft(self, **changes: str) -> Cells:
        """Return the cells of the combination's draft."""
        return self._generated(self.draft_kind, self.draft_id, 0) | changes

    def essay(self, **changes: str) -> Cells:
        """Return the cells of the combination's essay; it is an hour younger than the draft."""
        return self._generated("essay", f"{self.name}__essay", 60) | changes

    def evaluation(self, **changes: str) -> Cells:
        """Return the cells of the evaluation of the combination's essay."""
        return {
            "evaluation_task_id": f"{self.name}__evaluation",
            "essay_task_id": f"{self.name}__essay",
            "combo_id": self.name,
            "draft_template": f"{self.draft_kind}-template-{self.number % 3}",
            "essay_template": f"essay-template-{self.number % 3}",
            "generation_model": f"model-{self.number % 2}",
            "evaluation_template": "novelty",
            "evaluation_model": "judge-1",
            "evaluation_status": "success",
            "evaluation_timestamp": self.moment(120),
        } | changes

    def _generated(self, kind: str, task_id: str, minutes: int) -> Cells:
        return {
            f"{kind}_task_id": task_id,
            f"{kind}_template_id": f"{kind}-template-{self.number % 3}",
            "combo_id": self.name,
            "generation_model": f"model-{self.number % 2}",
            "generation_status": "success",
            "generation_timestamp": self.moment(minutes),
        }


def prose(name: str) -> str:
    """Return about a kilobyte of text that depends on a name alone."""
    numbers = hashlib.sha256(name.encode()).digest()
    sentences = (f"A {_WORDS[n % 9]} of {_WORDS[n // 9 % 9]} {n}." for n in numbers)
    return "\n".join([f"Text of {name}.", *sentences, ""])


def make_tree(root: Path, combinations: int) -> Counter[str]:
    """Write a tree with three or more rows for each combination; return the known amounts.

    Each kind of trouble takes one combination of every forty.
    """
    from deployments.local.sample_trouble import TROUBLE, plain

    for folder in (*_FOLDERS.values(), "evaluation_responses", "links_prompts"):
        (root / "3_generation" / folder).mkdir(parents=True)
    (root / "4_evaluation/evaluation_responses").mkdir(parents=True)
    (root / "outside.txt").write_text("not for the index", encoding="utf-8")
    with ExitStack() as stack:
        tree = Tree(root, {table: _writer(stack, root, table) for table in _COLUMNS})
        for number in range(combinations):
            kind = number % 40
            make = TROUBLE[kind] if kind < len(TROUBLE) else plain
            make(tree, Combo(number, "link" if number % 3 == 0 else "draft"))
    return tree.counts


def _writer(stack: ExitStack, root: Path, table: str) -> Callable[[list[str]], object]:
    path = root / _FILES[table]
    path.parent.mkdir(exist_ok=True)
    encoding = "utf-8-sig" if table in {"link", "evaluation"} else "utf-8"
    file = stack.enter_context(path.open("w", encoding=encoding, newline=""))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS[table])
    return writer.writerow


if __name__ == "__main__":
    made = make_tree(Path(sys.argv[1]), int(sys.argv[2]))
    print("\n".join(f"{name}: {amount}" for name, amount in sorted(made.items())))
