import pytest

from deployments.conformance.shapes import Difference, differences, merged, shape


def test_a_shape_has_words_of_the_protocol_and_no_values() -> None:
    answer = {
        "name": "batches/abc",
        "done": True,
        "metadata": {
            "state": "BATCH_STATE_SUCCEEDED",
            "createTime": "2026-11-27T10:00:00.123456Z",
            "batchStats": {"requestCount": "3"},
            "output": {"responsesFile": "files/batch-abc"},
        },
        "error": {"code": 3, "message": "You said: secret", "status": "INVALID_ARGUMENT"},
    }

    assert shape(answer) == {
        "body": ["object"],
        "body.done": ["True"],
        "body.error": ["object"],
        "body.error.code": ["3"],
        "body.error.message": ["text"],
        "body.error.status": ["INVALID_ARGUMENT"],
        "body.metadata": ["object"],
        "body.metadata.batchStats": ["object"],
        "body.metadata.batchStats.requestCount": ["digits in a text"],
        "body.metadata.createTime": ["time"],
        "body.metadata.output": ["object"],
        "body.metadata.output.responsesFile": ["files/batch-…"],
        "body.metadata.state": ["BATCH_STATE_SUCCEEDED"],
        "body.name": ["batches/…"],
    }


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"text": "NASA"}, "text"),
        ({"text": '{"a": 1}'}, "JSON in a text"),
        ({"title": "BBC"}, "text"),
        ({"modality": "TEXT"}, "TEXT"),
        ({"count": 3}, "number"),
        ({"nothing": None}, "None"),
        ({"message": "Error on line 2: invalid JSON"}, "text naming lines 2"),
        ({"message": "The model is gone"}, "text about model"),
    ],
)
def test_what_a_value_is_told_as(value: dict[str, object], kind: str) -> None:
    assert shape(value)[f"body.{next(iter(value))}"] == [kind]


def test_items_of_an_array_are_told_together() -> None:
    found = shape([{"a": 1}, {"a": "x", "b": True}])

    assert found["body.[]"] == ["object"]
    assert found["body.[].a"] == ["number", "text"]
    assert found["body.[].b"] == ["True"]
    assert merged(shape({"a": 1}), shape({"b": 1})) == shape({"a": 1, "b": 1})


def test_below_what_one_side_lacks_nothing_is_listed() -> None:
    service = shape({"usage": {"total": 1, "details": [{"n": 1}]}, "state": "ONE_STATE"})
    emulator = shape({"state": "OTHER_STATE"})

    assert differences(service, emulator) == [
        Difference("body.state", ["ONE_STATE"], ["OTHER_STATE"]),
        Difference("body.usage", ["object"], []),
    ]
