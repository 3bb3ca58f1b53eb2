"""A few rows asked at once with a prompt or model of one's own: seen whole, written nowhere."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from engine_hand import NAME, Engine, sample_text
from prefect.client.schemas.objects import State

from deployments.save_prompt import save_prompt
from flows.try_rows import try_rows
from tasks.adapters.reference import models, today
from tasks.adapters.settings import settings
from tasks.core.backfill import DEFAULT_MODEL
from tasks.core.errors import BackfillError

OTHER = "gemini-3.5-flash-lite"
PROMPT = "Name what {{ concept_types }} the text speaks of.\n\n# Then stop <b>at once</b>."
HOSTILE = "### 1. <script>alert(1)</script> [a](http://x.test) | `b`\n```\nhow hash tables work."


@pytest.fixture
def engine(fresh: Engine) -> Engine:
    """Return the engine before its first run."""
    return fresh


def tried(**form: object) -> State[Any]:
    return asyncio.run(try_rows.fn(name=NAME, **form))  # type: ignore[arg-type]


def page() -> str:
    """Return the page of the last try."""
    return max(settings().reports_dir.glob("*-try.md")).read_text(encoding="utf-8")


def paid(engine: Engine) -> dict[str, float]:
    """Return what the ledger says that tries cost, by model."""
    rows = engine.sql(
        "select model, sum(cost_usd)::float as usd from backfill.tries group by model"
    )
    return {row["model"]: row["usd"] for row in rows}


def billed(engine: Engine) -> dict[str, float]:
    """Return what the service charges, by model."""
    bill = engine.http.get("/bill").json()
    return {
        model: models()
        .find(model)
        .price_on(today())
        .usd(each["input_tokens"], each["output_tokens"] + each["thought_tokens"], "interactive")
        for model, each in bill["online"].items()
    }


def test_rows_are_shown_with_their_request_answer_quotes_and_cost_and_nothing_is_written(
    engine: Engine,
) -> None:
    engine.load_samples(7)
    engine.fault("invented_quotes", match={"text": "Chapter 3 deals"})
    before = engine.sql("select * from passage_concepts order by 1, 2, 3")

    said = str(tried(count=7).message)

    shown = page()
    assert said.startswith(f"7 rows of {NAME} asked of {DEFAULT_MODEL}, usable answers: 7;")
    assert "All 7 that remain would cost about 0." in said
    assert shown.count("\n### ") == 7
    assert "exact, characters" in shown
    assert "it is not in the text: the nearest words score" in shown
    assert '"responseMimeType":' in shown
    assert "    concept_name: " in shown
    assert max(map(len, shown.splitlines())) < 2_000
    assert paid(engine) == pytest.approx(billed(engine))
    assert engine.sql("select * from passage_concepts order by 1, 2, 3") == before
    assert engine.sql("select count(*) as n from backfill.versions") == [{"n": 0}]
    assert engine.slices() == engine.generations() == []
    assert engine.summary().startswith("7 targets: 7 written")


def test_another_prompt_and_model_are_tried_on_chosen_rows_and_the_prompt_is_saved(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = engine.load(*map(sample_text, range(4)), HOSTILE)
    engine.summary()
    online = engine.http.get("/bill").json()["online"][DEFAULT_MODEL]["requests"]

    said = str(tried(prompt=PROMPT, model=OTHER, ids=f"{ids[4]},{ids[1]}").message)

    shown = page()
    assert f"2 rows of {NAME} asked of {OTHER}" in said
    assert "All 5 that remain" in said, "another question is asked of all rows"
    assert "its version would be `gemini_batch_v2`" in shown
    assert "    # Then stop <b>at once</b>." in shown, "in a block nothing is read"
    assert "Name what `method`, `objective`" in shown
    assert "\\<script\\>alert(1)\\</script\\>" in shown
    assert not [line for line in shown.splitlines() if line.startswith(("### 1. <", "```"))]
    assert paid(engine) == {OTHER: pytest.approx(billed(engine)[OTHER])}
    assert engine.http.get("/bill").json()["online"][DEFAULT_MODEL]["requests"] == online
    site = tmp_path / "backfills.toml"
    site.write_text("")
    monkeypatch.setenv("BACKFILL_SITE_FILE", str(site))
    settings.cache_clear()
    told = save_prompt(NAME)
    saved = tmp_path / "prompts" / f"{NAME}-gemini_batch_v2.md"
    assert saved.read_text() == f"{PROMPT}\n"
    assert all(
        part in told for part in (str(saved), 'extractor_version = "gemini_batch_v2"', OTHER)
    )
    with pytest.raises(BackfillError, match="is there already"):
        save_prompt(NAME)


def test_a_typed_text_is_tried_and_the_cap_ends_what_it_does_not_allow(engine: Engine) -> None:
    engine.load_samples(5)

    typed = str(tried(text=sample_text(77)).message)
    few = str(tried(cap_usd=0.003).message)

    assert typed.startswith("1 row of")
    assert "what is left of the cap is below one request" in few
    spent = sum(paid(engine).values())
    assert spent == pytest.approx(sum(billed(engine).values()))
    [last] = engine.sql(
        "select cost_usd::float as usd from backfill.tries order by tried_at desc limit 1"
    )
    assert 0 < last["usd"] <= 0.003


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"ids": "nobody"}, "passages has no row 'nobody', or it was forgotten on request."),
        ({"ids": "a,b,c"}, "passages has no row 'a' (and 2 more of these), or it was forgotten"),
        ({"text": " \n\u200b"}, "The text is empty: type one, or empty the field to try rows."),
        ({"text": "a", "ids": "b"}, "Give ids or a text, not both"),
        ({"prompt": " \n"}, "The prompt holds no text: write one, or empty the field"),
        ({"prompt": "{{ mood }}"}, "The prompt has {{ mood }}, which is no option"),
        ({"model": "gemini-flash"}, "There is no model 'gemini-flash' in tasks/models.toml"),
        ({"model": "gemini-embedding-2"}, "makes vectors, not answers"),
        ({"model": "gemini-2.0-flash"}, "was shut down on"),
        ({"cap_usd": 0.0001}, "A cap of 0.0001 USD is below one request: of gemini-3.1-flash"),
        ({"ids": ",".join(map(str, range(51)))}, "At most 50 rows are tried at once"),
    ],
)
def test_bad_input_is_one_sentence_and_asks_nothing(
    engine: Engine, form: dict[str, object], sentence: str
) -> None:
    engine.load_samples(1)

    with pytest.raises(BackfillError) as raised:
        tried(**form)

    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
    assert engine.calls("models.generateContent") == 0
    assert engine.sql("select * from backfill.tries") == []
