"""A stack of its own with real passages in it, and a headless Chromium on its UI."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from deployments.local import prefect_api
from deployments.local.ports import Ports
from deployments.local.sample_passages import passages
from deployments.local.stack import Stack
from tasks.adapters.postgres import connect, statements

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTH, HEIGHT = 1400, 900
BELOW = {"v2": "/v2", "v1": ""}
"""Where the two UIs of Prefect are; a browser that chose neither gets the first."""


@pytest.fixture(scope="module")
def with_passages(
    request: pytest.FixtureRequest, session_dir: Path, plain_environment: dict[str, str]
) -> Iterator[Stack]:
    """Yield a running stack whose database holds 300 passages and rows of older extractors."""
    place = session_dir / request.module.__name__.rpartition(".")[2]
    stack = Stack(place, Ports(0, 0, 0), environment=plain_environment)
    try:
        stack.up()
        demo = statements("demo/passages.sql")
        with connect(stack.environment()["BACKFILL_DATABASE_URL"]) as connection:
            connection.execute(demo["create_tables"])
            rows = [{"passage_id": key, "passage_text": text} for key, text in passages(300)]
            connection.cursor().executemany(demo["insert_passage"], rows)
            connection.execute(demo["plant_legacy_rows"], {})
        yield stack
    finally:
        stack.down()


@pytest.fixture(scope="module")
def api(with_passages: Stack) -> Iterator[httpx.Client]:
    """Yield a client of the stack's Prefect API."""
    with prefect_api.client(with_passages.environment()) as client:
        yield client


@pytest.fixture
def enter(with_passages: Stack) -> Iterator[Callable[[str], "Page"]]:
    """Yield what opens a page of a headless Chromium in one of the UIs, as who knows the secret."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium: apt-get install chromium.")
    from playwright.sync_api import sync_playwright

    url = with_passages.server.url

    def open_in(ui: str) -> "Page":
        context = browser.new_context(
            base_url=f"{url}{BELOW[ui]}/", viewport={"width": WIDTH, "height": HEIGHT}
        )
        context.add_cookies([{"name": "prefect_ui_version", "value": ui, "url": url}])
        opened = context.new_page()
        opened.goto("")
        opened.locator("input[type=password]").fill(with_passages.server.secret)
        opened.get_by_role("button", name="Login").click()
        opened.wait_for_url("**/dashboard**")
        return opened

    with ExitStack() as after:
        playwright = after.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        after.callback(browser.close)
        yield open_in


@pytest.fixture
def page(enter: Callable[[str], "Page"]) -> "Page":
    """Return a page of the UI that a browser gets which chose none."""
    return enter("v2")


@pytest.fixture(scope="session")
def pictures(session_dir: Path) -> Path:
    """Return where screenshots go: SCREENSHOTS_DIR=docs renews those that README shows."""
    place = Path(os.environ.get("SCREENSHOTS_DIR") or session_dir / "pictures")
    place.mkdir(parents=True, exist_ok=True)
    return place
