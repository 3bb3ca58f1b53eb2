"""Reports: Jinja templates under tasks/templates/, and the dated files they become."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact

from tasks.adapters.settings import settings
from tasks.adapters.stages import in_thread
from tasks.adapters.whole_files import whole
from tasks.core.markdown import Markdown, inert
from tasks.core.unseen import printable

_ROOT = Path(__file__).resolve().parents[1] / "templates"


def render(template: str, **values: object) -> str:
    """Return a report as Markdown; a value that the template names and nobody gave is an error."""
    return _environment(template.endswith(".md")).get_template(template).render(**values)


def save(name: str, text: str, now: datetime, suffix: str = ".md") -> Path:
    """Write a report whose name begins with its date and time; return its path."""
    path = dated(name, now, suffix)
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


async def show(name: str, kind: str, page: str, about: str) -> Path:
    """Put a page about a backfill on the run's page and into a dated file; return its path.

    Not in a task: the UI lists only what a flow itself made under the run's artifacts.
    """
    path = await in_thread(save)(f"{name}-{kind}", page, datetime.now(UTC))
    key = f"{name.replace('_', '-')}-{kind}"
    await acreate_markdown_artifact(key=key, markdown=page, description=about)
    get_run_logger().info("%s: %s", kind.capitalize(), path)
    return path


def dated(name: str, now: datetime, suffix: str) -> Path:
    """Return where a report of that name and time is written."""
    return settings().reports_dir / f"{now:%Y-%m-%d-%H%M%S}-{name}{suffix}"


@cache
def _environment(is_page: bool) -> Environment:  # noqa: FBT001 - the only argument
    # Markdown, not HTML: what is put in stays data by `inert`.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(_ROOT),
        finalize=inert if is_page else _shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["as_it_is"] = Markdown
    return environment


def _shown(value: object) -> object:
    """Return what goes into a picture or a draft: XML has no place for controls."""
    return printable(value) if isinstance(value, str) else value
