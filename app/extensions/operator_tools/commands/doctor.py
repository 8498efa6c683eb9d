"""`guidance doctor`: checks the whole installation."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.options import AsJson, DataDir, EnvFile, echo_json, paint, read_settings
from app.clock import utc_now
from app.config import Settings
from app.errors import SetupError
from app.extensions.operator_tools.services.doctor import SETTINGS, Finding, examine, exit_status
from app.extensions.operator_tools.services.doctor_mail import build_report, require_mail
from app.logs import set_up_logs
from app.services.operations.check_model import Condition
from app.services.operations.watches import BACKUPS

COLOURS = {Condition.FINE: "green", Condition.WARNING: "yellow", Condition.FAULT: "red", Condition.SKIPPED: "cyan"}
NAME_WIDTH = 18
NOT_SENT = 3
"""Exit status of `--mail` if no email can be sent."""


def doctor(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="Skip checks that read every row, and the restore of the newest backup.")
    ] = False,
    mail: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="If there is an error, email it there, through GUIDANCE_SMTP_HOST."),
    ] = None,
    failed: Annotated[
        str | None, typer.Option(metavar="UNIT", help="Report this unit as failed, for OnFailure= of systemd.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Check the whole installation: one line per check, with what to do and where to read. Changes nothing.

    Exit status 0 if all is well, 1 for warnings, 2 for errors. With --mail: 0, or 3 if no email can be sent.
    """
    set_up_logs("error")
    findings: list[Finding] = []
    if failed:  # after a failure systemd runs `guidance doctor --failed` with the unit's name
        action, read = f"read journalctl --unit {failed}", f"{BACKUPS}#rotation"
        findings.append(Finding("unit", Condition.FAULT, f"{failed} failed", action, read))
    _print(findings if not as_json else ())
    settings: Settings | None = None
    try:
        settings = read_settings(data_dir, env_file)
    except SetupError as refusal:
        refused = [  # no check can run with them
            Finding("settings", Condition.FAULT, line, "correct it, or remove it", f"{SETTINGS}#settings")
            for line in str(refusal).splitlines()
        ]
        findings += refused
        _print(refused if not as_json else ())
    else:
        for finding in examine(settings, at=utc_now(), is_quick=quick):
            findings.append(finding)
            _print([finding] if not as_json else ())
    if as_json:
        echo_json([asdict(each) for each in findings])
    if mail is None:
        raise typer.Exit(exit_status(findings))
    if (failure := _mail(findings, settings, mail)) is not None:
        typer.echo(f"No email can be sent to {mail or 'nobody'}: {failure}.", err=True)
        raise typer.Exit(NOT_SENT)


def _mail(findings: Sequence[Finding], settings: Settings | None, address: str) -> str | None:
    """Email the findings if one is a fault. Return why none can be sent, which is checked in any case."""
    if settings is None:
        return "the settings cannot be read"
    try:
        sender = require_mail(settings, address)
    except SetupError as refusal:
        return str(refusal)
    if not any(each.condition is Condition.FAULT for each in findings):
        return None
    failure = sender.send(build_report(findings, settings, address, at=utc_now()))
    return None if failure is None else f"the mail server did not accept it ({failure})"


def _print(findings: Sequence[Finding]) -> None:
    for each in findings:
        condition = paint(f"{each.condition:<7}", COLOURS[each.condition])
        action = f". {each.action[:1].upper()}{each.action[1:]} (read {each.read})" if each.action else ""
        typer.echo(f"{condition}  {each.check:<{NAME_WIDTH}}  {each.found}{action}")
