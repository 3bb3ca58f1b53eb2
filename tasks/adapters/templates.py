"""Reports are Jinja templates under tasks/templates/."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_ROOT = Path(__file__).resolve().parents[1] / "templates"


def render(template: str, **values: object) -> str:
    """Return a report as Markdown; a value that the template names and nobody gave is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    # Markdown, not HTML: Prefect renders it safely, and escaping would show in the files.
    return Environment(  # noqa: S701
        loader=FileSystemLoader(_ROOT),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
