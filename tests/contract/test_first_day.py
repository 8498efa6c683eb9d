"""The page of the first day leads from an empty folder to an invented concern that the team has acknowledged."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.support.command import ROOT, Finished, guidance
from tests.support.first_lead import acknowledge_as_lead
from tests.support.named import simple_commands
from tests.support.proxies import caddy_of_the_inside, free_ports
from tests.support.samples import samples_in
from tests.support.unsealing import need_script
from tests.support.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.any_database, pytest.mark.nightly]

PAGE = "docs/how-to/first-day.md"
HERE = "tests/contract/test_first_day.py"
NAME = "guidance.council.example"


def blocks() -> list[str]:
    """Return the blocks that the page says are followed here, in the order of the page."""
    return [each.text for each in samples_in(PAGE) if HERE in each.reason]


def find_first_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process find the invented name on this machine, as a DNS would."""
    real = socket.getaddrinfo

    def find(host: Any, *arguments: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host in (NAME, NAME.encode()) else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", find)


def run_block(block: str, port: int) -> list[Finished]:
    """Run the commands of a block that begin with `guidance`, with the port that the proxy has here.

    A thread of their own lets them have an event loop: that of the browser is in this one.
    """
    written = block.replace(f"https://{NAME}", f"https://{NAME}:{port}")
    with ThreadPoolExecutor(1) as pool:
        commands = [words[1:] for words in simple_commands(written) if words[0] == "guidance"]
        return [pool.submit(guidance, *words).result() for words in commands]


@contextmanager
def served(block: str, folder: Path, ports: tuple[int, int]) -> Iterator[Path]:
    """Run the command that serves and the proxy before it. Yield the certificate of the proxy's own authority."""
    node, https = ports
    ((_, *words),) = simple_commands(block)
    command = [sys.executable, "-m", "app.cli", *words, "--port", str(node)]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{node}"
        assert eventually(lambda: _answers(url), patience_seconds=60), (folder / "server.log").read_text()
        with caddy_of_the_inside(folder / "caddy", [url], https, NAME) as root:
            yield root
    finally:
        server.terminate()
        server.wait(timeout=60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", trust_env=False, headers={"Host": NAME}).is_success
    except httpx.TransportError:
        return False


def test_the_words_of_the_page_lead_to_an_acknowledged_concern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, browser: Browser
) -> None:
    need_script()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    find_first_address(monkeypatch)
    set_up, serve, _proxy, check = blocks()
    node, https = free_ports(2)

    (first,) = run_block(set_up, https)
    assert "Left: lead, concern, service." in first.stdout, first.stdout + first.stderr
    with served(serve, tmp_path, (node, https)) as root:
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
        acknowledge_as_lead(browser, tmp_path, f"https://{NAME}:{https}")
        again, doctor = run_block(check, https)

    assert (again.returncode, "The first day is over" in again.stdout) == (0, True), again.stdout
    wrong = [line for line in doctor.stdout.splitlines() if not line.startswith(("fine ", "skipped "))]
    assert (wrong, doctor.returncode) == ([], 0)
