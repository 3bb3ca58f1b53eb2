"""Creating a job once, whatever becomes of the call that creates it."""

import pytest
from engine_hand import Engine

CREATE = "batches.create"


def test_an_undisturbed_run_writes_every_passage(engine: Engine) -> None:
    ids = engine.load_samples(12)
    legacy = engine.legacy()

    said = engine.summary()

    engine.check()
    assert said.startswith("12 targets: 12 written")
    assert engine.ends() == {"written": len(ids)}
    assert engine.legacy() == legacy
    assert engine.calls("batches.create") == 1
