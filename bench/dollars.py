"""What rows cost and how long all of them take, by the ways to ask, beside the least and others.

    python -m bench.dollars [passage_concepts songs+search …]

Each backfill is played on the emulator's clock and bill (`bench/play.py`), the ledger held against
the bill to the cent. The least is the texts' own tokens in and the stored values' tokens out, at
the same price: no instruction, no names, no searches. Identical texts count once there.

Others are asked as their documents say, by one run of `bench/peer_script.py` over the same rows:
the instruction in every request, under the answer's own names, identical texts each for itself. In
trouble, 3 % of the answers are cut off and the reply to one create is lost, as after kill -9:
a script and chatlas ask all rows again for the former, and for the latter, because neither knows of
the job; curator asks cut-off rows alone, and one job's 5,000 rows twice. Ours is played in it.
"""

import csv
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
from prefect.logging import disable_run_logger
from psycopg import sql

from bench import peer_script
from bench.play import ASSUMED, SLICE_ROWS, Play, billed, world
from bench.table import Row, emit
from bench.world import load
from deployments.local.emulator import tokens
from deployments.local.sample_code import chunks
from deployments.local.sample_jobs import jobs
from deployments.local.sample_songs import HEADER, songs
from tasks import backfills
from tasks.adapters import csv_rows, tables
from tasks.adapters.postgres import Connection, connect, statements
from tasks.adapters.reference import models, today
from tasks.core.asking import refusals
from tasks.core.backfill import Backfill
from tasks.core.example import columns_of

Json = Mapping[str, Any]
CENT = 0.01
TIERS = (1, 2, 3)
WAYS: Mapping[str, Mapping[str, Any]] = {
    "plain": {"wire": "plain"},
    "diet": {"wire": "diet"},
    "5 rows": {"wire": "plain", "rows_per_request": 5},
    "10 rows": {"wire": "plain", "rows_per_request": 10},
    "diet, 10 rows": {"wire": "diet", "rows_per_request": 10},
}
"""What is otherwise than declared; the first is what the others are held against."""
TARGETS = {("passage_concepts", "diet"): 0.75, ("songs", "10 rows"): 0.33}
"""Of the first way's dollars."""
DAYS = {("passage_concepts", "5 rows"): 3.0}
"""At tier 1."""
CUT_SHARE = 0.03
LOST_CREATE = {"kind": "create_then_drop", "times": 1}
NOT_SAID = {"status", "embedding"}
"""What is stored and no answer said."""
LEDGER = """
select
    (select sum(cost_usd) from backfill.slices) as usd,
    count(*) filter (where attempts > 1)::float / count(*) as again,
    count(*) filter (where state not in ('written', 'empty')) as without
from backfill.generations
"""
STORED = "select {id}::text as target_id, to_jsonb(stored) as said from {table} as stored"


@dataclass(frozen=True)
class Corpus:
    """All rows of a user's, of which one stands for `scale` of them here."""

    name: str
    rows: int
    scale: int
    load: Callable[[str, int], None]
    again: str = "select 1"
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sample(self) -> int:
        """How many rows are played."""
        return self.rows // self.scale

    @property
    def title(self) -> str:
        """What it is called, with what is switched on."""
        return f"{self.rows:,} {' with '.join((self.name, *self.changes))}"

    def backfill(self, way: Mapping[str, Any]) -> Backfill:
        """Return the backfill as it is asked in a way."""
        return replace(backfills.declared()[self.name], **self.changes, **way)

    @property
    def ways(self) -> dict[str, Mapping[str, Any]]:
        """Return the ways in which its model may be asked: rows go together without a search."""
        asked = {name: self.backfill(way) for name, way in WAYS.items()}
        return {name: WAYS[name] for name in asked if not any(refusals(asked[name], models()))}


def _load_chunks(url: str, rows: int) -> None:
    _insert(url, "demo/code_chunks.sql", chunks(rows))


def _load_jobs(url: str, rows: int) -> None:
    _insert(url, "demo/jobs.sql", jobs(rows, rows))


def _insert(url: str, file: str, rows: Iterator[Mapping[str, object]]) -> None:
    made = statements(file)
    with psycopg.connect(url) as connection:
        connection.execute(made["create_tables"])
        connection.cursor().executemany(made["insert_target"], rows)


