"""What is wrong with an embedding, in every type of column that holds one."""

import json

from engine_hand import Engine

REAL = [0.036084391824351615 * (1 if place % 3 else -1) for place in range(768)]
STEPS = [0.414 + place / 1000 for place in range(768)]
WRAPPED = [round((0.414 + place / 1000) % 1, 3) for place in range(768)]
FLAWS: dict[str, tuple[list[float] | None, str | None]] = {
    "real": (REAL, None),
    "half": (REAL[:384], "dimension 384"),
    "sequential": (STEPS, "sequential"),
    "rounded": ([value + (n % 2) * 1e-7 for n, value in enumerate(STEPS)], "sequential"),
    "wrapped": (WRAPPED, "sequential"),
    "constant": ([0.5] * 768, "sequential"),
    "zeros": ([0.0] * 768, "all zeros"),
    "null": (None, "null"),
}


def test_a_placeholder_is_known_in_every_type_of_column(engine: Engine) -> None:
    engine.sql("create extension if not exists vector")
    for column in ("jsonb", "text", "float8[]", "real[]", "vector"):
        for name, (values, flaw) in FLAWS.items():
            written = None if values is None else json.dumps(values)
            if written and column.endswith("[]"):
                written = "{" + written[1:-1] + "}"
            [said] = engine.sql(
                f"select backfill.embedding_flaw(to_jsonb(%(written)s::{column}), 768) as flaw",
                written=written,
            )
            assert (column, name, said["flaw"]) == (column, name, flaw)


def test_a_text_that_is_no_vector_is_a_flaw_and_no_error(engine: Engine) -> None:
    for text in ("", "[]", "{}", "n/a", "[0.1, x]", "[1.2.3, 4]", '{"a": 1}', "[1e999]"):
        [said] = engine.sql(
            "select backfill.embedding_flaw(to_jsonb(%(text)s::text), 768) as flaw", text=text
        )
        assert said["flaw"] in {"null", "no values", "not a list of numbers", "dimension 1"}, text
