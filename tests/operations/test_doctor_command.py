"""`guidance doctor` and `guidance health`, run as an operator and as a container run them."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from app.cli.commands import app
from app.services.doctor import call_public_address
from tests.support.command import guidance
from tests.support.live import LiveServer, environment_for
from tests.support.proxies import varnish
from tests.support.set_ups import SetUp

pytestmark = pytest.mark.slow


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


@pytest.mark.embedded
@pytest.mark.parametrize(
    ("removed", "status", "worst"),
    [((), 0, "fine"), (("security_contact", "security_expires"), 1, "warning"), (("seal_to",), 2, "fault")],
)
def test_the_exit_status_is_nought_with_warnings_one_and_with_faults_two(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, removed: tuple[str, ...], status: int, worst: str
) -> None:
    for name in removed:
        del set_up.values[name]
    for name, value in set_up.values.items():
        monkeypatch.setenv(f"GUIDANCE_{name.upper()}", str(value))

    printed, as_json = (CliRunner().invoke(app, ["doctor", *options]) for options in ([], ["--json"]))

    assert printed.exit_code == as_json.exit_code == status
    conditions = {each["condition"] for each in json.loads(as_json.stdout)}
    assert next(each for each in ("fault", "warning", "fine") if each in conditions) == worst


@pytest.mark.any_database
@pytest.mark.slow
@pytest.mark.parametrize(("trusted", "condition"), [("192.0.2.1", "warning"), ("127.0.0.1", "fine")])
def test_a_proxy_that_is_not_the_trusted_one_is_found_by_calling_the_service_through_it(
    tmp_path: Path, trusted: str, condition: str
) -> None:
    node = LiveServer(tmp_path / "data", trusted_proxies=trusted)
    node.start()
    try:
        with varnish(tmp_path / "varnish", node) as proxy:
            said = guidance(
                "doctor",
                "--quick",
                "--json",
                DATA_DIR=str(node.data_dir),
                PUBLIC_URL=proxy.url,
                TRUSTED_PROXIES=trusted,
            )
            direct = httpx.get(f"{node.url}/health/ready", trust_env=False, timeout=30).json()
    finally:
        node.stop()
    found = {each["check"]: each for each in json.loads(said.stdout)}

    assert found["proxy"]["condition"] == condition, found["proxy"]
    assert direct["warnings"] == {}


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


@pytest.mark.parametrize(
    ("arguments", "unread"),
    [
        (["health", "--url", "http://127.0.0.1:1"], ["fastapi", "sqlalchemy", "cryptography", "httpx"]),
        (["serve", "--help"], ["app.cli.commands", "app.cli.operations", "sqlalchemy.dialects.postgresql"]),
    ],
)
def test_a_probe_and_a_service_do_not_read_the_other_commands(arguments: list[str], unread: list[str]) -> None:
    source = (
        f"import sys; sys.argv = ['guidance', *{arguments}]\n"
        "from app.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        f"print(sorted(set({unread}) & set(sys.modules)))"
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
