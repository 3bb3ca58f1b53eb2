"""What every backfill must have, whoever adds it: a module here is a registration."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from tasks import backfills
from tasks.adapters.postgres import statements
from tasks.adapters.reference import prices, prompt
from tasks.slices.requests import template, version_digest

NAMES = backfills.names()
DIGESTS = Path(__file__).with_name("prompt_digests.json")
ROOT = Path(__file__).resolve().parents[1]
REQUIRED = {
    "select_targets",
    "select_texts",
    "record_columns",
    "copy_records",
    "measure",
    "coverage",
}
OF_EVERY_RUN = {"unparseable", "usable"}  # measured from the ledger, not by the backfill's SQL


@pytest.mark.parametrize("name", NAMES)
def test_a_backfill_is_found_under_its_modules_name(name: str) -> None:
    assert backfills.get(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_a_backfill_says_who_answers_and_for_people_what_it_is(name: str) -> None:
    backfill = backfills.get(name)

    assert backfill.extractor_version.strip()
    assert backfill.title.strip()
    assert backfill.checkpoint.strip()
    assert backfill.output_tokens < backfill.max_output_tokens


@pytest.mark.parametrize("name", NAMES)
def test_a_backfill_has_every_statement_that_the_engine_asks_for(name: str) -> None:
    own = statements(f"queries/{name}.sql")

    missing = REQUIRED - set(own)

    assert not missing, f"sql/queries/{name}.sql lacks {', '.join(sorted(missing))}"
    assert ("stage_records" in own) == ("apply_records" in own)


@pytest.mark.parametrize("name", NAMES)
def test_a_backfill_has_a_prompt_and_a_schema_that_the_service_accepts(name: str) -> None:
    line = orjson.loads(template(name).line("a-key", "a text"))

    assert line["request"]["systemInstruction"]["parts"][0]["text"] == prompt(name)
    assert len(prompt(name)) > 200


@pytest.mark.parametrize("name", NAMES)
def test_a_backfills_model_has_a_price_and_lives(name: str) -> None:
    price = prices().price(backfills.get(name).model, datetime.now(UTC).date())

    assert price.input > 0
    assert price.batch_share


@pytest.mark.parametrize("name", NAMES)
def test_a_backfills_gates_limit_what_is_measured(name: str) -> None:
    measure = statements(f"queries/{name}.sql")["measure"]

    gates = backfills.get(name).gates

    assert gates
    for gate in gates:
        assert gate.at_least is not None or gate.at_most is not None
        assert gate.measurement in OF_EVERY_RUN or f"as {gate.measurement}" in measure


@pytest.mark.parametrize("name", NAMES)
def test_a_backfill_names_the_tables_it_needs(name: str) -> None:
    text = (ROOT / "sql" / "queries" / f"{name}.sql").read_text(encoding="utf-8")

    for table in backfills.get(name).tables:
        assert table.name in text
        assert "select" in table.rights


def test_no_two_backfills_share_a_checkpoint() -> None:
    checkpoints = Counter(backfills.get(name).checkpoint for name in NAMES)

    assert {job for job, count in checkpoints.items() if count > 1} == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_prompt_schema_or_model_has_a_new_extractor_version(name: str) -> None:
    recorded = orjson.loads(DIGESTS.read_bytes()).get(name, {})
    version = backfills.get(name).extractor_version

    digest = version_digest(name)

    assert version in recorded, f'new version? record "{version}": "{digest}" in {DIGESTS.name}'
    assert recorded[version] == digest, (
        f"The prompt, schema or model of {name} changed, but its extractor_version is still"
        f" {version}: give it a new one, and record {digest} for that."
    )


def test_every_recorded_backfill_still_exists() -> None:
    assert set(orjson.loads(DIGESTS.read_bytes())) == set(NAMES)


def test_an_unknown_backfill_is_answered_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"there are: .*passage_concepts"):
        backfills.get("passages_concept")
