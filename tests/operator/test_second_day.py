"""An operator's second day: what docs/operating.md has in its table, typed in order in one place.

What is not here other tests show, as the table says.
"""

import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from day_hand import Day, copied, dollars, flow_run, run_of

from deployments.local import prefect_api
from deployments.local.sample_documents import make_tree

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PASSAGES, CHUNKS, ADVERTS = "passage_concepts", "chunk_concepts", "job_enrichment"
REVIEWS = """
create table reviews (review_id bigint primary key, title text, body text);
insert into reviews
select 9000000000 + n, 'Parcel ' || n, 'It came late, and the lid of box ' || n || ' was broken.'
from generate_series(1, 30) as n;
"""
NEXT_VERSION = f'[{CHUNKS}]\nextractor_version = "gemini_batch_v9"\n'
SECONDS_TO_NOTICE = 5.0
SECONDS_A_REQUEST = 4.0  # at the pace of a free key, 15 in a minute


@pytest.fixture(scope="module")
def day(session_dir: Path) -> Iterator[Day]:
    """Yield a copy of the project in which `make up` was typed, and nothing before it."""
    mine = copied(session_dir / "day")
    try:
        mine.up = mine.does("make up", joined=False)
        yield mine
    finally:
        mine.types("make down", joined=False)


def test_make_up_says_what_to_open_and_what_it_says_to_try_is_a_pilot(day: Day) -> None:
    [page, command] = re.findall(r"^Open (\S+) in a browser, and try: (.+)$", day.up, re.MULTILINE)[
        0
    ]

    words = day.does(command, joined=False)

    assert "Sample data to try everything on: passages, code_chunks, jobs_enriched, " in day.up
    assert f"Prefect UI: {page}, which asks a browser once for admin:" in day.up
    assert "Completed: 200 targets: " in words
    assert "Reports: " in words
    assert f"All of it: {page}/runs/flow-run/" in words


def test_after_source_every_command_and_deployment_of_readme_is_there(day: Day) -> None:
    readme = (day.place / "README.md").read_text(encoding="utf-8")
    made = sorted(set(re.findall(r"(?:^ {4}|`)make ([a-z_-]+)", readme, re.MULTILINE)))
    named = re.findall(r"`([a-z]+/[a-z-]+)`", readme.split("## Deployments")[1])

    found = day.does("command -v prefect")
    day.does(f"make --dry-run NAME=x {' '.join(made)}")
    day.does("python -m deployments.run --help")
    listed = day.does("prefect deployment ls")

    assert found.strip().endswith("/.venv/bin/prefect")
    assert len(made) > 8
    assert not [each for each in named if each not in listed]


def test_a_dry_run_says_what_the_same_rows_then_cost_and_a_limit_is_a_limit(day: Day) -> None:
    some: dict[str, Any] = {"name": PASSAGES, "limit": 80}

    looked = day.follows("backfill/full", **some, dry_run="true")
    ran = day.follows("backfill/full", **some, approve_up_to_usd=1)

    [said] = re.findall(r"80 targets would be asked .* for about ([0-9.]+) USD", looked)[:1]
    assert "Completed: 80 targets: " in ran
    assert dollars(ran) == pytest.approx(float(said), rel=0.1)


def test_a_pilot_below_fifty_rows_is_none_and_the_run_that_wants_one_says_so(day: Day) -> None:
    small = day.follows("backfill/pilot", name=CHUNKS, limit=8)
    refused = day.types(run_of("backfill/full", name=CHUNKS, approve_up_to_usd=1))

    assert "As a pilot it is too small: ask 50 rows or more." in small
    assert refused.code == 1
    assert f"Failed: Run backfill/pilot for {CHUNKS} first" in refused.words