def _load_songs(_: str, rows: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "songs.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *songs(rows)])
        with connect() as connection:
            csv_rows.bring_in(connection, backfills.declared()["songs"], path)


CORPORA = (
    Corpus("passage_concepts", 538_865, 500, load, "truncate passage_concepts"),
    Corpus("chunk_concepts", 377_908, 500, _load_chunks, "truncate chunk_concepts"),
    Corpus("job_enrichment", 116, 1, _load_jobs, "update jobs_enriched set embedding = null"),
    Corpus("songs", 19_935, 20, _load_songs),
    Corpus("songs", 19_935, 20, lambda *_: None, changes={"google_search": True}),
)


def main(names: Sequence[str]) -> None:
    """Print and hand in every corpus in every way, and what others pay for it."""
    print(ASSUMED, flush=True)
    with world() as (url, http), disable_run_logger():
        for corpus in CORPORA:
            corpus.load(url, corpus.sample)
            if not names or corpus.name in names:
                _hand_in(http, corpus)
                _hand_in_others(http, corpus)


def _hand_in(http: httpx.Client, corpus: Corpus) -> None:
    """Hand in dollars of 1,000 rows and days of all, of which dollars are the same at each tier."""
    found: dict[str, float] = {}
    for name, way in corpus.ways.items():
        of_tiers = [_played(http, corpus, way, tier).days for tier in TIERS]
        days = ", ".join(f"{each:.1f}" for each in of_tiers)
        usd, searches = (each / corpus.sample * 1e3 for each in billed(http))
        if not found:
            least = _least(corpus.backfill(way)) / corpus.sample * 1e3
        found[name] = usd
        searched = f", {searches:.2f} of it searches" if searches else ""
        again = f", {_ledger()['again']:.0%} asked again"
        said = f"{usd / least:.1f} x: {usd:.4f} USD{searched}{again}; {days} days"
        print(f"{corpus.title}, {name}: {said}", flush=True)
        what = f"1,000 of {corpus.title}, {name}; all at tiers 1, 2, 3"
        emit(Row(11, what, said, f"{least:.4f} USD", *_beside(corpus, name, found)))
        if most := DAYS.get((corpus.name, name)):
            took = f"{of_tiers[0]:.1f} days"
            what = f"{corpus.title} at tier 1, {name}"
            emit(Row(11, what, took, "", "", f"<= {most:g} days", of_tiers[0] <= most))


def _beside(corpus: Corpus, way: str, found: Mapping[str, float]) -> tuple[str, str, bool | None]:
    """Return a way's share of the first one's dollars, what is wanted of it, and whether it is."""
    first = next(iter(found))
    if way == first:
        return "", "", None
    share, target = found[way] / found[first], TARGETS.get((corpus.name, way))
    shown = f"{share:.2f} of {first}"
    return (shown, f"<= {target}", share <= target) if target else (shown, "", None)


def _played(
    http: httpx.Client, corpus: Corpus, way: Mapping[str, Any], tier: int, *faults: Json
) -> Play:
    """Play a corpus to its end; the ledger says what the bill says."""
    backfill = corpus.backfill(way)
    with connect() as connection:
        connection.execute(corpus.again)
    play = Play(http, backfill, tier, corpus.scale, *faults)
    with backfills.asking(backfill):
        play.run()
    usd, searches = billed(http)
    ledger = _ledger()
    print(
        f"  {corpus.title}, {way}, tier {tier}: {len(play.flights)} jobs, {play.at_once} at once,"
        f" {play.idle:.0%} of the quota idle, {play.days:.2f} days, {usd:.4f} USD,"
        f" {searches:.4f} of it searches, {ledger['again']:.1%} asked again,"
        f" {ledger['without']} without an answer",
        flush=True,
    )
    if abs(float(ledger["usd"]) - usd) > CENT / 2:
        raise AssertionError(f"The ledger says {ledger['usd']} USD, the bill {usd}.")
    return play


def _ledger() -> Json:
    """Return the dollars, the share of targets that were asked again, and how many have no end."""
    with connect() as connection:
        return connection.execute(LEDGER).fetchone() or {}


def _least(backfill: Backfill) -> float:
    """Return the dollars of the texts in and the stored values out, each text once."""
    with connect() as connection:
        here = tables.of(connection, backfill)
        texts = _texts(connection, here)
        is_said = [name for name in columns_of(backfill) if name not in NOT_SAID]
        statement = sql.SQL(STORED).format(
            id=here.target_id.identifier, table=here.target.identifier
        )
        said = Counter[str]()
        for row in connection.execute(statement):
            stored = row["said"]["answer"] if here.is_csv else row["said"]
            spoken = words([stored.get(name) for name in is_said])
            said[row["target_id"]] += tokens.of(" ".join(spoken))
    out: dict[str, int] = {}
    for target_id, text in texts.items():  # of twins, one has its rows by now
        out[text] = max(out.get(text, 0), said[target_id])
    price = models().billed(backfill.model, today()).price_on(today())
    usd = price.usd(sum(map(tokens.of, out)), sum(out.values()), "batch")
    return usd + _vectors(backfill, out)


def _texts(connection: Connection, here: tables.Tables) -> dict[str, str]:
    statement = sql.SQL("select target_id, content from ({}) as source").format(here.rows())
    rows = connection.execute(statement, here.values())
    return {row["target_id"]: row["content"] for row in rows}


def words(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield what a value says; of evidence the quotes alone, which the rest was made of."""
    if isinstance(value, dict):
        quotes = [each["quote"] for each in value.get("support", ())]
        yield from quotes or (word for each in value.values() for word in words(each))
    elif isinstance(value, list):
        yield from (word for each in value for word in words(each))
    elif value is not None:
        yield str(value)


def _vectors(backfill: Backfill, texts: Iterable[str]) -> float:
    """Return the dollars of the texts' vectors, where the backfill asks for them."""
    if backfill.embedding is None:
        return 0.0
    price = models().billed(backfill.embedding.model, today()).price_on(today())
    return price.usd(sum(map(tokens.of, texts)), 0, "batch")


# Others


def _hand_in_others(http: httpx.Client, corpus: Corpus) -> None:
    """Hand in what others pay for the same rows in the same trouble, beside ours."""
    name, best = list(corpus.ways.items())[-1]
    limit = corpus.backfill(best).max_output_tokens
    cut_off = {"kind": "max_tokens", "share": CUT_SHARE, "params": {"needs": limit + 1}}
    _played(http, corpus, best, TIERS[-1], cut_off, LOST_CREATE)
    ours = billed(http)[0] / corpus.sample * 1e3
    once = _script(http, corpus) / corpus.sample * 1e3
    others = runs_in_trouble(corpus.rows)
    shown = ", ".join(
        f"{name} {once * times / ours:.1f} x, {once * times:.4f}" for name, times in others.items()
    )
    what = f"1,000 of {corpus.title}, {CUT_SHARE:.0%} cut off and a create lost: others"
    print(
        f"{what}: {shown} USD; one run of a script {once:.4f}, ours in trouble {ours:.4f}",
        flush=True,
    )
    emit(Row(11, what, f"{shown} USD", f"ours, {name}: {ours:.4f} USD"))


def runs_in_trouble(rows: int) -> dict[str, float]:
    """Return how many times others pay for all rows, where a run was in trouble."""
    all_again, one_job = 1.0, min(1.0, SLICE_ROWS / rows)
    whole = 1 + all_again + all_again  # for what was cut off, and for the job that nobody knows of
    return {"curator": 1 + CUT_SHARE + one_job, "chatlas": whole, "a script": whole}


def _script(http: httpx.Client, corpus: Corpus) -> float:
    """Return the dollars of one undisturbed run of a script over every row."""
    backfill = corpus.backfill(WAYS["plain"])
    http.post("/reset").raise_for_status()
    http.post("/settings", json={"run_seconds": 0.0, "trouble": 0.0}).raise_for_status()
    with connect() as connection:
        texts = _texts(connection, tables.of(connection, backfill))
    peer_script.asked(backfill, texts.items())
    return billed(http)[0] + _vectors(backfill, texts.values())


if __name__ == "__main__":
    main(sys.argv[1:])
