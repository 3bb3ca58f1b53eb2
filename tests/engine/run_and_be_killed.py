"""One run of a backfill in a process of its own, for tests that kill it."""

import json
import os
import sys

import pytest
from conftest import without_prefect
from engine_hand import Engine
from prefect.logging import disable_run_logger

if __name__ == "__main__":  # its own processes import it too
    with pytest.MonkeyPatch.context() as patch, disable_run_logger():
        without_prefect(patch)
        engine = Engine(os.environ["BACKFILL_DATABASE_URL"], os.environ["BACKFILL_GEMINI_URL"])
        sys.stdout.write(engine.summary(**json.loads(sys.argv[1])) + "\n")
