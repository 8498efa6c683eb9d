"""`guidance doctor`: what is wrong in a set-up, what to do, and where to read."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.options import AsJson, DataDir, EnvFile, read_settings
from app.cli.terminal import echo_json, paint
from app.errors import SetupError
from app.logs import set_up_logs
from app.main import utc_now
from app.services.doctor import Condition, Finding, examine, exit_status, refused_settings

COLOURS = {Condition.FINE: "green", Condition.WARNING: "yellow", Condition.FAULT: "red", Condition.SKIPPED: "cyan"}
NAME_WIDTH = 18


def doctor(
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out what reads every row, and the restore of the newest backup.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Check the whole set-up: a line for each check, with what to do and where to read. Nothing is changed.

    The exit status is 0 if all is fine, 1 if there are warnings, and 2 if there are faults.
    """
    set_up_logs("error")
    findings: list[Finding] = []
    try:
        settings = read_settings(data_dir, env_file)
    except SetupError as refusal:
        findings = refused_settings(str(refusal))
        _print(findings if not as_json else ())
    else:
        for finding in examine(settings, at=utc_now(), is_quick=quick):
            findings.append(finding)
            _print([finding] if not as_json else ())
    if as_json:
        echo_json([asdict(each) for each in findings])
    raise typer.Exit(exit_status(findings))


def _print(findings: Sequence[Finding]) -> None:
    """Print each finding as one line. What is fine needs no action."""
    for each in findings:
        condition = paint(f"{each.condition:<7}", COLOURS[each.condition])
        action = f". {each.action[:1].upper()}{each.action[1:]} (read {each.read})" if each.action else ""
        typer.echo(f"{condition}  {each.check:<{NAME_WIDTH}}  {each.found}{action}")
