"""Two runs at once, and holders that are gone. Signals and cancellations: tests/chaos."""

import subprocess
import sys

from engine_hand import NAME, Engine

from tasks.adapters.locks import held

HOLD_AND_DIE = f"""
import os
from tasks.adapters.locks import held
with held("run", "{NAME}", holder="full {NAME} (a run that dies)") as other:
    assert other is None
    os._exit(9)
"""


def test_a_second_run_steps_aside_and_names_the_first(engine: Engine) -> None:
    engine.load_samples(2)

    with held("run", NAME, holder="full passage_concepts (the first)") as other:
        state = engine.run()

    assert other is None
    assert state.name == "SteppedAside"
    assert "full passage_concepts (the first)" in str(state.message)
    assert engine.generations() == []


def test_a_crashed_holder_never_locks_the_next_one_out(engine: Engine) -> None:
    engine.load_samples(2)

    died = subprocess.run([sys.executable, "-c", HOLD_AND_DIE], check=False)
    engine.summary()

    assert died.returncode == 9
    assert engine.ends() == {"written": 2}
