from deployments.conformance import report
from deployments.conformance.record import Answer, Observation, Record


def seen(status: int = 200, call: str = "GET v1beta/x", **body: str) -> Observation:
    shape = {"HTTP": [str(status)]} | {f"body.{key}": [kind] for key, kind in body.items()}
    return Observation(sdk=["dict"], answers=[Answer(call=call, shape=shape)])


def record(**observations: Observation) -> Record:
    made = Record(url=None, model="a-model", embedding_model="a-vector-model")
    for call, observation in observations.items():
        made.see(call.replace("__", ": ").replace("_", " "), observation)
    return made


def sentences(service: Record, emulator: Record) -> list[str]:
    return report.text(service, report.compare(service, emulator)).splitlines()[1:]


def test_each_difference_is_one_line_below_its_call() -> None:
    service, emulator = record(models=seen(name="text")), record(models=seen(name="number", n="a"))

    assert sentences(service, emulator) == [
        "models",
        "  GET v1beta/x, body.n: the service says nothing, the emulator says a",
        "  GET v1beta/x, body.name: the service says text, the emulator says number",
        "differences: 2",
    ]


def test_what_the_service_had_no_time_for_is_no_difference() -> None:
    service = record(models=seen(503), job_good__created=seen(429))
    emulator = record(models=seen(), job_good__created=seen(), job_good__line_a=seen())

    assert sentences(service, emulator) == [
        "not seen: models (answered 503)",
        "not seen: job good: created (answered 429)",
        "no difference",
    ]


def test_an_answer_that_was_lost_does_not_hide_what_became_of_the_job() -> None:
    service = record(job_good__ended=seen(done="True"))
    service.unseen["job good: created"] = "the answer was lost"
    service.jobs["good"] = "batches/a"
    emulator = record(job_good__created=seen(), job_good__ended=seen(done="False"))

    found = report.compare(service, emulator)

    assert [each.call for each in found] == ["job good: ended"]


def test_the_emulators_own_trouble_is_a_difference() -> None:
    found = sentences(record(models=seen()), record(models=seen(500)))

    assert found[0] == "models"
    assert "the service says dict, the emulator says answered 500" in found[1]


def test_a_line_that_one_side_does_not_write_is_told() -> None:
    service = record(job_good__ended=seen())
    emulator = record(job_good__ended=seen(), job_good__line_a=seen(call="line", key="text"))

    assert sentences(service, emulator)[0] == "job good: line a"
