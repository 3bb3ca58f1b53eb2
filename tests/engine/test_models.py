"""Another model is a line in the site file away: what it is asked follows from the table."""

from pathlib import Path

import pytest
from engine_hand import NAME, Engine, configure

from tasks.adapters.reference import models, today
from tasks.core.backfill import DEFAULT_MODEL

ROWS = 200


@pytest.mark.parametrize(
    "model",
    [
        "gemini-2.5-flash-lite",
        "gemini-3.8-flash",
        *(
            pytest.param(name, marks=pytest.mark.long)
            for name in (DEFAULT_MODEL, "gemini-3.5-flash-lite")
        ),
    ],
)
def test_a_run_of_200_takes_another_model_by_one_line(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    site = tmp_path / "backfills.toml"
    site.write_text(f'[{NAME}]\nmodel = "{model}"\n')
    configure(monkeypatch, site_file=site)
    engine.set(old_keys=not models().find(model).new_keys)
    engine.load_samples(ROWS)

    said = engine.summary()

    assert said.startswith(f"{ROWS} targets: {ROWS} written"), said
    engine.check()
    bill = engine.http.get("/bill").json()
    assert set(bill["batch"]) | set(bill["online"]) == {model}
    [paid] = engine.sql("select sum(cost_usd)::float as usd from backfill.slices")
    price, batch = models().billed(model, today()).price_on(today()), bill["batch"][model]
    tokens_out = batch["output_tokens"] + batch["thought_tokens"]
    assert paid["usd"] == pytest.approx(
        price.usd(batch["input_tokens"], tokens_out, "batch"), rel=0.02
    )
