"""What becomes of a response: an answer of the backfill's model, or a refusal with its reason."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from tasks.core.backslashes import restored
from tasks.core.candidates import Candidate, Candidates, trouble_of
from tasks.core.mending import Fitting, fitting
from tasks.core.responses import Response
from tasks.core.salvage import is_beyond

A = TypeVar("A")
M = TypeVar("M", bound=BaseModel)


class BadReason(StrEnum):
    """Why a generation is bad; the values stand in the ledger."""

    REFUSED_REQUEST = "refused_request"
    SERVICE_ERROR = "service_error"
    NO_QUOTA = "no_quota"
    ERROR_LINE = "error_line"
    BLOCKED = "blocked"
    SAFETY = "safety"
    RECITATION = "recitation"
    MAX_TOKENS = "max_tokens"
    UNKNOWN_FINISH = "unknown_finish"
    NO_CONTENT = "no_content"
    NOT_JSON = "not_json"
    WRONG_SHAPE = "wrong_shape"
    LOST_ITEMS = "lost_items"
    SEVERAL_ANSWERS = "several_answers"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    JOB_FAILED = "job_failed"
    REJECTED_LINE = "rejected_line"
    UNREAD = "unread"
    REFUSED_BY_DATABASE = "refused_by_database"
    THINNED = "thinned"
    RECORDS_FAILED = "records_failed"
    LEFT_OUT = "left_out"
    CROSSED = "crossed"

    @property
    def explanation(self) -> str:
        """Return one line for people."""
        return _EXPLANATIONS[self]

    @property
    def is_asked_again(self) -> bool:
        """Return whether another try can help."""
        return self not in _FINAL

    @property
    def is_unpaid(self) -> bool:
        """Return whether it says nothing of the request: it waits, and this was no try."""
        return self in _UNPAID


_EXPLANATIONS = {
    BadReason.REFUSED_REQUEST: "The service refuses this request, however often it is asked.",
    BadReason.SERVICE_ERROR: "The service failed at this request; it is asked again later.",
    BadReason.NO_QUOTA: "The service had no quota for this request; it is asked again later.",
    BadReason.ERROR_LINE: "The service answered this request with an error.",
    BadReason.BLOCKED: "The service refused the prompt and gave no answer.",
    BadReason.SAFETY: "The service stopped the answer for its content.",
    BadReason.RECITATION: "The service stopped the answer because it recites known text.",
    BadReason.MAX_TOKENS: "The answer was cut off at the token limit.",
    BadReason.UNKNOWN_FINISH: "The answer ended for a reason other than being finished.",
    BadReason.NO_CONTENT: "The answer holds no text.",
    BadReason.NOT_JSON: "The answer is not JSON and cannot be read as such.",
    BadReason.WRONG_SHAPE: "The answer is JSON but not what was asked for.",
    BadReason.LOST_ITEMS: "The answer ends early; items may be lost.",
    BadReason.SEVERAL_ANSWERS: "The response holds several answers, and they differ.",
    BadReason.UNREADABLE: "The line in the output file cannot be read.",
    BadReason.MISSING: "The job ended without a line for this request.",
    BadReason.JOB_FAILED: "Every job that carried this request failed.",
    BadReason.UNREAD: "The present schema cannot read it: mend that, then run reread/kept-answers.",
    BadReason.REJECTED_LINE: "The service refuses every job that holds this request.",
    BadReason.REFUSED_BY_DATABASE: "The target's table refuses the rows of this answer.",
    BadReason.THINNED: "Its rows are missing, and its answer is kept no more.",
    BadReason.RECORDS_FAILED: "The backfill's own `records` fails at this answer, which is kept.",
    BadReason.LEFT_OUT: "Asked with others, it got no answer of its own; it is asked again alone.",
    BadReason.CROSSED: "Asked with others, it got another row's answer; it is asked again alone.",
}


class Answered(NamedTuple, Generic[A]):
    """An answer that can be used; marked where it had to be repaired, or may lack items.

    `mended` has one word for each value that was mended or dropped: `mended:concepts.confidence`.
    """

    answer: A
    repaired: bool = False
    lost_items: bool = False
    mended: tuple[str, ...] = ()


class Refused(NamedTuple, Generic[A]):
    """A response that cannot be used; its reason says whether asking again can help.

    `salvaged` is what could be read of an answer that was cut off: a last resort, for when asking
    again did not help either.
    """

    reason: BadReason
    detail: str
    salvaged: Answered[A] | None = None


# What is refused for its content, or for what it asks, is refused again; what no job brought to an
# answer was in four of them; what a table refuses it refuses in other words as well.
_FINAL = {
    BadReason.REFUSED_REQUEST,
    BadReason.BLOCKED,
    BadReason.SAFETY,
    BadReason.JOB_FAILED,
    BadReason.REJECTED_LINE,
    BadReason.UNREAD,
    BadReason.REFUSED_BY_DATABASE,
    BadReason.THINNED,
    BadReason.RECORDS_FAILED,
}
_UNPAID = {BadReason.SERVICE_ERROR, BadReason.NO_QUOTA}
_CONTENT = ("SAFETY", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")
_FINISH_REASONS = {
    **dict.fromkeys(_CONTENT, BadReason.SAFETY),
    "RECITATION": BadReason.RECITATION,
}
_FINISHED = {None, "STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED"}
# A line's error is a google.rpc.Status with a number of gRPC; HTTP's are understood as well.
# RESOURCE_EXHAUSTED
_QUOTA_CODES = {8, 429}
# CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE, DATA_LOSS
_SERVICE_CODES = {1, 2, 4, 10, 13, 14, 15, 408, 409, 499}
_NOT_IMPLEMENTED = {12, 501, 505}
_DETAIL = 300  # characters of a reason's detail that are kept
_LONGEST, _MOST_MARKS = 1_000_000, 100_000
"""Characters, and marks of JSON in them, that are read at all: answers end at 65,536 tokens."""

_BACKSLASHES = ("mended:backslashes",)


def reason_of(code: int) -> BadReason:
    """Return whose fault an error is: the request's, the service's, the quota's, or nobody's."""
    if code in _QUOTA_CODES:
        return BadReason.NO_QUOTA
    if code in _SERVICE_CODES or (code // 100 == 5 and code not in _NOT_IMPLEMENTED):  # noqa: PLR2004
        return BadReason.SERVICE_ERROR
    if 1 <= code <= 16 or 400 <= code < 600:  # noqa: PLR2004 - all of gRPC, all errors of HTTP
        return BadReason.REFUSED_REQUEST
    return BadReason.ERROR_LINE


def judge(response: Response, answer_model: type[M]) -> Answered[M] | Refused[M]:
    """Return the response's answer, strictly validated, or why there is none.

    An answer at the token limit whose JSON is nevertheless whole has lost nothing and is accepted.
    """
    return refused_unread(response) or _read(response, answer_model)


def judge_embedding(response: Response, dimensions: int) -> Answered[list[float]] | Refused[Any]:
    """Return the response's vector if it has so many finite dimensions, or why there is none."""
    if response.error is not None or response.block_reason is not None:
        return refused_unread(response) or _refusal(BadReason.NO_CONTENT, "no embedding")
    values = response.embedding
    if not values:
        return _refusal(BadReason.NO_CONTENT, "no embedding")
    if len(values) != dimensions:
        detail = f"{len(values)} dimensions instead of {dimensions}"
        return _refusal(BadReason.WRONG_SHAPE, detail)
    return Answered(values)


