"""The page 'From a clone to production in an hour' is followed word for word, on a new machine with Debian."""

import shutil
import subprocess
from email import message_from_bytes
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.command import ROOT
from tests.support.first_lead import acknowledge_as_lead
from tests.support.machines import Machine, mail_server_of, new_machine, trusted_mail_server
from tests.support.proxies import need
from tests.support.samples import samples_in
from tests.support.unsealing import need_script
from tests.support.waiting import eventually

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

PAGE, HERE = "docs/how-to/one-machine.md", "tests/deploy/test_one_machine.py"
NAME = "guidance.council.example"
ALERTS = "http://127.0.0.1:9090/api/v1/targets"
ASKING = "curl --silent --fail --retry 9 --retry-all-errors"


def blocks() -> list[str]:
    """Return the blocks of the page that are followed here, in its order."""
    return [each.text for each in samples_in(PAGE) if each.reason == HERE]


def build_on_this_computer(block: str, machine: Machine) -> None:
    """Do the first step, and copy the folders that the page names."""
    subprocess.run(["bash", "-euc", block], cwd=ROOT, check=True, capture_output=True)
    shutil.copytree(ROOT / "build" / "wheel", machine.root / "root" / "wheel")
    shutil.copytree(ROOT / "deploy", machine.root / "root" / "deploy")


def browser_beside(machine: Machine, folder: Path) -> Path:
    """Return a program that starts Chromium in the network of the machine."""
    program = folder / "chromium"
    program.write_text("#!/bin/sh\nexec " + " ".join(machine.inside(need("chromium"))) + ' "$@"\n')
    program.chmod(0o755)
    return program


def subjects_in(emails: Path) -> list[str]:
    found = [message_from_bytes(path.read_bytes()) for path in sorted((emails / "new").glob("*"))]
    return [str(each["Subject"]) for each in found]


def test_the_page_leads_from_a_clone_to_production(tmp_path: Path, browser: Browser) -> None:
    need_script()
    build, packages, files, setup, serve, inside, look, nightly, monitor, check, keys = blocks()
    with new_machine(tmp_path) as machine:
        build_on_this_computer(build, machine)
        machine.run(packages)
        trusted_mail_server(machine, tmp_path)
        with machine.booted(), mail_server_of(machine, tmp_path) as emails:
            machine.run(files)
            left = machine.run(setup)
            for block in (serve, inside, look):
                machine.run(block)
            first = subjects_in(emails)
            place = machine.root / "etc" / "guidance"
            acknowledge_as_lead(browser, place, f"https://{NAME}", program=browser_beside(machine, tmp_path))
            backups = machine.run(nightly)
            machine.run(monitor)
            assert eventually(lambda: '"health":"up"' in machine.run(f"{ASKING} {ALERTS}"), patience_seconds=60)
            over = machine.run(check)
            machine.run(keys)
            timers = machine.run("systemctl list-timers --all --no-legend")
            failed = machine.run("systemctl list-units --failed --no-legend 'guidance*' 'caddy*' 'prometheus*'")

            assert "Left: lead, concern, service." in left
            assert len(first) == 1
            assert eventually(lambda: len(subjects_in(emails)) == 2)
            assert subjects_in(emails)[1] == "1 error found by guidance doctor (Example Council)"
            away = machine.run(f"systemctl stop guidance.service; curl --silent --fail https://{NAME}/v1/guides")
    assert "guidance-" in backups
    assert "The first day is over" in over
    lines = over.partition("The first day is over")[2].splitlines()[2:]
    assert [line for line in lines if line and not line.startswith(("fine ", "skipped ", "Take "))] == []
    assert {"guidance-backup.timer", "guidance-doctor.timer"} <= set(timers.split())
    assert (failed, '"guides":[' in away) == ("", True)
