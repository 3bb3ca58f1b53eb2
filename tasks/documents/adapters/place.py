"""Where one run reads and writes, and that nobody else does at the same time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tasks.adapters.allowed import allowed
from tasks.adapters.whole_files import unwritable
from tasks.core.errors import RunInProgressError, SettingsError
from tasks.documents.core.sources import RESULTS_FOLDER


class Place(BaseModel):
    """The folders, the database and the run id of one run of the index."""

    model_config = ConfigDict(frozen=True)

    data_root: Path
    out_root: Path
    database: Path
    run_id: str
    bad_list: Path

    @classmethod
    def of(
        cls,
        data_root: Path,
        run_id: str,
        *,
        out_root: Path | None = None,
        database: Path | None = None,
        bad_list: Path | None = None,
    ) -> "Place":
        """Return the place of a run, with the usual places for what is not given.

        Raises:
            PreflightError: when one of them is outside the folders that the installation allows.
        """
        places = {
            "data_root": data_root,
            "out_root": out_root or data_root / "docs",
            "database": database or data_root / "db" / "documents.sqlite",
            "bad_list": bad_list or data_root / RESULTS_FOLDER / "bad_generations.csv",
        }
        return cls(run_id=run_id, **{field: allowed(path, field) for field, path in places.items()})

    @property
    def results(self) -> Path:
        """Return the folder of the CSV files."""
        return self.data_root / RESULTS_FOLDER

    @property
    def incoming(self) -> Path:
        """Return the folder in which directories are made before they get their name."""
        return self.out_root / ".incoming"

    @property
    def reports(self) -> Path:
        """Return the folder of the CSV reports."""
        return self.out_root / "reports"


def make_writable(place: Place) -> None:
    """Create the output folders; raise one sentence when a file cannot be put where it belongs."""
    files = (place.incoming / "document", place.reports / "report", place.database, place.bad_list)
    for file in files:
        if why := unwritable(file):
            raise SettingsError(
                f"The documents index cannot write {file}: {why};"
                " choose another out_root, database or bad_list, or change its permissions."
            )


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """Hold the index's lock; the system gives it back when the process ends, however it ends."""
    with Path(f"{place.database}.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise RunInProgressError(
                f"Another run ({lock.read().strip() or 'unknown'}) is writing {place.database};"
                " wait for it or stop it."
            ) from None
        lock.truncate(0)
        lock.write(f"run_id {place.run_id}, process {os.getpid()}")
        lock.flush()
        yield
