"""Songs: CSV in, waves behind a gate, CSV out."""

from dataclasses import replace
from pathlib import Path

import pytest
from engine_hand import Engine
from songs_hand import GENERATED, generated, is_answered, originals, read_csv, sample, write_csv

import flows.backfill
from deployments.local.sample_songs import HEADER
from tasks import backfills
from tasks.adapters import site
from tasks.backfills.songs import BACKFILL
from tasks.core.errors import PreflightError

NAME = "songs"


def _run(engine: Engine, path: Path, **options: object) -> str:
    return engine.summary(name=NAME, csv_in=str(path), csv_out=str(_out(path)), **options)


def _out(path: Path) -> Path:
    return path.with_name("merged.csv")


def test_the_merged_csv_has_every_row_with_its_values_as_they_were(
    engine: Engine, tmp_path: Path
) -> None:
    rows = sample(60)
    path = write_csv(tmp_path / "songs.csv", rows, encoding="utf-8-sig", delimiter=";")

    said = _run(engine, path)

    header, merged = read_csv(_out(path), encoding="utf-8-sig", delimiter=";")
    assert said.startswith("60 targets: 60 written")
    assert header == (*HEADER, *GENERATED)
    assert originals(merged) == rows
    assert all(map(is_answered, merged))
    assert all(row[2] and row[3] and row[4] and row[5] for row in generated(merged))
    assert not list(tmp_path.glob("*.part"))


def test_duplicate_and_blank_rows_come_out_as_often_as_they_went_in(
    engine: Engine, tmp_path: Path
) -> None:
    rows = sample(5)
    blank = ("",) * len(HEADER)
    rows = [*rows, rows[0], blank, (*rows[1][:-1], "another.csv"), blank]
    path = write_csv(tmp_path / "songs.csv", rows)

    _run(engine, path)

    _, merged = read_csv(_out(path))
    assert originals(merged) == rows
    assert generated(merged)[5] == generated(merged)[0]
    assert generated(merged)[6][0] == "INVALID_INPUT"
    assert generated(merged)[7] == generated(merged)[1]
    assert engine.ends() == {"written": 5, "skipped: empty_text": 1}


def test_the_system_instruction_is_in_every_line_and_never_on_the_job(
    engine: Engine, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(4))

    _run(engine, path)

    jobs = engine.http.get("/progress", params={"batch": ""})
    assert jobs.status_code != 200
    [job] = engine.slices()
    create = engine.http.get(f"/{job['job_name']}/create").json()
    assert set(create["batch"]) == {"inputConfig", "displayName"}
    instruction = site.prompt(BACKFILL)
    assert 16_000 < len(instruction) < 18_000
    for key in engine.billed():
        [asked] = engine.http.get(f"/requests/{key}").json()["requests"]
        assert asked["request"]["systemInstruction"]["parts"] == [{"text": instruction}]


def test_waves_of_100_and_500_are_followed_by_2000_each(engine: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(4700))

    _run(engine, path, slice_size=1000)

    waves = engine.sql(
        "select slices.wave, count(*)::int as songs from backfill.generations"
        " inner join backfill.slices using (slice_id) group by slices.wave order by slices.wave"
    )
    assert [row["songs"] for row in waves] == [100, 500, 2000, 2000, 100]
    [report] = (tmp_path / "reports").glob("*-songs-full.md")
    assert "| 2 | 500 | 100.0% | 0 | 1 |" in report.read_text()
    order = sorted(engine.slices(), key=lambda row: row["submitted_at"])
    assert [row["wave"] for row in order] == sorted(row["wave"] for row in order)


