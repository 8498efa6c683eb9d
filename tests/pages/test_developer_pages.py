"""The pages for developers: the samples run, and the reference describes every operation."""

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from tests.support.live import LiveServer

pytestmark = pytest.mark.any_database

SAMPLES = Path(__file__).parents[2] / "app" / "pages" / "docs" / "samples"
ADDRESS = "http://127.0.0.1:8000"
FIRST_CAUTION = "Absence of any of the potential indicators of CSE"
FIRST_STEP = "If a child is in immediate danger, call 999 now."
TIMEOUT_SECONDS = 60
MAX_BYTES = 60_000


def read_sample(name: str, live: LiveServer) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8").replace(ADDRESS, live.url)


def run(*command: str) -> str:
    completed = subprocess.run(command, capture_output=True, check=False, text=True, timeout=TIMEOUT_SECONDS)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_samples_work_in_each_language(live: LiveServer, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    console: list[str] = []
    page = browser.new_context(bypass_csp=True).new_page()
    page.on("console", lambda message: console.append(message.text))
    page.goto(f"{live.url}/docs/getting-started")

    page.evaluate(f"async () => {{ {read_sample('browser.js.txt', live)} }}")
    output = {
        "curl": run("bash", "-euc", read_sample("curl.sh", live)),
        "python": run(sys.executable, "-W", "error", "-c", read_sample("python.py.txt", live)),
        "browser": "\n".join(console),
    }

    for language, text in output.items():
        assert FIRST_CAUTION in text, language
        assert FIRST_STEP in text, language


def test_the_page_shows_the_samples_as_they_are(client: TestClient) -> None:
    shown = re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", client.get("/docs/getting-started").text, flags=re.DOTALL)

    assert [html.unescape(code) for code in shown] == [
        (SAMPLES / name).read_text(encoding="utf-8") for name in ("curl.sh", "python.py.txt", "browser.js.txt")
    ]


@pytest.mark.slow
def test_the_reference_describes_every_operation(client: TestClient) -> None:
    document: dict[str, Any] = client.get("/openapi.json").json()
    operations = {
        operation["operationId"]: f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    index = client.get("/docs/reference").text
    pages = {id_: client.get(f"/docs/reference/{id_}") for id_ in operations}

    assert set(re.findall(r'href="/docs/reference/([a-z_]+)"', index)) == set(operations)
    for id_, page in pages.items():
        assert page.status_code == 200
        assert f"<code>{operations[id_]}</code>" in page.text
        assert len(page.content) < MAX_BYTES, id_


def test_the_page_of_an_operation_shows_its_fields_its_examples_and_who_may_call_it(client: TestClient) -> None:
    submission = client.get("/docs/reference/raise_concern").text
    desk = client.get("/docs/reference/acknowledge_concern").text

    for text in ("concern.narrative", "children[].given_names", "The four required parts alone", "Idempotency-Key"):
        assert text in submission
    assert "Anyone, or a client with its key" in submission
    assert "Clients with the scope concerns:write" in desk
