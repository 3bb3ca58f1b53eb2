"""What is said before money is spent, beside what the same rows of the demo's world then cost."""

import csv
from pathlib import Path
from typing import Any

import pytest
from engine_hand import Engine, configure

from deployments.local.sample_songs import HEADER, songs
from deployments.local.samples import PASSAGES, _samples
from tasks.adapters.postgres import connect
from tasks.core.money import Transport
from tasks.planning.dry_run import look
from tasks.planning.plan import PlanOptions

ROWS = 75
ASKED = {"job_enrichment": 58, "passage_concepts": 120}
"""There are no more adverts for two runs, and lengths of passages even out late."""
BACKFILLS = ("passage_concepts", "chunk_concepts", "job_enrichment", "songs")
DIET, TOGETHER = 'wire = "diet"', "rows_per_request = 5"
CHEAPER = (
    ("passage_concepts", DIET),
    ("chunk_concepts", DIET),
    ("passage_concepts", TOGETHER),
    ("job_enrichment", TOGETHER),
    ("songs", TOGETHER),
)


@pytest.fixture
def demo(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Return an engine over the demo's tables and songs, with the demo's everyday trouble."""
    configure(monkeypatch, requests_per_minute=100_000, tokens_per_minute=1_000_000_000)
    engine.set(trouble=1.0)
    with connect() as connection:
        for sample in _samples(PASSAGES):
            sample.load(connection)
    with (tmp_path / "songs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *songs(2 * ROWS)])
    return engine


def said_and_paid(
    demo: Engine, name: str, how: Transport, limit: int, options: dict[str, str]
) -> tuple[float, float, float]:
    """Return what a dry run says of so many rows, what their run says, and what they cost."""
    planned = PlanOptions.of("full", limit, 5000, fresh=False, csv_in=options.get("csv_in", ""))
    dry = look(name, planned, how).estimate.usd()
    demo.summary(name=name, transport=how, limit=limit, **options)
    [run] = demo.sql(
        "select run_id, estimated_usd from backfill.runs where backfill = %(name)s"
        " order by started_at desc limit 1",
        name=name,
    )
    [paid] = demo.sql(
        "select sum(cost_usd) as usd from backfill.slices where run_id = %(run)s", run=run["run_id"]
    )
    return dry, float(run["estimated_usd"]), float(paid["usd"])


@pytest.mark.parametrize("name", BACKFILLS)
def test_an_estimate_is_within_a_tenth_of_what_the_rows_cost(
    name: str, demo: Engine, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"csv_in": str(tmp_path / "songs.csv")} if name == "songs" else {}
    rows = ASKED.get(name, ROWS)

    found = {how: said_and_paid(demo, name, how, rows, options) for how in ("batch", "interactive")}

    for how, (dry, said, paid) in found.items():
        assert dry == pytest.approx(paid, rel=0.1), how
        assert said == pytest.approx(paid, rel=0.1), how


@pytest.mark.parametrize(("name", "line"), CHEAPER)
def test_an_estimate_of_a_cheaper_way_is_as_near(
    name: str, line: str, demo: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "backfills.toml"
    site.write_text(f"[{name}]\n{line}\n")
    configure(monkeypatch, site_file=site)
    options = {"csv_in": str(tmp_path / "songs.csv")} if name == "songs" else {}
    if line == TOGETHER:  # of 15 requests one more or less that has to be asked again is a third
        demo.set(trouble=0.0)

    dry, said, paid = said_and_paid(demo, name, "batch", ROWS, options)

    assert (dry, said) == pytest.approx((paid, paid), rel=0.1)