def test_a_wave_below_its_gate_keeps_the_next_one_from_starting(
    engine: Engine, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(300))
    engine.fault("not_json", share=0.3)

    state = engine.run(name=NAME, csv_in=str(path), csv_out=str(_out(path)))

    assert state.name == "GatesFailed"
    assert "Wave 1: 100 targets, " in str(state.message)
    assert "not_json" in str(state.message)
    assert "outside its limit >= 0.95" in str(state.message)
    ends = engine.ends()
    assert ends["planned"] == 0  # the next run plans the other 200 again, in small waves
    assert ends["written"] + ends["bad: not_json"] == 100
    _, merged = read_csv(_out(path))
    assert originals(merged) == sample(300)
    assert sum(map(is_answered, merged)) == ends["written"]


def test_a_run_that_died_between_two_waves_goes_on_with_the_second(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(300))

    async def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(flows.backfill, "report_wave", die)
        with pytest.raises(SystemExit):
            engine.run(name=NAME, csv_in=str(path))
    assert engine.ends() == {"written": 100, "planned": 200}

    said = _run(engine, path)

    _, merged = read_csv(_out(path))
    assert said.startswith("300 targets: 300 written")
    assert all(map(is_answered, merged))
    assert max(engine.billed().values()) == 1


def test_a_song_whose_title_was_corrected_is_asked_again_and_no_other(
    engine: Engine, tmp_path: Path
) -> None:
    rows = sample(20)
    _run(engine, write_csv(tmp_path / "songs.csv", rows))
    rows[3] = ("The right title", *rows[3][1:])

    said = _run(engine, write_csv(tmp_path / "songs.csv", rows))

    _, merged = read_csv(tmp_path / "merged.csv")
    assert said.startswith("1 targets: 1 written")
    assert len(merged) == 20
    assert all(map(is_answered, merged))


def test_categories_outside_the_set_are_bad_answers_and_no_new_categories(
    engine: Engine, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(20))
    engine.fault("wrong_types", match={"text": " - "}, times=1)

    said = _run(engine, path)

    assert said.startswith("20 targets: 20 written")
    [first, *_] = sorted(engine.slices(), key=lambda row: row["attempt"])
    assert first["measures"]["bad:wrong_shape"] == 1
    _, merged = read_csv(_out(path))
    kinds = {row[5] for row in generated(merged)}
    assert kinds <= {"Eclectic", "Timeless", "Commercial", "Cheesy"}


def test_a_file_cannot_be_given_to_a_backfill_over_tables(engine: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(1))

    with pytest.raises(PreflightError, match="takes its rows from tables"):
        engine.run(csv_in=str(path))


def test_quota_keeps_the_uploaded_file_for_the_run_that_goes_on(
    engine: Engine, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "songs.csv", sample(30))
    engine.fault("create_quota")
    stopped = engine.run(name=NAME, csv_in=str(path), csv_out=str(_out(path)))
    assert stopped.name == "QuotaExhausted"
    engine.no_faults()

    said = _run(engine, path)

    assert said.startswith("30 targets: 30 written")
    _, merged = read_csv(_out(path))
    assert all(map(is_answered, merged))


def test_beside_a_search_an_older_model_gets_no_schema_and_json_is_read_in_fences_and_prose(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = {"model": "gemini-2.5-flash-lite", "extractor_version": "gemini_search_v1"}
    searching = replace(BACKFILL, google_search=True, **older)
    monkeypatch.setattr(backfills, "get", lambda _: searching)
    engine.set(trouble=1.0, old_keys=True)

    _run(engine, write_csv(tmp_path / "songs.csv", sample(80)))

    [asked, *_] = engine.http.get(f"/requests/{next(iter(engine.billed()))}").json()["requests"]
    assert asked["request"]["tools"] == [{"googleSearch": {}}]
    assert not {"responseSchema", "responseMimeType"} & set(asked["request"]["generationConfig"])
    assert engine.ends()["written"] >= 76
    found = engine.sql(
        "select answer -> '_grounding' as grounding from backfill.csv_answers"
        " where extractor_version = 'gemini_search_v1'"
    )
    assert len(found) == engine.ends()["written"]
    assert all(row["grounding"]["webSearchQueries"] for row in found)
    assert all(row["grounding"]["groundingChunks"] for row in found)
