"""A person's pause: what flies is collected, nothing new is sent, and a run goes on by itself."""

import threading
import time
from contextvars import copy_context

import pytest
from engine_hand import NAME, Engine

from tasks.adapters import status
from tasks.slices import pause
from tasks.undo.pause import lift_pause, put_pause


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pause, "LOOK_SECONDS", 0.05)


class Person:
    """Pauses a backfill amid its run, and lets it go on."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.jobs = -1
        self.said: list[str] = []

    def pauses(self) -> None:
        """Pause; once what flies is collected look for a while, then resume."""
        put_pause.directly(NAME)
        while not self.engine.sql("select 1 from backfill.slices where written > 0 and wave > 0"):
            time.sleep(0.05)
        time.sleep(1)
        self.jobs = self.engine.jobs()
        [now] = status.read().backfills
        self.said = [*now.advice, *self.notes(), str(lift_pause.directly(NAME).message)]

    def notes(self) -> list[str]:
        return [row["notes"] for row in self.engine.sql("select notes from kb_migrations")]


def test_a_paused_run_collects_what_flies_says_so_and_goes_on_when_it_is_resumed(
    engine: Engine,
) -> None:
    engine.load_samples(6)
    person = Person(engine)
    engine.set(run_seconds=0.5)
    engine.at_event("job_created", copy_context().run, person.pauses)

    said = engine.summary(slice_size=2, slices_at_once=1)

    assert said.startswith("6 targets: 6 written")
    assert person.jobs == 1
    advice, notes, resumed = person.said
    assert advice == notes
    assert notes.startswith("Paused by a person since ")
    assert notes.endswith("nothing new is submitted until stop/resume.")
    assert resumed.startswith(f"{NAME} may go on: ")
    assert engine.jobs() == 3
    engine.check()


def test_rows_that_are_asked_one_by_one_are_paused_too(engine: Engine) -> None:
    engine.load_samples(4)
    put_pause.directly(NAME)
    asked: list[int] = []

    def resume() -> None:
        asked.append(engine.calls("models.generateContent"))
        lift_pause.directly(NAME)

    threading.Timer(2.0, copy_context().run, [resume]).start()
    said = engine.summary(transport="interactive")

    assert asked == [0]
    assert said.startswith("4 targets: 4 written")
