"""The service's errors: one exception, and the bodies that were seen in the field."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

RPC = "type.googleapis.com/google.rpc."
# google.rpc.Code: the number, the word, and the HTTP status that it comes as.
CODES = {
    1: ("CANCELLED", 499),
    2: ("UNKNOWN", 500),
    3: ("INVALID_ARGUMENT", 400),
    4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404),
    6: ("ALREADY_EXISTS", 409),
    7: ("PERMISSION_DENIED", 403),
    8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400),
    10: ("ABORTED", 409),
    11: ("OUT_OF_RANGE", 400),
    12: ("UNIMPLEMENTED", 501),
    13: ("INTERNAL", 500),
    14: ("UNAVAILABLE", 503),
    15: ("DATA_LOSS", 500),
    16: ("UNAUTHENTICATED", 401),
}
# Where several words come as one status, the word that it usually is.
STATUS = {http: word for word, http in reversed(CODES.values())} | {
    500: "INTERNAL",
    502: "UNAVAILABLE",
}
MESSAGE = {
    429: "Resource has been exhausted (e.g. check quota).",
    500: "An internal error has occurred. Please retry or report.",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}
HELP = {
    "@type": f"{RPC}Help",
    "links": [
        {
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        }
    ],
}
KEY_INVALID = {
    "@type": f"{RPC}ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
    "metadata": {"service": "generativelanguage.googleapis.com"},
}


class ApiError(Exception):
    """A refusal, as the service words it."""

    def __init__(
        self,
        code: int,
        message: str = "",
        details: list[dict[str, Any]] | None = None,
        status: str = "",
    ) -> None:
        super().__init__(message or MESSAGE.get(code, "Request failed."))
        self.code = code
        self.details = details
        self.status = status or STATUS.get(code, "UNKNOWN")

    def body(self) -> dict[str, Any]:
        """Return the error envelope."""
        error = {
            "code": self.code,
            "message": str(self),
            "status": self.status,
        }
        return {"error": error | ({"details": self.details} if self.details else {})}

    def response(self) -> Response:
        """Return the HTTP answer."""
        return answer(self.body(), self.code)


def answer(body: object, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON as the service does."""
    content = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    return Response(content, code, headers=headers, media_type="application/json; charset=UTF-8")


def of_line(error: Mapping[str, Any]) -> ApiError:
    """Return an error line as an online call answers it."""
    code = int(error["code"])
    status, http = CODES.get(code, ("", code))
    return ApiError(http, str(error["message"]), error.get("details"), status)


def batch_quota() -> ApiError:
    """Return the 429 of a batch create, which carries the Help detail alone."""
    return ApiError(
        429,
        "You exceeded your current quota, please check your plan and billing details. "
        "For more information on this error, head to: "
        "https://ai.google.dev/gemini-api/docs/rate-limits.",
        [HELP],
    )


def online_quota(limit: int, model: str, retry_seconds: float) -> ApiError:
    """Return the 429 of an online call: Help, QuotaFailure and RetryInfo."""
    metric = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
    violation = {
        "quotaMetric": metric,
        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(limit),
    }
    return ApiError(
        429,
        "You exceeded your current quota, please check your plan and billing details. "
        f"* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}\n"
        f"Please retry in {retry_seconds:.2f}s.",
        [
            HELP,
            {"@type": f"{RPC}QuotaFailure", "violations": [violation]},
            {"@type": f"{RPC}RetryInfo", "retryDelay": f"{int(retry_seconds) + 1}s"},
        ],
    )


def no_file(name: str) -> ApiError:
    """Return what an unknown, expired or foreign file answers."""
    return ApiError(
        403, f"You do not have permission to access the File {name} or it may not exist."
    )


def no_entity() -> ApiError:
    """Return what an unknown, deleted or foreign batch answers."""
    return ApiError(404, "Requested entity was not found.")
