"""The usual line of an output file: one candidate with one text, nothing odd about it.

Only what is needed of a line is made into Python objects. Whatever is unusual is refused, and read
the long way by tasks.core.responses, which gives the same for a usual line.
"""

from typing import Annotated

import msgspec

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Camel(msgspec.Struct, rename="camel", gc=False):
    pass


class Part(_Camel):
    """The one part of an answer; whatever is said about thoughts is unusual."""

    text: str
    thought: None = None


class Content(_Camel):
    """What the model said, in exactly one part."""

    parts: tuple[Part]


class Candidate(_Camel):
    """The one answer to a request."""

    content: Content
    finish_reason: str | None = None
    grounding_metadata: None = None


class Tokens(_Camel):
    """Tokens as the service counts them."""

    prompt_token_count: _Count = 0
    tool_use_prompt_token_count: _Count = 0
    candidates_token_count: _Count = 0
    thoughts_token_count: _Count = 0
    cached_content_token_count: _Count = 0


class Body(_Camel):
    """The service's response to one request, that neither blocks it nor answers it twice."""

    candidates: tuple[Candidate]
    usage_metadata: Tokens = msgspec.field(default_factory=Tokens)
    model_version: str | None = None
    prompt_feedback: None = None


class UsualLine(_Camel):
    """One line without an error."""

    key: str
    response: Body
    error: None = None


_decode = msgspec.json.Decoder(UsualLine).decode


def usual(line: bytes) -> UsualLine | None:
    """Return the line if it is a usual one."""
    try:
        # Bytes that are no UTF-8 would go unnoticed in what is skipped.
        if not line.isascii():
            line.decode()
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