def missing() -> Refused[Any]:
    """Return the refusal of a request that the output does not mention."""
    return _refusal(BadReason.MISSING, "no line with this key")


def unreadable(why: str) -> Refused[Any]:
    """Return the refusal of a request whose output line is damaged."""
    return _refusal(BadReason.UNREADABLE, why)


def _refusal(reason: BadReason, detail: str) -> Refused[Any]:
    return Refused(reason, _short(detail))


def _short(detail: str) -> str:
    """Return what the ledger keeps of a detail; Postgres has no place for NUL."""
    return detail[:_DETAIL].replace("\0", "\ufffd")


def refused_unread(response: Response) -> Refused[Any] | None:
    """Return the refusal that needs no look at the text, in order of weight."""
    if response.astray is not None:
        reason, said = response.astray
        return _refusal(BadReason(reason), said)
    if response.error is not None:
        code, message = response.error
        return _refusal(reason_of(code), f"{code}: {message}")
    if response.block_reason is not None:
        return _refusal(BadReason.BLOCKED, response.block_reason)
    finish = response.finish_reason
    if finish not in _FINISHED:
        reason = _FINISH_REASONS.get(str(finish), BadReason.UNKNOWN_FINISH)
        return _refusal(reason, str(finish))
    if finish != "MAX_TOKENS" and not (response.text and response.text.strip()):
        return _refusal(BadReason.NO_CONTENT, f"finished with {finish} and no text")
    return None


