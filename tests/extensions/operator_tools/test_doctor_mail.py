"""The doctor mails what is wrong, to a real mail server, and says so if it cannot."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from app.cli.commands import app
from app.clock import utc_now
from app.main import create_app
from app.models.access.clients import Scope
from app.services.access.clients import add_client
from tests.support.mail_server import MailServer
from tests.support.set_ups import SetUp, execute

pytestmark = [pytest.mark.slow, pytest.mark.embedded]

OPERATOR = "operator@council.example"
Doctor = Callable[..., Result]


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def doctor(set_up: SetUp, mail: MailServer, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """The command `guidance doctor --quick`, with the settings of the set-up and a mail server."""
    set_up.values |= {
        "smtp_host": "127.0.0.1",
        "smtp_port": str(mail.port),
        "smtp_security": "none",
        "smtp_from": "desk@council.example",
        "smtp_to": "duty@council.example",
    }

    def run(*options: str) -> Result:
        for name, value in set_up.values.items():
            monkeypatch.setenv(f"GUIDANCE_{name.upper()}", str(value))
        return CliRunner().invoke(app, ["doctor", "--quick", *options])

    return run


def break_backup(set_up: SetUp) -> None:
    """Let there be no backup since the day of the first start."""
    for path in (set_up.folder / "backups").iterdir():
        os.utime(path, (0, 0))


def test_an_error_is_mailed_with_what_to_do(set_up: SetUp, doctor: Doctor, mail: MailServer) -> None:
    break_backup(set_up)

    ended = doctor("--mail", OPERATOR)

    (email,) = mail.emails
    assert ended.exit_code == 0
    assert (email["To"], email["From"], email["Auto-Submitted"]) == (OPERATOR, "desk@council.example", "auto-generated")
    assert email["Subject"] == "1 error found by guidance doctor (Bath & North East Somerset Council)"
    assert "- backup: the newest backup is " in email.get_content()
    assert "Find out why the nightly backup stopped" in email.get_content()
    assert "For your records: the audit log has " in email.get_content()


def test_nothing_is_mailed_while_all_is_well_or_only_warned(set_up: SetUp, doctor: Doctor, mail: MailServer) -> None:
    well = doctor("--mail", OPERATOR)
    del set_up.values["backup_folder"]
    warned = doctor("--mail", OPERATOR)

    assert (well.exit_code, warned.exit_code, mail.emails) == (0, 0, [])


def test_a_unit_that_failed_is_mailed(doctor: Doctor, mail: MailServer) -> None:
    ended = doctor("--mail", OPERATOR, "--failed", "guidance-backup.service")

    (email,) = mail.emails
    assert ended.exit_code == 0
    assert "guidance-backup.service failed. Read journalctl --unit guidance-backup.service" in email.get_content()


def test_the_email_names_no_client_and_no_file_of_a_key(set_up: SetUp, doctor: Doctor, mail: MailServer) -> None:
    with TestClient(create_app(set_up.settings, utc_now), base_url=set_up.settings.public_url) as client:
        writer = client.app.state.context.writer  # type: ignore[attr-defined]  # the service under test
        add_client(writer, name="robin-example", scopes=[Scope.SUBMIT], at=utc_now())
    execute(set_up, "UPDATE clients SET scopes = '[\"desk\"]'")
    left = set_up.data_dir / "of-robin-example.txt"
    left.touch(mode=0o600)
    left.write_text(f"{set_up.identities[0]}\n")

    printed = doctor("--mail", OPERATOR).stdout

    (email,) = mail.emails
    assert "robin-example" in printed
    assert "robin" not in email.as_string()
    for check in ("access", "identities"):
        assert f"- {check}: run guidance doctor there" in email.get_content()


CANNOT: dict[str, tuple[dict[str, Any], str, str]] = {
    "the server refuses": ({}, OPERATOR, "the mail server did not accept it (SMTPDataError)"),
    "the server is away": ({"smtp_port": "1"}, OPERATOR, "the mail server did not accept it (ConnectionRefusedError)"),
    "there is no server": (
        dict.fromkeys(("smtp_host", "smtp_from", "smtp_to")),
        OPERATOR,
        "GUIDANCE_SMTP_HOST is not set",
    ),
    "there is no address": ({}, "", "'' is not an email address"),
    "the address is none": ({}, "operator", "'operator' is not an email address"),
    "a setting is refused": ({"log_level": "loud"}, OPERATOR, "the settings cannot be read"),
}


@pytest.mark.parametrize("case", CANNOT)
def test_an_email_that_cannot_be_sent_ends_with_three_and_a_sentence(
    set_up: SetUp, doctor: Doctor, mail: MailServer, case: str
) -> None:
    changes, address, sentence = CANNOT[case]
    break_backup(set_up)
    set_up.values = {name: value for name, value in (set_up.values | changes).items() if value is not None}
    mail.answer = lambda _: "550 No"

    ended = doctor("--mail", address)

    assert (ended.exit_code, mail.emails) == (3, [])
    assert f"No email can be sent to {address or 'nobody'}: {sentence}" in ended.stderr