def test_a_paused_backfill_sends_nothing_and_goes_on_by_itself_when_resumed(day: Day) -> None:
    pause = "prefect deployment run stop/{} --param name=passage_concepts --watch"

    day.does(pause.format("pause"))
    jobs = day.jobs()
    run = run_of("backfill/full", name=PASSAGES, limit=10, approve_up_to_usd=1)
    with day.typed(run) as process:
        day.until(lambda: "Paused by a person since" in notes(day))
        status = day.does("make gemini_backfill_status")
        sent = day.jobs()
        day.does(pause.format("resume"))
        words, _ = process.communicate()

    assert sent == jobs
    assert f"{PASSAGES}.gemini_batch_v1.paused_since 20" in status
    assert " 10 targets: 10 written" in words  # so few may miss a gate


def test_cancel_is_noticed_within_seconds_and_says_what_to_do_next(day: Day) -> None:
    words, waited = stopped(day, "prefect flow-run cancel {}", PASSAGES)
    jobs = day.jobs()
    day.jobs_take(0.5)
    _, again = day.types(run_of("backfill/full", name=PASSAGES, approve_up_to_usd=1, limit=10))

    assert waited < SECONDS_TO_NOTICE
    # The state's message is Prefect's own; what to do next is the run's last line.
    assert "It was stopped; run again to go on and collect the 1 jobs in flight" in words
    assert " 10 targets: 10 written" in again
    assert day.jobs() == jobs


def test_jobs_of_a_version_that_is_named_no_more_are_shown_and_can_be_cancelled(day: Day) -> None:
    stopped(day, "prefect deployment run stop/now --param name=chunk_concepts --watch", CHUNKS)
    site = day.place / "backfills.toml"
    site.write_text(NEXT_VERSION)

    status = day.follows("status/progress")
    cancelled = day.follows("stop/now", name=CHUNKS, cancel_jobs="true")
    site.unlink()
    day.jobs_take(0.5)

    assert "1 batch jobs were sent under gemini_batch_v1 and are in flight" in status
    assert "1 jobs cancelled" in cancelled


