"""The sizes of the field: 19,935 songs with 4% prose, 116 adverts at 15 requests a minute."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from engine_hand import Engine, configure
from songs_hand import Row, is_answered, originals, read_csv, write_csv

import tasks.adapters.rate_limits
from deployments.local.sample_jobs import jobs
from tasks.adapters.gemini import gemini
from tasks.adapters.postgres import connect, statements
from tasks.adapters.settings import settings

SONGS = 19_935


def _song(number: int) -> Row:
    title = f"Song {number}{' [prose]' if number % 24 == 5 else ''}"
    isrc = f"QZ{number:08}"
    return (title, f"Artist {number % 997}", "3", isrc, "96", "Nu disco", "", "a.csv")


@pytest.mark.long
def test_19935_songs_with_4_percent_prose_are_all_accounted_for(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "backfills.toml"
    site.write_text('[songs.source]\nid = "isrc"\n')  # they are asked in the order of their ids
    configure(monkeypatch, site_file=site)
    rows = list(map(_song, range(SONGS)))
    path, out = write_csv(tmp_path / "songs.csv", rows), tmp_path / "merged.csv"
    # 4.2% of the songs, at most 4.7% of a wave; they stay prose however often they are asked.
    prose = sum("[prose]" in row[0] for row in rows)
    engine.fault("not_json", match={"text": "[prose]"})

    state = engine.run(name="songs", csv_in=str(path), csv_out=str(out), slice_size=2000)

    assert state.is_completed(), state.message
    ends = engine.ends()
    assert ends == {"written": SONGS - prose, "bad: not_json": prose}
    _, merged = read_csv(out)
    assert originals(merged) == rows
    assert sum(map(is_answered, merged)) == ends["written"]
    waves = engine.sql(
        "select slices.wave, count(*)::int as songs from backfill.generations"
        " inner join backfill.slices using (slice_id) group by slices.wave order by slices.wave"
    )
    assert [row["songs"] for row in waves] == [100, 500, *[2000] * 9, 1335]
    tries = Counter(row["attempts"] for row in engine.generations() if row["state"] == "bad")
    assert tries == {3: prose}


@pytest.mark.long
def test_116_adverts_keep_to_15_requests_a_minute_of_the_services_clock(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = statements("demo/jobs.sql")
    with connect() as connection:
        connection.execute(sql["create_tables"])
        connection.cursor().executemany(sql["insert_target"], jobs(120, 116))
    engine.set(requests_per_minute=15)
    monkeypatch.setenv("BACKFILL_QUOTA_PATIENCE_SECONDS", "36000")
    # Of two at once the one may be late, and meet the service in the other's turn.
    monkeypatch.setenv("BACKFILL_INTERACTIVE_AT_ONCE", "1")
    monkeypatch.setenv("BACKFILL_HTTP_TIMEOUT_SECONDS", "60")  # a request after it is sent again
    settings.cache_clear()
    gemini.cache_clear()
    turns: Counter[str] = Counter()
    lock = threading.Lock()

    async def turn(model: str, tokens: int) -> None:
        # Prefect's limit on the emulator's clock: each request takes a fifteenth of a minute.
        with lock:
            turns[model] += 1
            if model == "gemini-3.1-flash-lite":
                engine.advance(4.2)

    monkeypatch.setattr(tasks.adapters.rate_limits, "turn", turn)
    began = engine.http.get("/clock").json()["offset_seconds"]

    said = engine.summary(name="job_enrichment")

    assert said.startswith("116 targets: 116 written")
    assert engine.calls("models.generateContent") == 116
    assert engine.http.get("/clock").json()["offset_seconds"] - began == pytest.approx(116 * 4.2)
