"""The script against two emulators: one stands for the service, the other is its own."""

from collections import Counter

import pytest
from conformance_hand import KEY, Round

from deployments.conformance import costs
from deployments.conformance.__main__ import main
from deployments.conformance.jobs import JOBS


def test_an_emulator_does_not_differ_from_itself_and_nothing_is_left(one: Round) -> None:
    assert one.start("--yes", "1") == 0

    said = one.collected()

    assert "no difference" in said
    assert one.record().unseen == {}
    assert one.there("batches", "operations") == []
    assert one.there("files", "files") == []
    assert all(KEY not in file.read_text() for file in one.place.iterdir())
    assert KEY not in said


def test_what_a_service_does_otherwise_is_told_with_its_path_and_both_sides(one: Round) -> None:
    one.fault("unknown_state", match={"display_name": "cancelled"})
    one.fault("error", code=418, message="no tea", match={"method": "models.countTokens"}, times=1)
    one.fault("no_usage", match={"key": "plain"})
    one.fault("missing_line", match={"key": "hot"})
    assert one.start("--yes", "1") == 0

    said = one.collected()

    assert "HTTP: the service says 418, the emulator says 200" in said
    state = "body.metadata.state: the service says BATCH_STATE_PAUSED, the emulator says BATCH_"
    assert f"job cancelled: created\n  POST v1beta/models/{one.record().model}" in said
    assert state in said
    assert "body.response.usageMetadata: the service says nothing, the emulator says object" in said
    assert "job lines in error: line hot" in said
    assert "no tea" not in said
    assert (one.place / "differences.txt").read_text() in said
    assert all(name not in said for name in one.record().jobs.values())


def test_jobs_that_have_not_ended_are_named_in_one_sentence(one: Round) -> None:
    one.fault("slow_job", match={"display_name": "good"})
    assert one.start("--yes", "1") == 0
    one.said.readouterr()

    code = one.collect()

    said = one.said.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.startswith("These jobs have not ended: good")
    assert said.err.endswith("Come back later.\n")


def test_an_interrupted_start_finds_the_job_that_it_made(one: Round) -> None:
    one.fault("create_then_drop", times=1)
    one.fault("error_429", match={"method": "models.countTokens"}, times=1)

    assert one.start("--yes", "1") == 1
    assert "run the same command again" in one.said.readouterr().err
    assert one.record().unseen == {"countTokens": "answered 429"}
    assert one.start("--yes", "1") == 0

    named = Counter(job["metadata"]["displayName"] for job in one.there("batches", "operations"))
    assert set(named.values()) == {1}
    assert len(named) == len(one.record().jobs)
    assert one.record().unseen == {"job good: created": "the answer was lost"}


def test_jobs_without_quota_are_asked_by_another_start(one: Round) -> None:
    one.fault("create_quota", times=1, match={"body": "-good"})
    assert one.start("--yes", "1") == 0
    assert one.record().unseen == {"job good: created": "answered 429"}
    assert "Not seen: job good: created (answered 429)" in one.said.readouterr().out

    assert one.start("--yes", "1") == 0

    assert one.record().unseen == {}
    assert "good" in one.record().jobs


def test_what_it_costs_is_said_first_and_without_a_yes_nothing_is_asked(one: Round) -> None:
    assert one.start() == 1

    said = one.said.readouterr()
    assert all(f"batch job: {job.name}" in said.out for job in JOBS)
    assert "at most, all together" in said.out
    assert "YES=1" in said.err
    assert one.own("calls") == {}
    assert not one.place.exists()


def test_a_round_costs_less_than_five_cents(one: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one.start() == 1
    total = float(one.said.readouterr().out.splitlines()[-1].split()[0])
    assert 0 < total < 0.05

    monkeypatch.setattr(costs, "MOST_USD", total / 2)
    assert one.start("--yes", "1") == 1

    assert "choose a cheaper MODEL" in one.said.readouterr().err
    assert one.own("calls") == {}


def test_a_round_is_collected_after_it_was_started(one: Round) -> None:
    assert one.collect() == 1

    assert "make conformance-start first" in one.said.readouterr().err


def test_a_key_is_asked_for(one: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY")

    assert main(["start", "--place", str(one.place)]) == 1

    assert "export GEMINI_API_KEY" in one.said.readouterr().err
