"""A process that stands still between its reservation and its request, while another goes on."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest
from engine_hand import Engine, configure

from tasks.adapters import leases
from tasks.adapters.gemini import Gemini
from tasks.core.errors import LeaseLostError
from tasks.core.models import BatchJob
from tasks.slices import batch, submission

HERE = Path(__file__).parent


@pytest.mark.parametrize("moment", ["after the reservation", "before the request"])
def test_a_frozen_process_creates_no_second_job_that_is_paid(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    configure(monkeypatch, lease_seconds=1.5, http_timeout_seconds=1.5, recreate_after_seconds=0.2)
    engine.load_samples(20)
    [slice_id] = engine.plan()
    engine.set(run_seconds=3.0)
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    frozen = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(HERE / "freeze_at_create.py"), moment, slice_id],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert frozen.stdout
    assert frozen.stdout.readline() == "frozen\n"

    other = threading.Thread(target=engine.summary)
    other.start()
    while not engine.sql("select 1 from backfill.slices where state = 'submitted'"):
        time.sleep(0.05)
    frozen.send_signal(signal.SIGCONT)
    _, said = frozen.communicate(timeout=30)
    other.join()

    assert frozen.returncode != 0
    assert "stood still for longer than its lease" in said
    assert engine.ends()["written"] == 20
    assert engine.http.get("/keys", params={"min": 2}).json()["keys"] == {}


def test_a_holder_whose_slice_another_one_finished_says_so_and_calls_nothing_lost(
    engine: Engine,
) -> None:
    engine.load_samples(5)
    [slice_id] = engine.plan()
    lease = leases.begin(slice_id)
    assert isinstance(lease, leases.Lease)
    with leases.working(lease):
        file = batch.upload.directly(batch.build.directly(slice_id))
        submission.submit(slice_id, file.name, None)
        with psycopg.connect(engine.database_url) as connection:
            connection.execute("delete from backfill.leases")  # it stood still for too long
        other = threading.Thread(target=engine.summary)
        other.start()
        other.join()

        with pytest.raises(LeaseLostError, match="stood still for longer than its lease"):
            asyncio.run(batch.await_job.fn(slice_id))

    assert engine.ends() == {"written": 5}


def test_a_job_whose_creator_lost_its_lease_is_left_to_whoever_took_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(10)
    [slice_id] = engine.plan()
    create = Gemini.create_job

    def lose_the_lease(self: Gemini, *given: str) -> BatchJob:
        job = create(self, *given)
        engine.sql("update backfill.leases set epoch = 'of another'")
        return job

    with monkeypatch.context() as patch, leases.working(leases.begin(slice_id)):
        patch.setattr(Gemini, "create_job", lose_the_lease)
        file = batch.upload.directly(batch.build.directly(slice_id))
        with pytest.raises(LeaseLostError, match="stood still"):
            submission.submit(slice_id, file.name, None)
    engine.sql("delete from backfill.leases")
    engine.summary()

    assert engine.calls("batches.cancel") == 0
    assert engine.jobs() == 1
    engine.check()
