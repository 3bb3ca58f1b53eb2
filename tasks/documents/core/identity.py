"""Who is who in the index: ids that depend on content alone."""

from tasks.core.identity import digest

_LENGTH = 32  # hex digits: 128 bits


def logical_key_id(
    stage: str, combo_id: str, template_id: str, model_id: str, parent_doc_id: str | None = None
) -> str:
    """Return the id of the question a document answers, whichever attempt it is.

    The parent stands for what went in; without one, the combination does.
    """
    origin = ("parent", parent_doc_id) if parent_doc_id else ("combo", combo_id)
    return digest((stage, *origin, template_id, model_id))[:_LENGTH]


def doc_id(logical_key: str, run_id: str, source_csv: str, row_key: str) -> str:
    """Return the id of one attempt: the same row under the same run is the same document."""
    return digest((logical_key, run_id, source_csv, row_key))[:_LENGTH]
