"""Answers of which something does not fit: what fits is written, the QC report says the rest."""

import csv

import orjson
import pytest
from engine_hand import Engine, sample_text

from tasks.adapters.ledger import generations
from tasks.adapters.postgres import connect
from tasks.adapters.settings import settings
from tasks.core.ends import End, Outcome

pytestmark = pytest.mark.usefixtures("plain")


def concept(name: str, **wrong: object) -> dict[str, object]:
    said = {"type": "method", "aliases": [], "confidence": 0.5, "surface": name, "quotes": [name]}
    return {"name": name, **said, **wrong}


def say(engine: Engine, number: int, *concepts: object) -> None:
    """Let the model answer one passage with these concepts."""
    text = orjson.dumps({"concepts": concepts}).decode()
    engine.fault("says", match={"text": f"Chapter {number} deals"}, text=text)


def report() -> str:
    [path] = settings().reports_dir.glob("*-passage_concepts-full.md")
    return path.read_text()


def test_one_wrong_value_costs_its_item_and_no_second_request(engine: Engine) -> None:
    engine.load_samples(3)
    wrong = [concept("a method", confidence=95), concept("measurement", type="recipe")]
    say(engine, 1, concept("years"), *wrong, concept("model", aliases=None, type="Model "))

    engine.summary()

    names = "select concept_name, confidence from passage_concepts where passage_id = %(id)s"
    [ours] = [row for row in engine.generations() if row["reason"] == "mended"]
    rows = engine.sql(f"{names} order by 1", id=ours["target_id"])
    assert [(row["concept_name"], float(row["confidence"])) for row in rows] == [
        ("a_method", 0.95),
        ("model", 0.5),
        ("years", 0.5),
    ]
    assert engine.calls("batches.create") == 1
    assert "| mended: it is plain what is meant | concepts.confidence | 1 |" in report()
    assert "| mended: it is plain what is meant | concepts.type | 1 |" in report()
    assert "| left out: it is not | concepts.type | 1 |" in report()


@pytest.mark.parametrize("tokens", [2**31, 2**62])
def test_an_absurd_count_of_tokens_stops_nothing(engine: Engine, tokens: int) -> None:
    engine.load_samples(2)
    engine.plan()
    outcomes = [
        Outcome(row["doc_id"], End.EMPTY, input_tokens=tokens, output_tokens=2 * tokens)
        for row in engine.generations()
    ]

    with connect() as connection:
        ended = generations.end(connection, outcomes)

    assert ended == 2
    assert {row["output_tokens"] for row in engine.generations()} == {2**31 - 1}


def test_a_bad_answer_is_no_formula_in_the_list(engine: Engine) -> None:
    engine.load_samples(1)
    engine.fault("says", text='=HYPERLINK("http://x")')

    engine.summary()

    [path] = settings().reports_dir.glob("*-bad.csv")
    with path.open(newline="") as file:
        [row] = csv.DictReader(file)
    assert row["raw"] == '\'=HYPERLINK("http://x")'


def test_a_run_of_empty_answers_alone_has_its_report(engine: Engine) -> None:
    engine.load_samples(3)
    engine.fault("says", text='{"concepts":[]}')

    engine.summary()

    assert engine.ends() == {"empty": 3}
    assert "How quotes were found" not in report()


def test_a_run_of_concepts_without_quotes_has_its_report(engine: Engine) -> None:
    engine.load(*[sample_text(number) for number in range(2)])
    said = orjson.dumps({"concepts": [concept("model", quotes=[])]}).decode()
    engine.fault("says", text=said)

    engine.summary()

    assert engine.ends() == {"written": 2}
    assert "How quotes were found" not in report()
