"""The first steps for developers: the samples run."""

import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

from tests.support.live import LiveServer

pytestmark = pytest.mark.any_database

SAMPLES = Path(__file__).parents[2] / "app" / "pages" / "samples"
ADDRESS = "http://127.0.0.1:8000"
FIRST_CAUTION = "Absence of any of the potential indicators of CSE"
FIRST_STEP = "If a child is in immediate danger, call 999 now."
TIMEOUT_SECONDS = 60


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


def test_there_is_one_reference(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    assert [client.get(f"/docs/reference{rest}").status_code for rest in ("", "/raise_concern")] == [404, 404]
