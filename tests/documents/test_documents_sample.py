"""The synthetic tree: every counter is exactly what the generator planted."""

import csv
import hashlib
import json
from pathlib import Path

import pytest
from documents_archive import forget, import_all, place_in, query, snapshot

from deployments.local.sample_documents import make_tree
from tasks.documents.adapters.place import Place

SIZE = 120


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Make a tree, import it once, and return where it is."""
    place = place_in(tmp_path_factory.mktemp("sample"))
    counts = make_tree(place.data_root, SIZE)
    (place.data_root / "counts.json").write_text(json.dumps(counts))
    import_all(place)
    return place


def test_every_counter_is_what_was_planted(tree: Place) -> None:
    planted = json.loads((tree.data_root / "counts.json").read_text())
    problems = query(tree.database, "select problem from documents_consistency_report")

    found = query(tree.database, "select * from documents_counters")

    missing_prompts = planted.pop("missing_prompt")
    assert {row["counter"]: row["amount"] for row in found} == planted
    assert [row["problem"] for row in problems] == ["missing_prompt"] * missing_prompts


def test_every_essay_has_the_parent_that_it_was_made_from(tree: Place) -> None:
    with (tree.data_root / "true_parents.csv").open(newline="") as file:
        truth = {row["essay_task_id"]: row["draft_task_id"] for row in csv.DictReader(file)}

    found = query(
        tree.database, "select task_id, parent_task_id from documents_lineage where stage = 'essay'"
    )

    assert len(found) > SIZE // 2
    assert {r["task_id"]: r["parent_task_id"] for r in found} == {
        r["task_id"]: truth[r["task_id"]] for r in found
    }


def test_a_rebuild_is_byte_for_byte_the_same(tree: Place) -> None:
    before = snapshot(tree)
    forget(tree)

    import_all(tree, slice_size=50)

    assert snapshot(tree) == before


def test_losing_only_the_database_adopts_every_directory(tree: Place) -> None:
    before = snapshot(tree)
    marks = {p: p.stat().st_ino for p in tree.out_root.rglob("raw.txt")}
    for path in tree.database.parent.glob(f"{tree.database.name}*"):
        path.unlink()

    import_all(tree)

    assert snapshot(tree) == before
    assert {p: p.stat().st_ino for p in tree.out_root.rglob("raw.txt")} == marks


def test_nothing_is_inferred_from_file_names(tree: Place, tmp_path: Path) -> None:
    scrambled = place_in(tmp_path)
    make_tree(scrambled.data_root, SIZE)
    scramble(scrambled)

    import_all(scrambled)

    assert essence(scrambled) == essence(tree)


def scramble(place: Place) -> None:
    """Give every response and prompt a new name, in the CSVs as on disk."""
    names = {}
    for root in (place.data_root / "3_generation", place.data_root / "4_evaluation"):
        names |= renamed(root, first=len(names))
    for path in place.results.glob("*_results.csv"):
        rename_in(path, names)


def renamed(root: Path, first: int) -> dict[str, str]:
    """Rename all files below a root; return the new names by the old ones."""
    files = [path for path in sorted(root.rglob("*.txt")) if not path.is_symlink()]
    names = {
        path.relative_to(root).as_posix(): f"{number:x}/{hidden(path)}.txt"
        for number, path in enumerate(files, first)
    }
    for old, new in names.items():
        (root / new).parent.mkdir()
        (root / old).rename(root / new)
    for link in [path for path in root.rglob("*.txt") if path.is_symlink()]:
        old = link.readlink()
        if old.is_relative_to(root):
            link.unlink()
            link.symlink_to(root / names[old.relative_to(root).as_posix()])
    return names


def hidden(path: Path) -> str:
    return hashlib.sha256(b"scrambled" + path.name.encode()).hexdigest()


def rename_in(path: Path, names: dict[str, str]) -> None:
    """Put the new names into a CSV; a prompt that has no name of its own any more is told."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *records = csv.reader(file)
    links = path.name.startswith("link")
    for record in records:
        record[:] = [names.get(cell.removeprefix("data/3_generation/"), cell) for cell in record]
        if links and len(record) >= len(header):
            record.insert(len(header), names.get(f"links_prompts/{record[0]}.txt", ""))
    header += ["prompt_file"] * links
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *records])


def essence(place: Place) -> dict[str, object]:
    """Return all that the index says, without the names of the files it was read from."""
    rows = query(place.database, "select * from documents order by doc_id")
    for row in rows:
        told = json.loads(row["metadata"])
        row["metadata"] = {k: v for k, v in told.items() if not k.endswith("_file")}
    texts = {
        path.relative_to(place.out_root).as_posix(): path.read_bytes()
        for name in ("raw.txt", "parsed.txt", "prompt.txt")
        for path in place.out_root.rglob(name)
    }
    bad = query(place.database, "select task_id, reason from bad_generations order by 1, 2")
    return {"rows": rows, "texts": texts, "bad": bad}
