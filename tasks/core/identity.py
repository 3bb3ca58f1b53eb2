"""Who is who: content-derived ids for answers, slices and jobs."""

import hashlib
from collections.abc import Iterable
from uuid import UUID


def digest(parts: Iterable[str | bytes]) -> str:
    """Return the SHA-256 hex digest of length-prefixed parts, so that ("ab","c") != ("a","bc").

    The prefix is the length in UTF-8 bytes and a colon; sql/migrations does the same.
    """
    sha = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        sha.update(f"{len(raw)}:".encode())
        sha.update(raw)
    return sha.hexdigest()


def content_hash(text: str) -> UUID:
    """Return the first 128 bits of the SHA-256 of a target's text."""
    return UUID(bytes=hashlib.sha256(text.encode()).digest()[:16])


def doc_id(backfill: str, extractor_version: str, target_id: str, content: UUID) -> UUID:
    """Return the identity of one answer: 128 bits over everything that the answer depends on."""
    return UUID(digest((backfill, extractor_version, target_id, str(content)))[:32])


def display_name(slice_id: str, input_digest: str) -> str:
    """Return the name a slice's batch job goes by, the same however often it is computed."""
    return f"bf-{slice_id}-{input_digest[:16]}"


def lock_key(*parts: str) -> int:
    """Return a signed 64-bit key for a Postgres advisory lock."""
    return int.from_bytes(bytes.fromhex(digest(parts)[:16]), signed=True)
