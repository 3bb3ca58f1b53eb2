"""Whatever becomes of a job while it is waited for, and of its output on the way here."""

from datetime import timedelta
from pathlib import Path

import pytest
from engine_hand import Engine, configure, forget_settings

from tasks.adapters import gemini as gemini_module
from tasks.core.models import SliceState
from tasks.slices import batch as batches
from tasks.slices.waves import SlicesFailedError
from tasks.writing import fetching

HOUR = 3600
CREATE = "batches.create"


@pytest.mark.parametrize("kind", ["expired", "failed", "cancelled", "input_expired"])
def test_a_job_that_ends_without_answers_is_asked_again_in_halves(
    engine: Engine, kind: str
) -> None:
    engine.load_samples(6)
    engine.fault(kind, times=1)

    engine.summary()

    engine.check()
    sizes = sorted(row["request_count"] for row in engine.slices() if row["state"] == "done")
    failed = [row for row in engine.slices() if row["state"] == "failed"]
    assert engine.ends() == {"written": 6}
    assert sizes == [3, 3]
    assert failed[0]["job_name"] in failed[0]["error"]


def test_targets_whose_jobs_always_fail_are_bad_after_four(engine: Engine) -> None:
    engine.load_samples(2)
    engine.fault("failed", message="The model broke.")

    engine.summary()

    assert engine.ends() == {"bad: job_failed": 2}
    assert max(row["attempt"] for row in engine.slices()) == 4
    assert all("The model broke." in row["detail"] for row in engine.generations())


def test_a_job_that_fails_for_one_line_goes_on_without_it(engine: Engine) -> None:
    engine.load_samples(6)
    engine.fault("failed", times=1, code=3, message="Error on line 2: invalid JSON, near column 1")

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 5, "bad: rejected_line": 1}
    assert engine.calls(CREATE) == 2


@pytest.mark.parametrize("kind", ["stuck_pending", "stuck_running"])
def test_a_job_that_is_stuck_until_it_expires_is_asked_again(engine: Engine, kind: str) -> None:
    engine.load_samples(4)
    engine.fault(kind, times=1)
    engine.at_event("poll", engine.advance, 49 * HOUR)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 4}


def test_a_job_past_our_deadline_is_cancelled_and_asked_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, job_deadline_seconds=0.8)
    engine.load_samples(4)
    engine.fault("stuck_running", times=1)

    engine.summary()

    engine.check()
    assert engine.calls("batches.cancel") >= 1
    assert engine.ends() == {"written": 4}


def test_a_job_that_ends_with_answers_while_it_is_being_cancelled_is_kept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(4)
    engine.set(run_seconds=1.0)
    configure(monkeypatch, job_deadline_seconds=0.3)
    monkeypatch.setattr(gemini_module.Gemini, "cancel_job", _no_cancel)

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1
    assert engine.ends() == {"written": 4}


def test_a_job_that_neither_ends_nor_lets_itself_be_cancelled_is_never_asked_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, job_deadline_seconds=0.2)
    monkeypatch.setattr(batches, "CANCELLING", timedelta(seconds=0.2))
    monkeypatch.setattr(gemini_module.Gemini, "cancel_job", _no_cancel)
    engine.load_samples(2)
    engine.fault("stuck_running")

    with pytest.raises(SlicesFailedError, match="does not let itself be cancelled"):
        engine.run()

    assert engine.calls(CREATE) == 1
    assert engine.slices()[0]["state"] == "submitted"


def test_an_unknown_state_is_waited_out(engine: Engine) -> None:
    engine.load_samples(3)
    engine.set(run_seconds=0.5)
    engine.fault("unknown_state", times=1)

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1


def test_partial_success_is_success(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault("partially_succeeded", times=1)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 3}


def test_success_before_the_output_exists_is_waited_for(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault("output_late", times=1, output_after=0.7)

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1


def test_an_output_that_never_appears_is_paid_for_and_never_asked_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, job_deadline_seconds=0.5)
    engine.load_samples(3)
    engine.fault("output_late", times=1, output_after=HOUR)

    with pytest.raises(SlicesFailedError, match="its output has not appeared"):
        engine.run()
    engine.advance(2 * HOUR)
    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1
    assert engine.ends() == {"written": 3}


def test_a_truncated_download_is_fetched_again(engine: Engine) -> None:
    engine.load_samples(8)
    engine.fault("truncated_download", times=2)

    engine.summary()

    engine.check()
    assert engine.calls("files.download") == 3
    assert engine.ends() == {"written": 8}


@pytest.mark.parametrize(
    ("content", "whole"),
    [
        (b"", True),
        (b'{"key": "a"}\n', True),
        (b'{"key": "a"}', True),
        (b'{"key": "a"}\r\n\n \n', True),
        (b'{"key": "a"}\n{"ke', False),
    ],
)
def test_a_file_that_ends_within_a_line_is_not_whole(
    tmp_path: Path, content: bytes, *, whole: bool
) -> None:
    path = tmp_path / "output"
    path.write_bytes(content)

    assert fetching._ends_whole(path) is whole


def test_a_slow_download_is_waited_for(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault("slow_download", times=1, seconds=0.5)

    engine.summary()

    engine.check()


@pytest.mark.parametrize("fault", ["error_429", "error_500", "error_503", "html_error", "drop"])
def test_a_passing_refusal_of_any_other_call_does_not_matter(engine: Engine, fault: str) -> None:
    engine.load_samples(2)
    for method in ("files.upload", "batches.get", "files.download", "batches.delete"):
        engine.fault(fault, times=1, match={"method": method})

    engine.summary()

    engine.check()
    assert engine.calls(CREATE) == 1


def test_what_cannot_be_deleted_afterwards_changes_nothing(engine: Engine) -> None:
    engine.load_samples(2)
    for method in ("batches.delete", "files.delete"):
        engine.fault("error", code=403, message="No.", match={"method": method})

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 2}


def test_a_job_that_answers_404_soon_after_its_creation_is_given_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, recreate_after_seconds=30)
    engine.load_samples(3)
    engine.fault("error", match={"method": "batches.get"}, code=404, message="Not found.", times=3)

    engine.summary()

    engine.check()
    assert engine.ends() == {"written": 3}
    assert engine.calls(CREATE) == 1
    assert engine.calls("batches.get") > 3


def test_a_job_that_cannot_be_seen_any_more_is_never_asked_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(3)
    engine.fault("stuck_running")
    engine.at_event("poll", _change_key, monkeypatch)

    with pytest.raises(SlicesFailedError, match=r"cannot be seen with this API key.*key was chang"):
        engine.run()
    with pytest.raises(SlicesFailedError, match="cannot be seen"):
        engine.run()

    assert [row["state"] for row in engine.slices()] == [SliceState.SUBMITTED]
    assert engine.calls(CREATE) == 1


def test_the_same_file_read_twice_changes_nothing(engine: Engine) -> None:
    from tasks.writing.ingest import ingest_slice

    engine.load_samples(4)
    engine.summary()
    rows, [only] = engine.rows(), engine.slices()

    again = ingest_slice(only["slice_id"], None)

    assert engine.rows() == rows
    assert again.written == 4


def _change_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "other-project-key")
    forget_settings()


def _no_cancel(client: gemini_module.Gemini, name: str) -> None:
    """Stand for a service that takes note of a cancellation and does nothing."""
