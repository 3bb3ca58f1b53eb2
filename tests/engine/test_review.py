"""Rows that people judge: why each was chosen, and verdicts taken back in as a whole."""

import asyncio
import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, VERSION, Engine
from songs_hand import sample as some_songs
from songs_hand import write_csv

import flows.reread
import flows.review
import tasks.undo.forget
import tasks.undo.reread
from deployments.local.sample_jobs import jobs
from flows.compare import compare
from tasks import backfills
from tasks.adapters.postgres import connect, statements
from tasks.adapters.settings import settings
from tasks.core.errors import PreflightError
from tasks.core.example import vocabularies
from tasks.core.gates import Gate
from tasks.undo.forget import forget_rows

Line = dict[str, str]


def sampled(**form: Any) -> list[Line]:
    """Return the lines of a sample's CSV."""
    form = {"name": NAME, **form}
    asyncio.run(flows.review.sample.fn(**form))
    with newest(f"*-{form['name']}-review.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def newest(pattern: str) -> Path:
    return max(settings().reports_dir.glob(pattern), key=lambda path: path.stat().st_mtime_ns)


def taken(lines: Sequence[Line], name: str = NAME) -> str:
    """Return what is said once verdicts were taken."""
    path = settings().reports_dir / "judged.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    return str(asyncio.run(flows.review.verdicts.fn(name=name, csv_in=str(path))).message)


def missing(like: Line, target_id: str, **given: str) -> Line:
    return {**dict.fromkeys(like, ""), "target_id": target_id, "verdict": "missing", **given}


def ours(engine: Engine) -> list[dict[str, Any]]:
    return [each["row"] for each in engine.rows()]


def test_verdicts_are_the_gold_of_a_version_and_corrections_stay_in_the_table(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_samples(12)
    engine.fault("invented_quotes", match={"text": "Chapter 3 deals"})
    engine.summary()

    lines = sampled(targets=8, at_random=0.5)

    page = newest(f"*-{NAME}-review.md").read_text()
    targets = {line["target_id"]: line["chosen"] for line in lines}
    assert len(targets) == page.count("\n### ") == 8
    assert [why.startswith("random") for why in targets.values()].count(True) >= 4
    assert any("missing quote" in why for why in targets.values())
    assert page.count("\nChosen: ") == 8
    assert " **" in page
    rows = [line for line in lines if line["chosen"].startswith("random")]
    for line in rows:
        line["verdict"] = "right"
    wrong = rows[0] | {"verdict": "Wrong", "corrected_concept_name": "by_hand", "comment": "no"}
    wrong["corrected_confidence"] = "0.25"
    rows[0] = wrong
    rows.append(missing(wrong, wrong["target_id"], corrected_concept_name="soil"))
    before = ours(engine)

    said = taken(rows)

    right = len(rows) - 2
    counted = (f"{right} right", "1 wrong and corrected", "1 missing")
    assert all(part in said for part in counted)
    assert f"{VERSION}: {right / (right + 1):.1%} of {right + 1} rows drawn at random" in said
    corrected = [row for row in ours(engine) if row not in before]
    assert [(row["concept_name"], row["confidence"]) for row in corrected] == [("by_hand", 0.25)]
    assert len(ours(engine)) == len(before), "a missing row is counted, not written"
    after = ours(engine)
    assert "said before" in taken(rows)
    assert ours(engine) == after

    reading = replace(backfills.get(NAME), reading=9)
    monkeypatch.setattr(backfills, "get", lambda _: reading)
    told = asyncio.run(flows.reread.reread.fn(name=NAME, dry_run=False))
    assert "1 corrected by a person" in str(told.message)
    assert [row for row in ours(engine) if row["concept_name"] == "by_hand"] == corrected
    assert not {line["target_id"] for line in sampled(targets=50)} & {wrong["target_id"]}
    asyncio.run(
        compare.fn(
            name=NAME, candidate_lines='model = "gemini-2.5-flash"', targets=3, approve_up_to_usd=2
        )
    )
    assert (
        f"| right, of rows judged at random | {right / (right + 1):.1%} ("
        in newest(f"*-{NAME}-compare.md").read_text()
    )


def test_a_file_with_bad_lines_is_told_line_by_line_and_nothing_of_it_is_taken(
    engine: Engine,
) -> None:
    engine.load_samples(4)
    engine.summary()
    lines = sampled(targets=4, at_random=1)[:9]
    before = ours(engine)
    wrong: list[tuple[Line, str]] = [
        ({"verdict": "rigth"}, "'rigth' is no verdict: write right, wrong, missing"),
        ({"comment": "hm"}, "it has a correction or a comment and no verdict"),
        ({"verdict": "right", "corrected_confidence": "1"}, "it is right and has a correction"),
        ({"verdict": "missing"}, "a missing row has a line of its own"),
        ({"verdict": "wrong", "review": "x"}, "its review is 'x'"),
        ({"verdict": "right", "target_id": "else"}, "is not of a row of 'else'"),
        ({"verdict": "wrong", "corrected_confidence": "high"}, "'high' cannot be written: it has"),
        ({"verdict": "wrong", "corrected_concept_name": "=1+1"}, ""),
    ]
    for line, (given, _) in zip(lines, wrong, strict=False):
        line.update(given)
    lines += [missing(lines[0], "nobody"), lines[7] | {"comment": "twice"}]

    with pytest.raises(PreflightError) as error:
        taken(lines)

    said = str(error.value)
    assert said.startswith(f"9 of {len(lines)} records of ")
    for number, (_, why) in enumerate(wrong[:7], 1):
        assert why in said.split(f" Record {number}: ")[1].split(" Record ", maxsplit=1)[0]
    assert f"Record {len(lines) - 1}: no row of 'nobody' was ever sampled." in said
    assert f"Record {len(lines)}: record 8 is of the same row." in said
    assert "\n" not in said
    assert ours(engine) == before
    assert engine.sql("select count(*) as n from backfill.reviews where verdict is not null") == [
        {"n": 0}
    ]
    engine.sql(
        "update passage_concepts set confidence = 0.123 where extractor_version = %(v)s", v=VERSION
    )
    with pytest.raises(PreflightError, match="Record 1: its row is gone or has changed"):
        taken([lines[7]])
    assert taken([lines[7] | {"corrected_concept_name": ""}]).count("1 wrong") == 1
    for form, why in (
        ({"targets": 0}, "targets is 0"),
        ({"extractor_version": "v9"}, "has no version 'v9'"),
        ({"csv_out": "/etc/x.csv"}, "csv_out names /etc/x.csv, which is hidden or outside"),
    ):
        with pytest.raises(PreflightError, match=why):
            sampled(**form)
    with pytest.raises(PreflightError, match="has no column 'verdict': give back the file"):
        taken([{"review": "1", "target_id": "2", "comment": ""}])


def test_a_gate_on_precision_holds_a_full_run_until_people_found_enough_rows_right(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate("precision", "Precision of judged rows", at_least=0.9)
    declared = backfills.get(NAME)
    gated = replace(declared, gates=(*declared.gates, gate))
    monkeypatch.setattr(backfills, "get", lambda _: gated)
    engine.load_samples(70)
    piloted = engine.run(kind="pilot", limit=60)
    with pytest.raises(PreflightError, match=r"Run review/sample for .* first") as error:
        engine.run(without_pilot=False)
    assert "no row is judged and Precision of judged rows has to be >= 0.9" in str(error.value)
    assert "Precision" not in str(piloted.message)
    lines = sampled(targets=5, at_random=1)
    for line in lines:
        line["verdict"] = "right"

    taken([line | {"verdict": "wrong"} for line in lines])
    with pytest.raises(PreflightError, match=r"0.0% of rows are right"):
        engine.run(without_pilot=False)
    taken(lines)
    engine.run(without_pilot=False)

    report = newest(f"*-{NAME}-full.md").read_text()
    assert "| Precision of judged rows | 1 | \\>= 0.9 | ✓ |" in report
    assert "rows drawn at random are right" in report


@pytest.mark.parametrize(("name", "column"), [("songs", "energy"), ("job_enrichment", "seniority")])
def test_values_of_csvs_and_of_rows_in_place_are_corrected_where_they_stand(
    engine: Engine, tmp_path: Path, name: str, column: str
) -> None:
    if name == "songs":
        path = write_csv(tmp_path / "songs.csv", some_songs(4))
        run: Callable[[], str] = lambda: engine.summary(  # noqa: E731
            name=name, csv_in=str(path), csv_out=str(tmp_path / "out.csv")
        )
        stands = "select answer ->> 'energy' as now from backfill.csv_answers"
    else:
        demo = statements("demo/jobs.sql")
        with connect() as connection:
            connection.execute(demo["create_tables"])
            connection.cursor().executemany(demo["insert_target"], jobs(6, 4))
        run = lambda: engine.summary(name=name)  # noqa: E731
        stands = "select seniority as now from jobs_enriched"
    run()
    first, second, *_ = sampled(name=name, targets=4, at_random=1)
    words = vocabularies(backfills.get(name))[column]
    value = next(str(each) for each in words if each != first[column])
    before = sorted(str(row["now"]) for row in engine.sql(stands))

    with pytest.raises(PreflightError, match=f"Record 1: 'dunno' is no {column}: it has to be one"):
        taken([first | {"verdict": "wrong", f"corrected_{column}": "dunno"}], name)
    said = taken([first | {"verdict": "wrong", f"corrected_{column}": value}, second], name)

    assert "1 wrong and corrected" in said
    after = sorted(str(row["now"]) for row in engine.sql(stands))
    assert sorted([*after, first[column]]) == sorted([*before, value])
    run()
    assert sorted(str(row["now"]) for row in engine.sql(stands)) == after


def test_what_is_forgotten_is_in_no_review(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: object, **__: object) -> int:
        return 0

    monkeypatch.setattr(tasks.undo.forget, "_clean_pages", none)
    gone, *others = engine.load_samples(3)
    engine.summary()
    sampled(targets=3, at_random=1)

    asyncio.run(forget_rows.fn(NAME, gone, None, dry_run=False))

    kept = engine.sql("select distinct target_id from backfill.reviews")
    assert {row["target_id"] for row in kept} == {*others}
    for kind in ("csv", "md"):
        assert gone not in newest(f"*-{NAME}-review.{kind}").read_text()
        assert others[0] in newest(f"*-{NAME}-review.{kind}").read_text()
