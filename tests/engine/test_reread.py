"""Kept answers read again with today's code: free, seen before it is done, corrections left."""

from engine_hand import Engine


def test_a_version_keeps_its_question_in_full_and_an_older_one_gets_it_later(
    engine: Engine,
) -> None:
    engine.load_samples(3)
    engine.summary()
    [first] = engine.sql("select meaning, digest from backfill.versions")
    meaning = first["meaning"]
    assert "concept" in meaning["prompt"]
    assert meaning["schema"]["properties"]["concepts"]["type"] == "ARRAY"
    assert (meaning["text"], meaning["models"]) == ("{passage_text}", ["gemini-3.1-flash-lite"])
    assert "method" in str(meaning["options"])
    assert "thinkingConfig" in meaning["config"]
    assert "a-key" not in str(meaning)
    engine.sql("update backfill.versions set meaning = null")

    engine.summary()

    assert engine.sql("select meaning, digest from backfill.versions") == [first]
