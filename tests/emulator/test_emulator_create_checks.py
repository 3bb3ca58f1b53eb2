from typing import Any

import orjson
import pytest
from emulator_hand import SCHEMA, Hand, line, request

Json = dict[str, Any]


def refused(hand: Hand, content: list[Json] | bytes) -> str:
    answer = hand.create(hand.upload(content))
    assert answer.status_code == 400, answer.text
    assert hand.get("batches").json() == {}
    return str(answer.json()["error"]["message"])


def changed(**fields: object) -> Json:
    return {"key": "k", "request": request() | fields}


def with_schema(schema: object) -> Json:
    return {"key": "k", "request": request(responseSchema=schema)}


WRONG: dict[str, tuple[Json, str]] = {
    "an unknown field": (changed(config={}), "no such field: 'config'"),
    "thinkingConfig beside contents": (
        changed(thinking_config={"thinkingBudget": 0}),
        "no such field: 'thinking_config'",
    ),
    "a schema beside contents": (
        changed(response_schema=SCHEMA),
        "no such field: 'response_schema'",
    ),
    "a system instruction as a string": (
        changed(systemInstruction="Be brief."),
        "unexpected character: '\"'; expected '{'",
    ),
    "a system instruction as a list": (
        changed(systemInstruction=["Be brief."]),
        "unexpected character: '['; expected '{'",
    ),
    "a temperature as a word": (
        {"key": "k", "request": request(temperature="hot")},
        "expected 'number'",
    ),
    "contents as a string": (changed(contents="hello"), "expected '['"),
    "no contents": ({"key": "k", "request": {}}, "contents"),
    "no key": ({"request": request()}, "missing required field: 'key'"),
    "a key that is a number": ({"key": 7, "request": request()}, "expected '\"'"),
    "an unknown sibling of the request": (
        {"key": "k", "request": request(), "model": "m"},
        "no such field: 'model'",
    ),
    "additionalProperties": (
        with_schema({"type": "OBJECT", "additionalProperties": False}),
        "no such field: 'additionalProperties'",
    ),
    "additional_properties deep inside": (
        with_schema(
            {
                "type": "OBJECT",
                "properties": {"a": {"type": "OBJECT", "additional_properties": False}},
            }
        ),
        "no such field: 'additional_properties'",
    ),
    "$ref": (with_schema({"$ref": "#/$defs/a"}), "no such field: '$ref'"),
    "$defs": (with_schema({"type": "OBJECT", "$defs": {}}), "no such field: '$defs'"),
    "an unknown type": (with_schema({"type": "TEXT"}), "invalid enum value: 'TEXT'"),
    "an unknown safety category": (
        changed(safetySettings=[{"category": "RUDE", "threshold": "BLOCK_NONE"}]),
        "invalid enum value: 'RUDE'",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_line_is_refused_with_its_number(hand: Hand, what: str) -> None:
    wrong, reason = WRONG[what]

    message = refused(hand, [line("first"), wrong, line("third")])

    assert message.startswith("Error on line 2: ")
    assert reason in message


def test_the_column_of_an_unknown_field_is_told(hand: Hand) -> None:
    wrong = changed(config={})

    message = refused(hand, [wrong])

    raw = orjson.dumps(wrong)
    assert f"near column {raw.index(b'config') + len('config') + 1}:" in message


@pytest.mark.parametrize(
    "raw", [b"{not json}", b'{"key": "k"', b"[]", b"7", b"", b'{"key":"k","request":{}}\xff']
)
def test_a_line_that_is_no_object_is_refused(hand: Hand, raw: bytes) -> None:
    good = orjson.dumps(line("good"))

    message = refused(hand, b"\n".join([good, raw, good]))

    assert message.startswith("Error on line 2: invalid JSON")


def test_every_wrong_line_is_named_up_to_ten(hand: Hand) -> None:
    message = refused(hand, [changed(config={}) for _ in range(30)])

    assert [one.split(":")[0] for one in message.split("\n")] == [
        f"Error on line {number}" for number in range(1, 11)
    ]


def test_an_empty_file_makes_no_job(hand: Hand) -> None:
    assert "empty" in refused(hand, b"")


def test_a_last_line_may_end_without_a_newline_or_with_one(hand: Hand) -> None:
    raw = orjson.dumps(line("k"))

    codes = [hand.create(hand.upload(end)).status_code for end in (raw, raw + b"\n")]

    assert codes == [200, 200]


def test_both_spellings_of_every_field_are_taken(hand: Hand) -> None:
    snake = {
        "key": "k",
        "request": {
            "contents": [{"parts": [{"text": "hello there"}]}],
            "system_instruction": {"parts": [{"text": "Be brief."}]},
            "generation_config": {
                "max_output_tokens": "512",
                "response_mime_type": "application/json",
                "response_schema": {"type": "object", "property_ordering": ["a"]},
                "thinking_config": {"thinking_budget": 0},
            },
            "safety_settings": [
                {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}
            ],
            "tools": [{"google_search": {}}],
        },
    }

    assert hand.create(hand.upload([snake])).status_code == 200


def test_a_json_schema_may_use_defs_and_additional_properties(hand: Hand) -> None:
    schema = {
        "$defs": {"item": {"type": "object", "properties": {"name": {"type": "string"}}}},
        "type": "object",
        "additionalProperties": False,
        "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
    }
    body = request()
    del body["generationConfig"]["responseSchema"]
    body["generationConfig"]["responseJsonSchema"] = schema

    assert hand.create(hand.upload([{"key": "k", "request": body}])).status_code == 200


def test_an_unknown_field_of_the_batch_itself_is_refused(hand: Hand) -> None:
    file = hand.upload([line("k")])
    batch = {"displayName": "x", "inputConfig": {"fileName": file}, "systemInstruction": {}}

    answer = hand.post("models/gemini-2.5-flash:batchGenerateContent", {"batch": batch})

    assert answer.status_code == 400
    assert "systemInstruction" in answer.json()["error"]["message"]
