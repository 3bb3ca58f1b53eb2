"""What the diet saves: tokens of the same answers, under their own names and on the diet.

python -m bench.diet prints tokens an answer of passage_concepts, for what the emulator answers to
real text. Nothing is timed.

Tokens are the emulator's, four characters each. Gemini's are not: in the vocabulary by which the
SDK counts them (gemma3, read on 2026-11-28) "confidence" is one token as "c" is: there short names
save nothing, and only what is left out does.
"""

from random import Random
from statistics import mean
from typing import Any

import orjson
from pydantic import BaseModel

from bench.table import Row, emit
from deployments.local.emulator import tokens
from deployments.local.emulator.answers import compile_schema
from deployments.local.emulator.passage import Passage
from deployments.local.sample_passages import passages
from tasks import backfills
from tasks.core.requests import response_schema
from tasks.core.wire import names_of, slimmed

ANSWER = backfills.declared()["passage_concepts"].answer_model
NAMES = names_of(ANSWER)
PASSAGES = 300
TARGET = 0.70


def main() -> None:
    """Print the table."""
    plain, renamed, diet = [], [], []
    for answer in _answers():
        said = answer.model_dump()
        plain.append(_tokens(said))
        renamed.append(_tokens(_renamed(said)))
        diet.append(_tokens(slimmed(answer, NAMES)))
    share = sum(diet) / sum(plain)
    print(
        f"{mean(plain):.0f} tokens plain, {mean(renamed):.0f} with short names,"
        f" {mean(diet):.0f} on the diet, {1 - share:.1%} less"
    )
    ours, floor = f"{mean(diet):.0f} tokens", f"{mean(plain):.0f} plain"
    emit(
        Row(
            16,
            "tokens out on the diet",
            ours,
            floor,
            f"{share:.2f}",
            f"<= {TARGET}",
            share <= TARGET,
        )
    )


def _answers() -> list[BaseModel]:
    """Return answers to real passages, the same every time."""
    make = compile_schema(response_schema(ANSWER))
    found = []
    for number, (_, text) in enumerate(passages(PASSAGES)):
        random = Random(number)  # noqa: S311 - always the same examples
        found.append(ANSWER.model_validate(make(Passage(text, random))))
    return found


def _renamed(said: Any) -> Any:  # noqa: ANN401 - JSON
    """Return an answer with its letters for names, and all that it says."""
    concepts = [
        {NAMES[f"concepts.{name}"]: value for name, value in concept.items()}
        for concept in said["concepts"]
    ]
    return {NAMES["concepts"]: concepts}


def _tokens(said: Any) -> int:  # noqa: ANN401 - JSON
    return tokens.of(orjson.dumps(said).decode())


if __name__ == "__main__":
    main()
