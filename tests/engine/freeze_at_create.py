"""Submits one slice in a process of its own, which stands still just before the request leaves."""

import os
import signal
import sys

from prefect.logging import disable_run_logger

from tasks.adapters import leases
from tasks.adapters.gemini import Gemini
from tasks.slices import batch, submission

MOMENT, SLICE = sys.argv[1:]


def frozen_before(owner: object, name: str) -> None:
    original = getattr(owner, name)

    def frozen(*args: object, **named: object) -> object:
        sys.stdout.write("frozen\n")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGSTOP)
        return original(*args, **named)

    setattr(owner, name, frozen)


if MOMENT == "after the reservation":
    frozen_before(submission, "_may_send")
else:
    frozen_before(Gemini, "create_job")
lease = leases.begin(SLICE)
if isinstance(lease, str):
    sys.exit(lease)
with disable_run_logger(), leases.working(lease):
    file = batch.upload.directly(batch.build.directly(SLICE))
    sys.stdout.write(f"{submission.submit(SLICE, file.name, None)}\n")
