"""From a changed prompt to another version for readers, and back, and how it looks on the way."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from test_prefect_ui import SETTLE_MS, UIS, start, until

from deployments.local.stack import Stack
from tasks.adapters.postgres import connect

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]
NAME, FIRST, SECOND = "passage_concepts", "gemini_batch_v1", "gemini_batch_v2"
PROMPT = (
    "Name the concepts that the text is about, the rarest first, each with the words that show it."
)
SHOWN = ("try", "compare", "explain")
"""The pages of which docs/ has a picture."""

PAGES = ("try", "compare", "qc", "review", "promote", "explain")


@pytest.fixture(scope="module")
def site(session_dir: Path) -> Path:
    """Return a site file with nothing in it yet."""
    folder = session_dir / "site"
    folder.mkdir()
    file = folder / "backfills.toml"
    file.write_text("")
    return file


@pytest.fixture(scope="module")
def plain_environment(plain_environment: dict[str, str], site: Path) -> dict[str, str]:
    """Return the environment of a stack that reads this site file."""
    here = {"BACKFILL_SITE_FILE": str(site), "BACKFILL_FILES_ROOT": str(site.parent)}
    return {**plain_environment, **here}


def judged(file: Path) -> tuple[Path, str]:
    """Judge the rows of a review, the first one wrong; return the file, and that row's target."""
    with file.open(newline="") as lines:
        first, *others = csv.DictReader(lines)
    first |= {"verdict": "wrong", "corrected_concept_name": "by_hand", "comment": "too broad"}
    done = file.with_name("judged.csv")
    with done.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, first)
        writer.writeheader()
        writer.writerows([first, *(each | {"verdict": "right"} for each in others)])
    return done, first["target_id"]


def test_a_changed_prompt_becomes_the_readers_version_and_they_get_the_first_one_back(
    enter: Callable[[str], "Page"],
    api: httpx.Client,
    with_passages: Stack,
    site: Path,
    pictures: Path,
) -> None:
    def ran(deployment: str, name: str, **parameters: Any) -> str:
        state = until(api, start(api, deployment, **parameters), name)
        assert state["name"] == name, state
        return str(state["message"])

    def readers() -> str:
        with connect(environment["BACKFILL_DATABASE_URL"]) as connection:
            row = connection.execute("select extractor_version from backfill.promoted").fetchone()
        return str(row and row["extractor_version"])

    environment = with_passages.environment()
    ran("backfill/full", "Completed", approve_up_to_usd=5, without_pilot=True)
    assert "Nothing was written." in ran("try/rows", "Tried", prompt=PROMPT, count=3)
    saved = subprocess.run(
        [sys.executable, "-m", "deployments.save_prompt", NAME],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    section, *lines = saved.stdout.splitlines()[1:]
    compared = ran(
        "compare/versions",
        "Compared",
        candidate_lines="\n".join(lines),
        targets=20,
        approve_up_to_usd=2,
    )
    assert f"of {FIRST} and {SECOND} fails" in compared or "less often than" in compared
    site.write_text("\n".join([section, *lines]))
    ran("backfill/pilot", "Completed", limit=60, approve_up_to_usd=5)
    said = ran("backfill/full", "Completed", approve_up_to_usd=5)
    assert said.startswith("220 targets: "), "60 of the pilot and 20 of the comparison are kept"
    sampled = ran("review/sample", "Sampled", targets=10)
    [file] = re.findall(r"fill in (\S+\.csv) ", sampled)
    done, target_id = judged(Path(file))
    taken = ran("review/verdicts", "Taken", csv_in=str(done))
    assert "1 wrong and corrected" in taken
    assert f"{SECOND}: " in taken
    yes = {"by": "Ada", "dry_run": False, "accept_gaps": True}
    ran("promote/version", "Promoted", extractor_version=SECOND, reason="rarer names", **yes)
    assert readers() == SECOND
    ran("explain/row", "Explained", target_id=target_id)
    over = look_at(enter, api, pictures, site.parent)
    ran("promote/version", "Promoted", extractor_version=FIRST, reason="on second thought", **yes)
    assert readers() == FIRST
    found = api.get("/artifacts/passage-concepts-explain/latest").json()["data"]
    assert "| Corrected by a person since | yes |" in found
    assert over == []


def look_at(
    enter: Callable[[str], "Page"], api: httpx.Client, pictures: Path, others: Path
) -> list[tuple[str, str, int]]:
    """Take pictures of pages in both UIs at both widths; return those that run over theirs."""
    over = []
    beyond = "e => e.scrollWidth - e.clientWidth"
    for ui in UIS:
        page = enter(ui)
        for kind in PAGES:
            key = {
                "artifacts": {"key": {"any_": [f"passage-concepts-{kind}"]}},
                "sort": "CREATED_DESC",
            }
            found = api.post("/artifacts/filter", json=key).raise_for_status().json()[0]
            page.set_viewport_size({"width": 1400, "height": 1100})
            page.goto(f"artifacts/artifact/{found['id']}")
            title = found["data"].strip().splitlines()[0].removeprefix("# ").replace("\\", "")
            page.get_by_role("heading", name=title).first.wait_for()
            for width in (1400, 800):
                page.set_viewport_size({"width": width, "height": 1100})
                page.wait_for_timeout(SETTLE_MS)
                is_shown = kind in SHOWN and (ui, width) == (UIS[0], 800)
                other = others / f"{kind}-{ui}-{width}.png"
                page.screenshot(path=pictures / f"{kind}.png" if is_shown else other)
                parts = page.locator("pre, table, html").all()
                if any(each.evaluate(beyond) > 1 for each in parts):
                    over.append((ui, kind, width))
    return over