def test_songs_go_into_a_csv_of_the_same_dialect_without_a_pilot(day: Day) -> None:
    samples = day.place / ".local" / "samples"
    with (samples / "songs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[:31]
    with (samples / "mine.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";", lineterminator="\r\n").writerows(rows)
    files = {"csv_in": samples / "mine.csv", "csv_out": samples / "mine-enriched.csv"}

    day.follows("backfill/songs", **files, approve_up_to_usd=1)
    again = day.follows("backfill/songs", **files)

    text = files["csv_out"].read_bytes().decode("utf-8")
    assert text.startswith("\ufeff" + ";".join(rows[0]) + ";ai_status;")
    assert text.count("\n") == text.count("\r\n") >= 31
    with files["csv_out"].open(encoding="utf-8-sig", newline="") as file:
        out = list(csv.reader(file, delimiter=";"))
    assert [row[: len(rows[0])] for row in out] == rows
    assert "Completed: Nothing to do." in again


def test_rows_that_are_asked_at_once_are_asked_at_the_rate_of_the_key(day: Day) -> None:
    began = time.monotonic()

    words = day.follows("backfill/pilot", name=ADVERTS, limit=50, transport="interactive")

    assert time.monotonic() - began < 50 * SECONDS_A_REQUEST / 2
    assert "Completed: 50 targets: " in words


def test_a_backfill_of_the_users_own_is_drafted_deployed_and_run(day: Day) -> None:
    day.sql(REVIEWS)
    before = (day.place / "prefect.yaml").read_bytes()
    songs, schedule = scheduled(day)
    with prefect_api.client(day.stack.environment()) as api:
        path = f"/deployments/{songs['id']}/schedules/{schedule['id']}"
        api.patch(path, json={"active": True}).raise_for_status()

    day.does(
        "make new NAME=review_tones TABLE=reviews ID=review_id TEXT='{title}: {body}'"
        " WRITE=1 CREATE=1"
    )
    day.does("make deploy")
    listed = day.does("prefect deployment ls")
    words = day.follows("backfill/incremental-review-tones", without_pilot="true")

    assert "backfill/incremental-review-tones" in listed
    assert (day.place / "prefect.yaml").read_bytes() == before
    assert "Completed: 30 targets: " in words


def test_deploying_again_leaves_a_schedule_on_and_prefect_deploy_all_works(day: Day) -> None:
    day.does("prefect --no-prompt deploy --all")
    songs, schedule = scheduled(day)

    assert songs["parameters"]["csv_in"] == "songs.csv"
    assert schedule["active"], "make deploy, one test before this, switched it off"


def test_every_backfill_is_in_status_and_ones_own_is_audited_verified_and_exported(
    day: Day,
) -> None:
    mine: dict[str, Any] = {"name": "review_tones"}

    status = day.does("make gemini_backfill_status")
    audit, verified, exported = day.follows_all(
        ("audit/daily", {}),
        ("verify/embeddings", mine),
        ("export/concepts", mine),
    )

    for name in (PASSAGES, CHUNKS, ADVERTS, "songs", "review_tones"):
        assert re.search(rf"^{name}\.\S+\.targets [1-9]", status, re.MULTILINE), status
    assert "Completed: " in audit
    assert re.search(r"^Completed: [\d,]+ of [\d,]+ rows hold ", verified, re.MULTILINE), verified
    sent = r"^Completed: [1-9][\d,]* rows of review_tones in "
    assert re.search(sent, exported, re.MULTILINE), exported


def test_what_was_written_is_taken_back_counted_and_written_again_for_nothing(day: Day) -> None:
    mine: dict[str, Any] = {"name": "review_tones", "dry_run": "false"}
    [before] = day.sql("select count(*) from review_tones")

    taken = day.follows("rollback/written", **mine)
    [none] = day.sql("select count(*) from review_tones")
    back = day.follows("restore/withdrawn", **mine)
    [after] = day.sql("select count(*) from review_tones")

    assert f"{before['count']} rows of " in taken
    assert (none["count"], after["count"]) == (0, before["count"])
    assert "30 targets of review_tones" in back


def test_an_import_of_documents_ends_with_a_sentence(day: Day) -> None:
    tree = day.place / ".local" / "documents"
    make_tree(tree, 6)

    words = day.follows("documents/index", data_root=tree)

    assert re.search(r"^Completed: Run main: of \d+ CSV rows \d+ have", words, re.MULTILINE), words


def test_the_table_of_the_day_has_twenty_tasks_and_names_tests_that_are_there() -> None:
    root = Path(__file__).parents[1]
    page = (root.parent / "docs" / "operating.md").read_text(encoding="utf-8")
    table = page.split("## Twenty tasks of a day")[1].split("\n## ")[0]

    rows = re.findall(r"^\| (\d+) .*\|$", table, re.MULTILINE)
    tests = re.findall(r"`(\w+/test_\w+)::(test_\w+)`", table)

    assert rows == [str(number) for number in range(1, 21)]
    assert len(tests) >= len(rows)
    for file, test in tests:
        assert f"def {test}(" in (root / f"{file}.py").read_text(encoding="utf-8"), test


def notes(day: Day) -> str:
    return " ".join(row["notes"] or "" for row in day.sql("select notes from kb_migrations"))


def stopped(day: Day, command: str, name: str) -> tuple[str, float]:
    """Stop a run that has a job in flight; return its terminal's words, and how long it took."""
    day.jobs_take(3600)
    fields = {"name": name, "limit": 10, "approve_up_to_usd": 1, "without_pilot": "true"}
    with day.typed(run_of("backfill/full", **fields)) as process:
        assert process.stdout
        first = process.stdout.readline()
        day.until(lambda: day.in_flight(name))
        day.does(command.format(flow_run(first)))
        waited = day.until(lambda: "to go on" in notes(day))
        rest, _ = process.communicate()
    return first + rest, waited


def scheduled(day: Day) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the incremental run of songs as it is deployed, and its schedule."""
    with prefect_api.client(day.stack.environment()) as api:
        path = "/deployments/name/backfill/incremental-songs"
        found: dict[str, Any] = api.get(path).raise_for_status().json()
    return found, found["schedules"][0]
