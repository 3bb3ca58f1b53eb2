"""Jobs that were in flight when the site began to name another version: never stranded."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from engine_hand import NAME, VERSION, Engine, forget_settings

from tasks import backfills
from tasks.adapters import status
from tasks.reports import audit
from tasks.reports.status import sentence
from tasks.slices import batch, submission
from tasks.undo import stop

NEWER = "gemini_batch_v2"


@pytest.fixture
def name_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what lets the site name a version."""
    file = tmp_path / "backfills.toml"
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(file))

    def name(version: str, more: str = "") -> None:
        file.write_text(f'[{NAME}]\nextractor_version = "{version}"\n{more}\n')
        forget_settings()
        backfills.forget_site()

    name(VERSION)
    return name


def send(engine: Engine) -> str:
    """Bring five rows into flight; return their slice."""
    engine.load_samples(5)
    [slice_id] = engine.plan()
    submission.submit(slice_id, batch.upload.directly(batch.build.directly(slice_id)).name, None)
    return slice_id


@pytest.mark.parametrize("more", ["", "rows_per_request = 5"])
def test_their_answers_are_kept_under_their_own_version_and_written_once_it_is_named_again(
    engine: Engine, name_version: Callable[..., None], more: str
) -> None:
    name_version(VERSION, more)
    slice_id = send(engine)
    engine.at_rest()

    name_version(NEWER)
    found = audit.look("3", timedelta(hours=1)).findings
    shown = [sentence(each) for each in status.read().backfills]
    said = engine.summary()

    for one in (" ".join(found), " ".join(shown)):
        assert f"1 batch jobs were sent under {VERSION} and are in flight" in one
    assert said.startswith("5 targets: 5 written")
    assert engine.slice(slice_id).state == "done"
    assert engine.slice(slice_id).cost_usd > 0
    assert engine.rows() == []
    assert engine.sql(
        "select extractor_version, count(*) from backfill.questions where block_id is not null"
        " and backfill = %(name)s group by 1 order by 1",
        name=NAME,
    ) == [{"extractor_version": version, "count": 5} for version in (VERSION, NEWER)]
    billed = engine.billed()

    name_version(VERSION)
    again = engine.summary()

    assert "5 restored from kept answers" in again
    assert len({row["row"]["passage_id"] for row in engine.rows()}) == 5
    assert engine.billed() == billed


def test_stop_cancels_them_and_one_that_flies_on_waits_for_the_next_run(
    engine: Engine, name_version: Callable[[str], None]
) -> None:
    engine.fault("slow_job", times=1, params={"run_seconds": 3600})
    slice_id = send(engine)

    name_version(NEWER)
    engine.summary()
    left = asyncio.run(stop.cancel_in_flight.fn(NAME, really=False))
    flying = engine.slice(slice_id).state
    cancelled = asyncio.run(stop.cancel_in_flight.fn(NAME, really=True))
    name_version(VERSION)
    engine.summary()

    assert (left.left, flying) == (1, "submitted")
    assert (cancelled.cancelled, cancelled.left) == (1, 0)
    assert engine.slice(slice_id).state == "failed"
    assert len({row["row"]["passage_id"] for row in engine.rows()}) == 5
    assert set(engine.billed().values()) == {1}