def _read(response: Response, model: type[M]) -> Answered[M] | Refused[M]:
    """Return what the text says; the usual answer fits as it stands, and nothing more is done."""
    text = response.text or ""
    if len(text) > _MOST_MARKS and is_beyond(text, _LONGEST, _MOST_MARKS):
        return _too_long(response, text)
    said = restored(text) if "\\" in text else text
    fits = fitting(model)
    try:
        answer = fits.strictly(said)
    except ValidationError as error:
        verdict = _read_brackets(response, said, fits, trouble_of(error, fits))
    else:
        verdict = Answered(answer)
    return verdict if said == text else _with_backslashes(verdict)


def _too_long(response: Response, text: str) -> Refused[M]:
    if response.finish_reason == "MAX_TOKENS":
        return _cut_off(response, None)
    detail = f"{len(text):,} characters, more than any answer has: {_shown(text)}"
    return _refusal(BadReason.NOT_JSON, detail)


def _read_brackets(
    response: Response, text: str, fits: Fitting[M], trouble: str | None
) -> Answered[M] | Refused[M]:
    """Return what stands in brackets somewhere in the text: in a fence, in prose, cut off."""
    found = Candidates(text, fits)
    answers = found.answers()
    if any(each.answer != answers[0].answer for each in answers[1:]):
        if not _is_only_full_one(answers):
            detail = f"{len(answers)} answers that differ"
            return _refusal(BadReason.SEVERAL_ANSWERS, detail)
        answers = answers[-1:]
    if not answers:
        if response.finish_reason == "MAX_TOKENS":
            return _cut_off(response, None)
        trouble = found.trouble or trouble
        reason = BadReason.NOT_JSON if trouble is None else BadReason.WRONG_SHAPE
        return _refusal(reason, trouble or _shown(text))
    return _judged(response, text, answers[0])


def _is_only_full_one(answers: Sequence[Candidate[Any]]) -> bool:
    """Say whether the last of several answers is the only one that holds anything."""
    last = answers[-1]
    others = [each.answer for each in answers if each.is_full]
    return last.is_full and all(answer == last.answer for answer in others)


def _judged(response: Response, text: str, said: Candidate[M]) -> Answered[M] | Refused[M]:
    """Return the only answer; of one that was cut off, that it is to be asked again."""
    answer = Answered(said.answer, said.is_repaired, said.lost_items, said.mended)
    if said.is_repaired and response.finish_reason == "MAX_TOKENS":
        return _cut_off(response, answer._replace(lost_items=True))
    if said.lost_items:
        return Refused(BadReason.LOST_ITEMS, _short(f"ends with {text[-60:]}"), answer)
    return answer


def _cut_off(response: Response, salvaged: Answered[M] | None) -> Refused[M]:
    detail = f"cut off after {response.usage.output_tokens} tokens"
    return Refused(BadReason.MAX_TOKENS, detail, salvaged)


def _with_backslashes(verdict: Answered[M] | Refused[M]) -> Answered[M] | Refused[M]:
    """Return the verdict on an answer in which backslashes were restored, with that noted."""
    if isinstance(verdict, Answered):
        return verdict._replace(mended=_BACKSLASHES + verdict.mended)
    if verdict.salvaged is None:
        return verdict
    salvaged = verdict.salvaged
    return verdict._replace(salvaged=salvaged._replace(mended=_BACKSLASHES + salvaged.mended))


def _shown(text: str) -> str:
    return text if len(text) <= _DETAIL else f"{text[: _DETAIL - 100]} … {text[-90:]}"
