"""What is wrong with an embedding, in every type of column that holds one."""

import json

import pytest
from engine_hand import Engine

REAL = [0.036084391824351615 * (1 if place % 3 else -1) for place in range(768)]
STEPS = [0.414 + place / 1000 for place in range(768)]
WRAPPED = [round((0.414 + place / 1000) % 1, 3) for place in range(768)]
JSON_COLUMNS = ("jsonb", "text", "float8[]", "real[]", "vector")


@pytest.mark.parametrize("column", JSON_COLUMNS)
@pytest.mark.parametrize(
    ("values", "flaw"),
    [
        pytest.param(REAL, None, id="real"),
        pytest.param(REAL[:384], "dimension 384", id="half"),
        pytest.param(STEPS, "sequential", id="sequential"),
        pytest.param(
            [value + (place % 2) * 1e-7 for place, value in enumerate(STEPS)],
            "sequential",
            id="rounded",
        ),
        pytest.param(WRAPPED, "sequential", id="wrapped"),
        pytest.param([0.5] * 768, "sequential", id="constant"),
        pytest.param([0.0] * 768, "all zeros", id="zeros"),
        pytest.param(None, "null", id="null"),
    ],
)
def test_a_placeholder_is_known_in_every_type_of_column(
    engine: Engine, column: str, values: list[float] | None, flaw: str | None
) -> None:
    written = None if values is None else json.dumps(values)
    if written and column.endswith("[]"):
        written = "{" + written[1:-1] + "}"
    if column == "vector":
        engine.sql("create extension if not exists vector")
    engine.sql(f"create table found (embedding {column})")
    engine.sql("insert into found values (%(written)s)", written=written)

    said = engine.sql("select backfill.embedding_flaw(to_jsonb(embedding), 768) as flaw from found")

    assert said == [{"flaw": flaw}]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "n/a", "[0.1, x]", "[1.2.3, 4]", '{"a": 1}', "[1e999]"]
)
def test_a_text_that_is_no_vector_is_a_flaw_and_no_error(engine: Engine, text: str) -> None:
    said = engine.sql(
        "select backfill.embedding_flaw(to_jsonb(%(text)s::text), 768) as flaw", text=text
    )

    assert said[0]["flaw"] in {"null", "no values", "not a list of numbers", "dimension 1"}
