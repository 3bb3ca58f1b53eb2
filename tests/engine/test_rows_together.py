"""Several rows in one request: each target gets its own answer, and the bill is the ledger's."""

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from engine_hand import NAME, Engine, configure
from run_and_be_killed import run_and_kill
from songs_hand import generated, read_csv, sample, write_csv

from tasks.adapters.reference import usd_of
from tasks.core.packing import keys_in
from tasks.core.responses import Usage

SYLLABLES = ("ba", "ke", "li", "mo", "nu", "pra", "ste", "thi", "vo", "zu")
TOGETHER = ("crossed", "left_out")
DIET, FIVE = 'wire = "diet"', "rows_per_request = 5"
EARLIER = "not starts_with(slice_id, 'earlier-')"


def own_text(number: int) -> str:
    """Return a passage whose words no other one has in their order."""
    chance = Random(number)
    words = ("".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(60))
    return f"{' '.join(words).capitalize()}."


def say(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, *lines: str) -> None:
    site = folder / "backfills.toml"
    site.write_text("\n".join([f"[{name}]", *lines]))
    configure(monkeypatch, site_file=site)


def stands(engine: Engine) -> dict[str, list[Any]]:
    """Return what stands for each passage, by its id."""
    found: dict[str, list[Any]] = {}
    for each in engine.rows():
        found.setdefault(each["row"]["passage_id"], []).append(each["row"])
    return found


def billed(engine: Engine) -> float:
    """Return the dollars of the emulator's bill."""
    bill = engine.http.get("/bill").json()
    return sum(
        usd_of(model, Usage(each["input_tokens"], each["output_tokens"]), transport)
        for kind, transport in (("batch", "batch"), ("online", "interactive"))
        for model, each in bill[kind].items()
    )


def booked(engine: Engine) -> float:
    [row] = engine.sql(f"select sum(cost_usd)::float as usd from backfill.slices where {EARLIER}")
    return float(row["usd"])


def asked_again(engine: Engine) -> Counter[str]:
    """Return how many answers to several rows were none to be used, by reason."""
    found: Counter[str] = Counter()
    for each in engine.slices():
        found.update({reason: each["measures"].get(f"bad:{reason}", 0) for reason in TOGETHER})
    return found


def check_rows(engine: Engine, undisturbed: dict[str, list[Any]], rejected: int = 0) -> None:
    """Assert that every target has what it has alone, and that its ends and dollars add up."""
    wrong = {key for key, rows in stands(engine).items() if rows != undisturbed[key]}
    assert wrong == set(), f"crossed: {wrong}"
    ends = engine.ends()
    assert ends.pop("bad: rejected_line", 0) == rejected
    assert ends == {"written": len(undisturbed) - rejected}
    [tokens] = engine.sql(
        "select (select sum(input_tokens) from backfill.generations) as of_rows,"
        f" sum(input_tokens) as of_slices from backfill.slices where {EARLIER}"
    )
    assert tokens["of_rows"] == tokens["of_slices"]
    assert booked(engine) == pytest.approx(billed(engine), abs=1e-6)
    assert engine.http.get("/keys", params={"min": 2}).json()["keys"] == {}
    [offsets] = engine.sql(
        "select count(*) as n from passage_concepts"
        " inner join passages using (passage_id),"
        " jsonb_array_elements(evidence -> 'support') as quote"
        " where substr(passage_text, (quote ->> 'start')::int + 1, (quote ->> 'end')::int"
        " - (quote ->> 'start')::int) <> quote ->> 'quote'"
    )
    assert offsets["n"] == 0


def test_rows_that_travel_together_get_what_they_get_alone_whatever_befalls_them(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load(*map(own_text, range(240)))
    say(monkeypatch, tmp_path, NAME, DIET)
    engine.summary()
    undisturbed, alone = stands(engine), booked(engine)
    engine.forget()
    say(monkeypatch, tmp_path, NAME, DIET, FIVE)
    engine.fault("crossed_rows", items=0.2)
    engine.fault("dropped_rows", items=0.05)
    engine.fault("max_tokens", times=2)
    engine.fault("prompt_blocked", times=1)
    engine.fault("create_then_drop", times=1)
    engine.fault("rejected_line", match={"text": own_text(7)})

    engine.summary()

    check_rows(engine, undisturbed, rejected=1)
    again = asked_again(engine)
    assert again["crossed"] > 5  # of 48: who travels with whom is chance
    assert again["left_out"] > 1  # of 12
    together = [key for key in engine.billed() if len(keys_in(key)) == 5]
    assert len(together) > 40
    ways = {(each["attempt"], each["rows_per_request"]) for each in engine.slices()}
    assert ways == {(1, 5), (2, 1)}
    assert booked(engine) < 1.5 * alone
    assert {row["attempts"] for row in engine.generations()} <= {1, 2}


def test_songs_that_go_together_are_told_apart_by_their_first_words(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write_csv(tmp_path / "songs.csv", sample(90)), tmp_path / "out.csv"
    how: dict[str, Any] = {"name": "songs", "csv_in": str(path), "csv_out": str(out)}
    engine.summary(**how)
    undisturbed, cost = generated(read_csv(out)[1]), booked(engine)
    engine.forget()
    engine.sql("truncate backfill.csv_answers")
    say(monkeypatch, tmp_path, "songs", "rows_per_request = 10")
    engine.fault("crossed_rows", items=0.3, begins="moves")

    engine.summary(**how)

    assert generated(read_csv(out)[1]) == undisturbed
    again = asked_again(engine)
    assert again["crossed"] > 3  # of 27: who travels with whom is chance
    assert booked(engine) == pytest.approx(billed(engine), abs=1e-6)
    assert booked(engine) < cost * (0.25 + 1.2 * again.total() / len(undisturbed))


@pytest.mark.long
def test_runs_of_rows_that_travel_together_are_killed_and_the_bill_stays_the_ledgers(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load(*map(own_text, range(120)))
    engine.summary()
    undisturbed = stands(engine)
    engine.forget()
    say(monkeypatch, tmp_path, NAME, FIVE)
    engine.fault("crossed_rows", items=0.1)
    engine.set(run_seconds=0.4)
    for state in ("reserved", "submitted", "done"):
        moment = f"select 1 from backfill.slices where state = '{state}' and rows_per_request > 1"
        run_and_kill(engine, {"slice_size": 20, "slices_at_once": 2}, moment)
    engine.set(run_seconds=0.0)

    engine.summary(slice_size=20)

    check_rows(engine, undisturbed)


@pytest.mark.long
def test_of_20_000_rows_none_gets_the_answer_of_another(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load(*map(own_text, range(20_000)))
    engine.summary(slice_size=5_000)
    undisturbed = stands(engine)
    engine.forget()
    say(monkeypatch, tmp_path, NAME, FIVE)
    engine.fault("crossed_rows", items=0.02)
    engine.fault("dropped_rows", items=0.02)

    engine.summary(slice_size=5_000)

    check_rows(engine, undisturbed)
    again = asked_again(engine)
    assert 200 < again["crossed"] < 600
    assert 200 < again["left_out"] < 600
