"""This machine's clock is an hour off, or is set back amid a run: nothing goes by it."""

import sys
import time
from datetime import datetime, timedelta, tzinfo

import pytest
from engine_hand import NAME, Engine, configure

from tasks import backfills
from tasks.adapters import audit, status
from tasks.adapters.postgres import connect
from tasks.core.audit import Worth

HOUR = 3600.0


class Clock:
    """The clock that the flow's process sees: the wall's, and so much."""

    def __init__(self, patch: pytest.MonkeyPatch, ahead: float = 0.0) -> None:
        self.ahead = ahead
        real = time.time
        patch.setattr(time, "time", lambda: real() + self.ahead)
        moved = self._moved()
        for module in [each for name, each in sys.modules.items() if name.startswith("tasks.")]:
            if getattr(module, "datetime", None) is datetime:
                patch.setattr(module, "datetime", moved)

    def _moved(self) -> type[datetime]:
        clock = self

        class Moved(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> "Moved":
                seen = datetime.now(tz) + timedelta(seconds=clock.ahead)
                return cls.fromtimestamp(seen.timestamp(), tz)

        return Moved

    def set_back(self) -> None:
        self.ahead -= HOUR


@pytest.mark.parametrize("clock", ["ahead", "behind", "set back"])
def test_a_job_in_doubt_is_waited_for_by_the_databases_clock(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    configure(
        monkeypatch,
        http_timeout_seconds=1.5,
        recreate_after_seconds=1.5,
        job_deadline_seconds=HOUR / 2,
    )
    engine.load_samples(20)
    engine.set(run_seconds=0.5)
    engine.fault("create_slow", times=1, seconds=2.5)
    ours = Clock(monkeypatch, {"ahead": HOUR, "behind": -HOUR, "set back": 0.0}[clock])
    if clock == "set back":
        engine.at_event("job_created", ours.set_back)
    began = time.monotonic()

    said = engine.summary(slice_size=10)

    assert said.startswith("20 targets: 20 written")
    assert time.monotonic() - began < 20
    assert engine.jobs() == 2
    assert engine.calls("batches.cancel") == 0
    engine.check()


def test_what_people_read_goes_by_the_databases_clock(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(2)
    [slice_id] = engine.plan()
    engine.sql(
        "update backfill.slices set state = 'submitted', submitted_at = now()"
        " where slice_id = %(slice_id)s",
        slice_id=slice_id,
    )
    engine.sql(
        "insert into kb_migrations (job_name, status, updated_at)"
        " values ('of another tool', 'running', now())"
    )
    Clock(monkeypatch, 48 * HOUR)

    with connect() as connection:
        seen = status.read_on(connection)
        found = audit.inspect(connection, backfills.get(NAME))
        judged = audit.checkpoints(connection, [found] if found else [], timedelta(hours=24))

    [age] = [job.age_seconds for each in seen.backfills for job in each.slices]
    assert age is not None
    assert 0 <= age < 60
    assert [each for each in judged if Worth.STANDS_STILL in each.worth] == []
