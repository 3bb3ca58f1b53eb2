"""What a form's user may name: files of the allowed folders, and nothing of what is in others."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_hand import Engine

from flows.backfill import backfill
from flows.documents import documents
from tasks.adapters import portable_files
from tasks.adapters.settings import settings
from tasks.core.errors import PreflightError
from tasks.core.portable import head
from tasks.documents.adapters.place import Place
from tasks.reports.export import write

KEY = "planted-5ecret-of-a-file"


@pytest.fixture
def place(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an allowed folder; beside it, in it by a link, and hidden in it lies a secret."""
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setenv("BACKFILL_FILES_ROOT", f"{folder}{os.pathsep}{tmp_path / 'more'}")
    settings.cache_clear()
    for secret in (tmp_path / "secret.csv", folder / ".env"):
        secret.write_text(f"{KEY}\n{KEY}\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    return folder


@pytest.mark.parametrize(
    "named",
    ["/proc/self/environ", "{0}/../secret.csv", "{0}/link.csv", "{0}/.env", "{0}/loop.csv", "a\0b"],
)
def test_no_form_names_a_file_outside_the_allowed_folders(place: Path, named: str) -> None:
    path = named.format(place)
    asked: dict[str, Callable[[], object]] = {
        "csv_in": lambda: asyncio.run(backfill.fn(name="songs", csv_in=path)),
        "csv_in, dry": lambda: asyncio.run(backfill.fn(name="songs", csv_in=path, dry_run=True)),
        "csv_out": lambda: asyncio.run(backfill.fn(name="songs", csv_out=path)),
        "path": lambda: write("songs", "csv", path, None, best=False),
        "data_root": lambda: asyncio.run(documents.fn(data_root=Path(path))),
        "out_root": lambda: Place.of(place, "main", out_root=Path(path)),
        "database": lambda: Place.of(place, "main", database=Path(path)),
        "bad_list": lambda: Place.of(place, "main", bad_list=Path(path)),
        "file": lambda: portable_files.place(path),
    }

    for ask in asked.values():
        with pytest.raises(PreflightError, match=r"hidden or outside|not a path|not below"):
            ask()


def test_a_file_of_an_allowed_folder_is_repeated_in_no_message(place: Path) -> None:
    wrong = place / "wrong.csv"
    said = []

    for text in (
        f"{KEY}\nA\n",
        f"{KEY},{KEY}\0\n",
        f"artist,title\n{KEY}\n",
        f'artist,title\n"{KEY}',
    ):
        wrong.write_text(text)
        with pytest.raises(PreflightError) as raised:
            asyncio.run(backfill.fn(name="songs", csv_in=str(wrong)))
        said.append(str(raised.value))
    for line in (KEY, f'{{"{KEY}": 1}}', f'{{"backfill": "{KEY}"}}', f'{{"backfill": ["{KEY}"]}}'):
        with pytest.raises(PreflightError) as raised:
            head(iter([line.encode()]), "answers.jsonl")
        said.append(str(raised.value))

    assert all("wrong.csv" in each or "answers.jsonl" in each for each in said)
    assert not any(KEY in each for each in said)
