"""What every backfill must have, whoever adds it: a module here is a registration."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from deployments.record_version import record
from tasks import backfills
from tasks.adapters import measures, site
from tasks.adapters.reference import models, today
from tasks.adapters.settings import Settings
from tasks.core.backfill import Backfill
from tasks.core.errors import SettingsError, VersionChangedError
from tasks.core.example import records_of
from tasks.core.identity import table_name
from tasks.core.places import InPlace, NewRows
from tasks.slices.requests import question_digest, template_of

DECLARED = backfills.declared()
NAMES = tuple(DECLARED)
DIGESTS = Path(__file__).with_name("prompt_digests.json")


@pytest.fixture(params=NAMES)
def backfill(request: pytest.FixtureRequest) -> Backfill:
    """Return a backfill as it is declared, whatever a site file says."""
    return DECLARED[request.param]


@pytest.fixture(autouse=True)
def no_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no site file of this machine count."""
    monkeypatch.delenv("BACKFILL_SITE_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    backfills.forget_site()
    yield
    backfills.forget_site()


@pytest.mark.parametrize("name", NAMES)
def test_a_backfill_is_found_under_its_modules_name(name: str) -> None:
    assert backfills.get(name).name == name


def test_a_backfill_says_who_answers_and_for_people_what_it_is(backfill: Backfill) -> None:
    assert backfill.extractor_version.strip()
    assert backfill.title.strip()
    assert backfill.output_tokens < backfill.max_output_tokens


def test_a_backfill_has_a_prompt_whose_places_are_options(backfill: Backfill) -> None:
    prompt = site.prompt(backfill)

    assert len(prompt) > 200
    assert "{{" not in prompt


def test_a_backfills_request_says_its_prompt_and_a_schema_of_its_answer(
    backfill: Backfill,
) -> None:
    line = orjson.loads(template_of(backfill).line("a-key", "a text"))

    said = line["request"]
    assert said["systemInstruction"]["parts"][0]["text"] == site.prompt(backfill)
    schema = said["generationConfig"]["responseSchema"]
    assert list(schema["properties"]) == list(backfill.answer_model.model_fields)


def test_a_backfills_model_has_a_price_and_lives(backfill: Backfill) -> None:
    for model in backfill.models:
        row = models().living(model, today())

        assert row.price_on(today()).batch_input > 0
        assert row.new_keys, "a key made today must be able to run what is declared here"


def test_an_answer_made_up_by_the_schema_becomes_records_of_one_shape(
    backfill: Backfill,
) -> None:
    records = records_of(backfill)

    assert records, f"the answer of {backfill.name} refuses the least that its schema allows"
    assert len({tuple(record) for record in records}) == 1
    engines = {"extractor_version", "extractor_model", "created_at"}
    assert not engines & set(records[0]), "the engine fills these"
    if isinstance(backfill.target, NewRows):
        assert backfill.target.id not in records[0], "the engine fills the target's id"
    if isinstance(backfill.target, InPlace):
        assert set(records[0]) >= set(backfill.target.columns)


def test_a_backfills_gates_limit_what_is_measured(backfill: Backfill) -> None:
    measured = measures.names(backfill)

    assert backfill.gates
    for gate in [*backfill.gates, *([backfill.wave_gate] if backfill.wave_gate else [])]:
        assert gate.at_least is not None or gate.at_most is not None
        assert gate.measurement in measured, f"{backfill.name} is measured by {sorted(measured)}"


def test_a_gate_may_limit_what_a_backfills_own_file_measures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = {"measure": "select avg(ours.price) as mean_price\nfrom {target} as ours"}
    monkeypatch.setattr(measures, "_own_statements", lambda _: own)

    assert "mean_price" in measures.names(DECLARED["passage_concepts"])


def test_a_backfill_names_tables_as_people_write_them(backfill: Backfill) -> None:
    places = (backfill.source, backfill.target)

    named = [table for place in places if (table := getattr(place, "table", ""))]

    assert [table_name(table).shown for table in named] == [each.replace('"', "") for each in named]


def test_no_two_backfills_share_a_checkpoint() -> None:
    checkpoints = Counter(backfill.checkpoint for backfill in DECLARED.values())

    assert {job for job, count in checkpoints.items() if count > 1} == set()


def test_a_changed_question_has_a_new_extractor_version(backfill: Backfill) -> None:
    recorded = orjson.loads(DIGESTS.read_bytes()).get(backfill.name, {})
    version = backfill.extractor_version

    digest = question_digest(backfill)

    told = f"`make record-version NAME={backfill.name}`"
    assert version in recorded, f"{version} of {backfill.name} is new: record it by {told}"
    assert recorded[version] == digest, (
        f"The prompt, schema, model or template of {backfill.name} changed, but its"
        f" extractor_version is still {version}: give it a new one, and record that by {told}."
    )


def test_every_recorded_backfill_still_exists() -> None:
    gone = set(orjson.loads(DIGESTS.read_bytes())) - set(NAMES)

    assert not gone, f"take {', '.join(gone)} out of {DIGESTS.name}"


def test_a_new_version_is_recorded_beside_the_others_in_order(tmp_path: Path) -> None:
    file = tmp_path / "digests.json"
    file.write_text('{"songs": {"older": "a digest"}}')

    said = [record(name, file) for name in ("songs", "job_enrichment", "songs")]

    assert said == [
        "gemini_batch_v1 of songs is recorded.",
        "gemini_enrichment_v1 of job_enrichment is recorded.",
        "gemini_batch_v1 of songs was recorded already.",
    ]
    recorded = orjson.loads(file.read_bytes())
    assert list(recorded) == ["job_enrichment", "songs"]
    digest = question_digest(DECLARED["songs"])
    assert recorded["songs"] == {"gemini_batch_v1": digest, "older": "a digest"}


def test_a_recorded_version_keeps_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "digests.json"
    record("songs", file)
    before = file.read_bytes()
    changed = replace(DECLARED["songs"], model="gemini-3.5-flash-lite")
    monkeypatch.setattr(backfills, "declared", lambda: {"songs": changed})

    with pytest.raises(VersionChangedError, match="an extractor_version of its own") as refused:
        record("songs", file)

    assert "\n" not in str(refused.value)
    assert file.read_bytes() == before


def test_what_no_module_declares_cannot_be_recorded(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="there are: chunk_concepts"):
        record("song", tmp_path / "digests.json")


def test_an_unknown_backfill_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"there are: .*passage_concepts"):
        backfills.get("passages_concept")


def test_a_passage_may_say_1024_tokens_and_a_job_in_doubt_is_looked_for_ten_minutes() -> None:
    assert DECLARED["passage_concepts"].max_output_tokens == 1024
    assert Settings.model_fields["recreate_after_seconds"].default == 600
