"""`guidance doctor` and `guidance health`, run as an operator and as a container run them."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from app.services.operations.doctor.public_address import call_public_address
from tests.support.command import guidance
from tests.support.live import LiveServer, environment_for


def test_unknown_and_refused_settings_are_faults_and_no_value_is_repeated(tmp_path: Path) -> None:
    found = guidance("doctor", "--data-dir", tmp_path / "data", SEAL_TOO="age1secret", LIMIT_DESK="lots-of-secret")

    assert found.returncode == 2
    assert "GUIDANCE_SEAL_TOO" in found.stdout
    assert "GUIDANCE_LIMIT_DESK" in found.stdout
    assert "secret" not in found.stdout + found.stderr
    assert not (tmp_path / "data").exists()


def test_a_trial_is_blamed_for_what_it_is_and_each_line_says_what_to_do_and_where_to_read(live: LiveServer) -> None:
    printed = guidance("doctor", "--data-dir", live.data_dir, PUBLIC_URL=live.url)
    as_json = guidance("doctor", "--json", "--data-dir", live.data_dir, PUBLIC_URL=live.url)
    findings = {each["check"]: each for each in json.loads(as_json.stdout)}

    assert printed.returncode == as_json.returncode == 2
    assert findings["recipients"]["condition"] == "fault"
    assert findings["public-url"]["condition"] == "warning"  # it is reached, and is this machine alone
    assert {findings[name]["condition"] for name in ("database", "schema", "chains", "clock")} == {"fine"}
    assert len(printed.stdout.splitlines()) == len(findings)
    for each in findings.values():
        assert each["condition"] in ("fine", "skipped") or (each["action"] and each["read"])


def test_the_public_address_is_called_as_callers_do(live: LiveServer) -> None:
    answer = call_public_address(live.url)
    live.stop()

    assert (answer.status, answer.checks["database"], answer.failure) == (200, "ok", "")
    assert call_public_address(live.url).failure == "ConnectError"


def test_a_probe_says_whether_the_service_is_ready(live: LiveServer) -> None:
    ready = guidance("health", "--url", live.url)
    as_json = guidance("health", "--url", live.url, "--json")
    alive = guidance("health", "--url", live.url, "--live")
    live.stop()
    stopped = guidance("health", "--url", live.url)

    assert (ready.returncode, ready.stdout) == (0, "ok\n")
    assert json.loads(as_json.stdout)["status"] == "ok"
    assert alive.returncode == 0
    assert stopped.returncode == 1
    assert "no answer" in stopped.stdout


def test_a_probe_imports_neither_the_framework_nor_the_database() -> None:
    source = (
        "import sys; sys.argv = ['guidance', 'health', '--url', 'http://127.0.0.1:1']\n"
        "from app.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({'fastapi', 'sqlalchemy', 'cryptography', 'httpx'} & set(sys.modules)))"
    )

    finished = subprocess.run([sys.executable, "-c", source], capture_output=True, check=True, text=True)

    assert finished.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("variables", "has_colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_and_never_where_no_color_is_set(
    tmp_path: Path, variables: dict[str, str], has_colours: bool
) -> None:
    environment = {k: v for k, v in environment_for(tmp_path / "data").items() if k != "NO_COLOR"} | variables
    screen, terminal = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "app.cli", "doctor", "--quick", "--data-dir", str(tmp_path / "data")],
        stdout=terminal,
        stderr=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    os.close(terminal)
    shown = os.read(screen, 100_000).decode()
    os.close(screen)

    assert "recipients" in shown
    assert ("\x1b[" in shown) is has_colours
