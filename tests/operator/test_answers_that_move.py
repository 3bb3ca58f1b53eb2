"""Export, import and forgetting, as a person starts them in the Prefect UI."""

import pytest
from deployed import Deployed


@pytest.mark.long
def test_answers_leave_come_back_and_are_forgotten_with_their_pages(on_stack: Deployed) -> None:
    on_stack.load(6)
    assert on_stack.run("backfill/pilot", limit=6)["type"] == "COMPLETED"
    [first, *_] = on_stack.sql(
        "select passage_id::text as id from passage_concepts where evidence is not null"
        " and extractor_version = 'gemini_batch_v1' order by 1"
    )
    assert first["id"] in on_stack.artifact("passage-concepts-sample")

    out = on_stack.run("export/answers", file="moved.jsonl.gz")
    back = on_stack.run("import/from-file", file="moved.jsonl.gz")
    dry = on_stack.run("forget/ids", ids=first["id"])
    done = on_stack.run("forget/ids", ids=first["id"], dry_run=False)

    assert out["message"].startswith("6 kept answers of passage_concepts in ")
    assert "6 were kept already" in back["message"]
    assert dry["name"] == "DryRun"
    assert done["name"] == "Forgotten"
    assert "1 kept answers, 1 ledger entries, 1 files, 1 pages" in done["message"]
    kept = on_stack.run("restore/withdrawn")
    assert kept["message"].startswith("Dry run: 0 targets of gemini_batch_v1 would be restored")
    again = on_stack.run("forget/ids", ids=first["id"])
    assert "0 files, 0 pages of the Prefect UI" in again["message"]
