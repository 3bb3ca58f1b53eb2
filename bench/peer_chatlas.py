"""chatlas asking the same passages as one batch that it can resume. A peer, not ours."""

import json
import os
from pathlib import Path

import psycopg
from chatlas import ChatGoogle, batch_chat_structured

from bench.peer_script import INSERT
from tasks.adapters import site
from tasks.backfills.passage_concepts import BACKFILL


def main() -> None:
    """Ask every passage and insert the concepts that come back."""
    url = os.environ["BACKFILL_DATABASE_URL"]
    with psycopg.connect(url) as connection:
        passages = connection.execute(
            "select passage_id::text, passage_text from passages order by 1"
        ).fetchall()
    chat = ChatGoogle(
        model=BACKFILL.model,
        system_prompt=site.prompt(BACKFILL),
        api_key=os.environ["GEMINI_API_KEY"],
    )
    answers = batch_chat_structured(
        chat,
        [text for _, text in passages],
        Path(os.environ["BACKFILL_WORK_DIR"]) / "state.json",
        BACKFILL.answer_model,
    )
    with psycopg.connect(url) as connection:
        for (key, _), answer in zip(passages, answers, strict=True):
            rows = [
                (key, each.name, each.type, json.dumps(each.aliases), each.confidence, "m", "{}")
                for each in (answer.concepts if answer else ())
            ]
            connection.cursor().executemany(INSERT, rows)


if __name__ == "__main__":
    main()
