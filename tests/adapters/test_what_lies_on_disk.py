"""What lies on a disk: results as JSON that is read back as it was, and files of nobody else."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from prefect.serializers import JSONSerializer

from flows.backfill import backfill
from flows.backfill_slice import backfill_slice
from flows.documents import documents
from flows.documents_slice import documents_slice
from tasks.adapters import workspace
from tasks.adapters.settings import settings
from tasks.core.models import BatchJob, Plan, SliceResult, SliceState, UploadedFile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READ_AGAIN = [
    Plan(
        run_id=UUID(int=1),
        resumed=False,
        planned=1,
        skipped=0,
        open_targets=1,
        open_slices=1,
        since=NOW,
    ),
    UploadedFile(name="files/a", expires_at=NOW),
    SliceResult(slice_id="s", state=SliceState.DONE, written=1),
    BatchJob(name="batches/a", display_name="a", state="JOB_STATE_SUCCEEDED", create_time=NOW),
]


@pytest.mark.parametrize("result", READ_AGAIN, ids=lambda each: type(each).__name__)
def test_a_result_is_read_back_as_it_was(result: object) -> None:
    kept = JSONSerializer[object]()

    assert kept.loads(kept.dumps(result)) == result


def test_every_flow_that_keeps_results_keeps_them_as_json() -> None:
    flows = (backfill, backfill_slice, documents, documents_slice)

    assert {each.result_serializer for each in flows} == {"json"}


def test_request_files_are_their_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKFILL_WORK_DIR", str(tmp_path / "work"))
    settings.cache_clear()

    path = workspace.requests_path("s")
    workspace.write(path, [b"a\n"], b"a\n")

    settings.cache_clear()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
