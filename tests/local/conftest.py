"""A stack with a deployment of its own, apart from the product's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployments.local.ports import Ports
from deployments.local.stack import Stack

FLOW = """
import os

from prefect import flow


@flow
def hello() -> str:
    return os.environ["BACKFILL_DATABASE_URL"]
"""
YAML = """
name: small
pull:
  - prefect.deployments.steps.set_working_directory: {{directory: {project}}}
deployments:
  - {{name: small, entrypoint: "flows/greet.py:hello", work_pool: {{name: backfills}}}}
"""


@pytest.fixture(scope="session")
def project(session_dir: Path) -> Path:
    place = session_dir / "project"
    (place / "flows").mkdir(parents=True)
    (place / "flows" / "greet.py").write_text(FLOW)
    (place / "prefect.yaml").write_text(YAML.format(project=place))
    return place


@pytest.fixture(scope="module")
def small(
    session_dir: Path, project: Path, plain_environment: dict[str, str]
) -> Iterator[tuple[Stack, list[str]]]:
    """Yield a running stack with one deployment, and everything it said."""
    said: list[str] = []
    whole = Stack(
        session_dir / "small", Ports(0, 0, 0), project, plain_environment, say=said.append
    )
    try:
        whole.up()
        yield whole, said
    finally:
        whole.down()
