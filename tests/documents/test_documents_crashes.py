"""Killed at any moment and run again, the index is what an undisturbed run makes."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from documents_archive import Archive, place_in, snapshot
from prefect.settings import PREFECT_API_URL

from deployments.local.sample_documents import make_tree
from tasks.documents import planning, slices
from tasks.documents.adapters import directories
from tasks.documents.adapters.place import Place

SCRIPT = Path(__file__).with_name("import_in_process.py")


class PowerCutError(Exception):
    """The moment at which a test stops the import."""


@contextmanager
def cut_at(
    monkeypatch: pytest.MonkeyPatch, module: object, name: str, calls: int
) -> Iterator[None]:
    """Let a function work some times, then fail as if the power had gone."""
    whole: Callable[..., object] = getattr(module, name)
    left = iter(range(calls))

    def fragile(*args: object, **kwargs: object) -> object:
        if next(left, None) is None:
            raise PowerCutError
        return whole(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, fragile)
        yield


def chain(archive: Archive) -> None:
    """Add four drafts, each with an essay and an evaluation."""
    for n in range(4):
        archive.draft(f"draft-{n}", combo_id=f"c{n}")
        archive.essay(f"essay-{n}", combo_id=f"c{n}")
        archive.evaluation(f"evaluation-{n}", essay_task_id=f"essay-{n}")


def undisturbed(root: Path, fill: Callable[[Archive], None]) -> dict[str, object]:
    archive = Archive(root)
    fill(archive)
    archive.run()
    return snapshot(archive.place())


@pytest.mark.parametrize(
    ("module", "name", "calls"),
    [
        (directories, "prepare", 0),  # before the first directory
        (directories, "prepare", 2),  # among the directories of a slice
        (directories, "publish", 2),  # some have their names, some have not
        (directories, "harden", 0),  # prepared, perhaps not on disk
        (directories, "harden", 1),  # all directories there, no row
        (slices, "_insert", 1),  # drafts committed, essays on disk only
        (slices, "_generations", 2),  # rows inserted, not committed
    ],
)
def test_a_cut_at_any_step_is_made_good_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, name: str, calls: int
) -> None:
    expected = undisturbed(tmp_path / "undisturbed", chain)
    archive = Archive(tmp_path / "cut")
    chain(archive)
    with cut_at(monkeypatch, module, name, calls), pytest.raises(PowerCutError):
        archive.run()
    rows = archive.query("select doc_dir from documents")
    whole = [(archive.root / "docs" / r["doc_dir"] / "metadata.json").exists() for r in rows]

    archive.run()

    assert all(whole)
    assert snapshot(archive.place()) == expected


def test_without_syncfs_every_file_and_folder_is_synced_before_its_name_and_row(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.draft("draft")
    archive.write()
    place = archive.place()
    planning.check.fn(place)
    (piece,) = planning.plan_slices(place, 10)
    events: list[str] = []
    monkeypatch.setattr(directories.ctypes, "CDLL", lambda _: object())
    monkeypatch.setattr(
        os, "fsync", lambda fd: events.append(Path(f"/proc/self/fd/{fd}").readlink().name)
    )
    whole = slices._insert
    monkeypatch.setattr(slices, "_insert", lambda *a: (events.append("row"), whole(*a)))

    slices.import_rows(place, piece)

    row = archive.one("draft")
    assert sorted(events[:4]) == sorted(["metadata.json", "parsed.txt", "raw.txt", row["doc_id"]])
    assert events[3] == row["doc_id"]
    assert events[4:] == [row["logical_key_id"], "draft", "docs", "row"]


def test_another_run_adopts_what_a_cut_left_without_rows(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain(archive)
    with cut_at(monkeypatch, slices, "_insert", 1), pytest.raises(PowerCutError):
        archive.run("cut")
    assert archive.query("select * from documents where stage = 'essay'") == []

    summary = archive.run("next")

    adopted = archive.query("select * from documents where run_id = 'cut' and stage = 'essay'")
    texts = archive.query("select doc_id from documents_text")
    assert len(adopted) == 4
    assert {row["doc_id"] for row in adopted} <= {row["doc_id"] for row in texts}
    assert summary.problems == []
    assert archive.run("cut").problems == []
    assert len(archive.query("select * from documents where run_id = 'cut'")) == 12


def test_an_orphan_of_other_bytes_is_completed_and_not_believed(archive: Archive) -> None:
    chain(archive)
    archive.run()
    expected = snapshot(archive.place())
    for path in archive.root.glob("documents.sqlite*"):
        path.unlink()
    raw = next((archive.root / "docs").rglob("raw.txt"))
    raw.write_bytes(b"torn")

    archive.run()

    assert snapshot(archive.place()) == expected


def test_half_made_directories_are_swept_away(archive: Archive) -> None:
    chain(archive)
    archive.run()
    expected = snapshot(archive.place())
    half = archive.place().incoming / "half"
    half.mkdir(parents=True)
    (half / "raw.txt").write_text("half")

    archive.run()

    assert snapshot(archive.place()) == expected


def start(root: Path, way: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, SCRIPT, root, way],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value() or ""},
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def kill_and_finish(root: Path, way: str, kills: int, seed: int) -> int:
    """Kill an import again and again as it goes on, then let it finish; return the hits."""
    chance = random.Random(seed)
    assert start(root / "timed", way).wait() == 0
    step = files_in(root / "timed") // kills
    hits = 0
    for _ in range(kills):
        process = start(root / "killed", way)
        wanted = files_in(root / "killed") + chance.randint(0, step)
        while process.poll() is None and files_in(root / "killed") < wanted:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.3))
        hits += process.poll() is None
        process.kill()
        process.wait()
    assert start(root / "killed", way).wait() == 0
    return hits


def files_in(root: Path) -> int:
    """Return how many files an import has written so far, those on their way among them."""
    return sum(len(files) for _, _, files in os.walk(root / "docs"))


def same_after_kills(root: Path, way: str, *, size: int, kills: int) -> int:
    for name in ("timed", "killed"):
        make_tree(root / name / "data", size)
    hits = kill_and_finish(root, way, kills, seed=size)
    left, right = (essence(place_in(root / name)) for name in ("killed", "timed"))
    assert left == right
    return hits


def essence(place: Place) -> dict[str, object]:
    """Return a snapshot without the one planted path that names the tree's own root."""
    taken = snapshot(place)
    for rows in (taken["bad"],):
        for row in rows:  # type: ignore[attr-defined]
            row["response_file"] = row["response_file"].replace(str(place.data_root), "")
    taken.pop("bad list")
    return taken


def test_three_kills_leave_what_an_undisturbed_run_leaves(tmp_path: Path) -> None:
    hits = same_after_kills(tmp_path, "plain", size=200, kills=3)

    assert hits > 0
    assert planning.plan_slices(place_in(tmp_path / "killed"), 10_000)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_kills_of_the_flow_leave_what_an_undisturbed_run_leaves(
    tmp_path: Path, prefect_server: None
) -> None:
    hits = same_after_kills(tmp_path, "flow", size=120, kills=20)

    assert hits >= 10
