"""When a slice's worker is taken to be lost: by the lock that nobody holds, state by state."""

import pytest
from prefect.states import Pending, Running, Scheduled, State

from tasks.slices.workers import GRACE_TO_START, _Absence

GRACE = 100.0
HELD, FREE = "a process", None
Seen = tuple[float, State | None, str | None]

RUNNING, PENDING = Running(), Pending()
STORIES: list[tuple[bool, list[Seen]]] = [
    (True, [(0, RUNNING, FREE), (GRACE + 1, RUNNING, FREE)]),
    (False, [(0, RUNNING, FREE), (GRACE - 1, RUNNING, FREE)]),
    (False, [(0, RUNNING, FREE), (GRACE, RUNNING, HELD), (GRACE + 50, RUNNING, FREE)]),
    (False, [(0, PENDING, FREE), (GRACE + 1, PENDING, FREE)]),
    (True, [(0, PENDING, FREE), (GRACE_TO_START * GRACE + 1, PENDING, FREE)]),
    # What it took to start is not held against a run that has just begun.
    (False, [(0, PENDING, FREE), (GRACE * 2, PENDING, FREE), (GRACE * 2 + 1, RUNNING, FREE)]),
    (False, [(0, Scheduled(), FREE), (GRACE * 99, Scheduled(), FREE)]),
    # While the server cannot be asked, nobody knows.
    (False, [(0, RUNNING, FREE), (GRACE - 1, None, FREE), (GRACE + 1, RUNNING, FREE)]),
]


@pytest.mark.parametrize(("is_lost", "story"), STORIES)
def test_a_worker_is_lost_after_its_grace_without_a_process(
    *, is_lost: bool, story: list[Seen]
) -> None:
    absence = _Absence(GRACE)

    *before, last = [absence.is_too_long(*seen) for seen in story]

    assert last is is_lost
    assert not any(before)
