"""What answers cost, to the token: cached ones at their own rate, searches by their number."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, Engine, configure
from songs_hand import generated, read_csv, sample, write_csv

import tasks.planning.pricing
from tasks import backfills
from tasks.adapters.reference import models, today
from tasks.core.backfill import DEFAULT_MODEL
from tasks.planning.estimate import estimate_page
from tasks.planning.pricing import Workload, estimated
from tasks.slices.requests import request_bytes

PRICE = models().find(DEFAULT_MODEL).price_on(today())
PLAIN = ("plain", "batch", 1)
WORK: dict[str, Any] = {
    "targets": 538_865,
    "slices": 108,
    "transport": "batch",
    "request_bytes": 0,
    "guessed_input_tokens": 0,
    "input_tokens": 600.0,
    "output_tokens": 500.0,
    "searches": 0.0,
    "source": "a test",
    "job_hours": 4.4,
}


def test_cached_tokens_are_paid_at_their_own_rate(engine: Engine) -> None:
    engine.load_samples(40)
    engine.fault("cached")

    engine.summary()

    engine.check()
    [whole] = engine.sql(
        "select sum(input_tokens)::int as tokens_in, sum(output_tokens)::int as tokens_out,"
        " sum(cost_usd)::float as usd from backfill.slices where transport = 'batch'"
    )
    cached = whole["tokens_in"] / 2
    usd = PRICE.usd(whole["tokens_in"], whole["tokens_out"], "batch", cached_tokens=cached)
    assert whole["usd"] == pytest.approx(usd, rel=1e-3)


def test_searches_are_in_the_estimate_and_in_what_was_paid_and_go_with_a_schema(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "backfills.toml"
    site.write_text('[songs]\ngoogle_search = true\nextractor_version = "searching_v1"\n')
    configure(monkeypatch, site_file=site)
    path, out = write_csv(tmp_path / "songs.csv", sample(30)), tmp_path / "out.csv"

    said = engine.summary(name="songs", csv_in=str(path), csv_out=str(out))

    whole = estimated(backfills.get("songs"), Workload(**WORK | {"searches": 1.0}))
    dearest = estimate_page("songs", whole, 0.0).splitlines()[5]
    assert dearest == "| 538,865 searches, 14 USD per 1,000 | 7,544.1100 USD |"
    assert said.startswith("30 targets: 30 written")
    _, rows = read_csv(out)
    assert {row[0] for row in generated(rows)} <= {"SUCCESS", "HUMAN_REVIEW"}
    [run] = engine.sql("select estimated_usd::float as usd from backfill.runs where kind = 'full'")
    assert run["usd"] > 30 * PRICE.search / 1000
    [paid] = engine.sql(
        "select sum(cost_usd)::float as usd, sum((measures ->> 'searches')::int) as searches,"
        " sum(input_tokens)::int as tokens_in, sum(output_tokens)::int as tokens_out"
        " from backfill.slices where transport = 'batch'"
    )
    assert paid["searches"] >= 28
    assert paid["usd"] == pytest.approx(
        PRICE.usd(paid["tokens_in"], paid["tokens_out"], "batch", searches=paid["searches"])
    )
    for key in engine.billed():
        for asked in engine.http.get(f"/requests/{key}").json()["requests"]:
            assert asked["request"]["tools"] == [{"googleSearch": {}}]
            assert asked["request"]["generationConfig"]["responseSchema"]["type"] == "OBJECT"


def test_a_run_across_the_turn_of_the_year_is_estimated_across_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks.planning.pricing, "today", lambda: date(2026, 12, 30))
    monkeypatch.delenv("BACKFILL_TIER", raising=False)
    backfill = replace(backfills.declared()[NAME], model="gemini-3.8-flash")

    whole = estimated(backfill, Workload(**WORK))

    cheap, dear = models().find("gemini-3.8-flash").prices
    assert whole.days is not None
    share = (whole.days - 2) / whole.days
    assert 0.8 < share < 1
    assert whole.price.batch_output == pytest.approx(
        (1 - share) * cheap.batch_output + share * dear.batch_output
    )
    [note] = [note for note in whole.notes if "2027-01-01" in note]
    assert "costs 0.75 USD in and 3.75 out per million tokens in batch" in note


def test_three_living_models_stand_side_by_side_with_dollars_and_days() -> None:
    whole = estimated(backfills.declared()[NAME], Workload(**WORK))

    names = [offer.model for offer in whole.offers]
    assert names[0] == DEFAULT_MODEL
    assert len(set(names)) == 3
    assert all(models().find(name).new_keys for name in names)
    first, second, third = (each for each in whole.offers if each.way == PLAIN)
    assert first.usd == pytest.approx(whole.usd("batch"))
    assert second.usd <= third.usd
    assert first.days == pytest.approx(538_865 * 600 / 10_000_000 * 4.4 / 24)
    assert third.days
    assert third.days > first.days


def test_the_wires_and_prices_stand_beside_each_other_with_all_that_they_send() -> None:
    declared = backfills.declared()
    plain, diet = declared[NAME], replace(declared[NAME], wire="diet")
    whole = estimated(plain, Workload(**WORK | {"output_tokens": 475.0}))

    ours = [each for each in whole.offers if each.model == plain.model]

    first, fives, tens, dear, slim, _, _, slim_and_dear = ours
    assert [each.way for each in ours] == [
        PLAIN,
        ("plain", "batch", 5),
        ("plain", "batch", 10),
        ("plain", "interactive", 1),
        ("diet", "batch", 1),
        ("diet", "batch", 5),
        ("diet", "batch", 10),
        ("diet", "interactive", 1),
    ]
    assert first.usd > fives.usd > tens.usd
    assert first.days > 1.5 * fives.days
    assert first.output_tokens == pytest.approx(538_865 * 475)
    assert slim.output_tokens == pytest.approx(538_865 * 325)
    assert (dear.usd, slim_and_dear.usd) == (2 * first.usd, 2 * slim.usd)
    assert (dear.days, slim.days) == (None, first.days)
    sent = request_bytes(diet) - request_bytes(plain)
    assert slim.upload_bytes - first.upload_bytes == 538_865 * sent
    assert {each.quality for each in whole.offers} == {"not measured"}
    on_diet = estimated(diet, Workload(**WORK | {"output_tokens": 325.0}))
    assert on_diet.offers[0].way == ("diet", "batch", 1)
    assert on_diet.offers[0].usd == pytest.approx(slim.usd)
    songs = estimated(declared["songs"], Workload(**WORK))
    assert {each.wire for each in songs.offers} == {"plain"}
    together = replace(plain, rows_per_request=5)
    asked = {"input_tokens": fives.input_tokens / 538_865, "output_tokens": 495.0, "rows": 5}
    again = estimated(together, Workload(**WORK | asked))
    assert again.offers[0].way == fives.way
    assert again.offers[0].usd == pytest.approx(fives.usd) == pytest.approx(again.usd("batch"))
    assert again.usd("interactive") == pytest.approx(dear.usd)
    searching = replace(declared["songs"], google_search=True)
    assert {each.rows for each in estimated(searching, Workload(**WORK)).offers} == {1}
