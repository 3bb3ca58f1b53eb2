"""What a 429 says, in the bodies that were seen in the field."""

import pytest

from tasks.core.refusals import is_daily, retry_after

RPC = "type.googleapis.com/google.rpc."


def _body(quota_id: str = "", delay: object = None, message: str = "") -> dict[str, object]:
    details: list[dict[str, object]] = [{"@type": f"{RPC}Help", "links": []}]
    if quota_id:
        details.append({"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": quota_id}]})
    if delay is not None:
        details.append({"@type": f"{RPC}RetryInfo", "retryDelay": delay})
    return {"error": {"code": 429, "message": message, "details": details}}


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (_body(delay="54s"), 54.0),
        (_body(delay="3.5s"), 3.5),
        (_body(delay="soon", message="Please retry in 54.05s."), 54.05),
        (_body(), None),
        ("<html>too many</html>", None),
        ({"error": "no"}, None),
    ],
)
def test_the_time_to_come_again_is_read(body: object, seconds: float | None) -> None:
    assert retry_after(body) == seconds


def test_a_quota_of_the_day_is_told_from_one_of_the_minute() -> None:
    assert is_daily(_body("GenerateRequestsPerDayPerProjectPerModel-FreeTier"))
    assert not is_daily(_body("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"))
    assert not is_daily(_body())
