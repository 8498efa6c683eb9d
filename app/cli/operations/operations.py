"""`guidance backup`, `restore`, `verify`, `migrate` and `doctor`: the commands for operators."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.cli.audit.audit_log import read_checkpoints
from app.cli.options import (
    AsJson,
    DataDir,
    EnvFile,
    SettingsOptions,
    echo_json,
    echo_result,
    open_engine,
    paint,
    progress,
    read_settings,
)
from app.config import Settings
from app.db.schema import migrate_schema
from app.errors import BackupRefused, DatabaseUnreadable, SetupError
from app.logs import set_up_logs
from app.main import rehearse_start, utc_now
from app.models.base import OnStep
from app.services.operations.backup import (
    Drilled,
    Verified,
    back_up,
    backup_path,
    count_erased_since,
    drill_restore,
    keys_outside_backups,
    remove_old_backups,
    restore_backup,
)
from app.services.operations.check_model import Condition, Finding, exit_status
from app.services.operations.checkpoints import Checkpoint
from app.services.operations.doctor import examine, failed_unit, refused_settings
from app.services.operations.doctor_mail import build_report, require_mail
from app.services.operations.verification import find_faults, verify_database, verify_editions

NO_PLACE = "give a FILE or a folder, or set GUIDANCE_BACKUP_FOLDER"
COLOURS = {Condition.FINE: "green", Condition.WARNING: "yellow", Condition.FAULT: "red", Condition.SKIPPED: "cyan"}
NAME_WIDTH = 18
NOT_SENT = 3
"""Exit status of `guidance doctor --mail` if no email can be sent."""


def backup(
    *,
    settings: SettingsOptions,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="Output file, readable only by its owner; a folder gets a file named by time. Default: "
            "GUIDANCE_BACKUP_FOLDER.",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Keep this many of the newest backups named by time, and remove older ones."),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="Test the copy by restoring it into a temporary folder.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    as_json: AsJson = False,
) -> None:
    """Back up the database and verify the copy. Works while the service runs. Keys are not included.

    For PostgreSQL use pg_dump.
    """
    _require_embedded(settings)
    target = _target_of(path or settings.backup_folder)
    try:
        with progress("Copying") as show:
            verified = back_up(settings.data_dir, target, replace=force, on_step=show)
        if not as_json:
            typer.echo(f"{target}: {_counts(verified)}, verified")
        drilled = drill_restore(target, at=utc_now()) if test else None
        removed = remove_old_backups(target, keep=keep) if keep is not None else ()
        erased = count_erased_since(settings.data_dir, target.parent)
    except FileExistsError:
        raise typer.BadParameter("the file exists; use --force to replace it") from None
    except OSError as failure:
        raise typer.BadParameter(f"cannot write the file: {failure.strerror}") from None
    lines = [
        *([_drill_line(target, drilled)] if drilled is not None else []),
        *(f"{old}: removed" for old in removed),
        *_erased_lines(erased),
    ]
    document = {
        "file": str(target),
        **asdict(verified),
        "restored_in_seconds": None if drilled is None else round(drilled.seconds, 3),
        "removed": [str(old) for old in removed],
        "erased_since": {str(old): count for old, count in erased.items()},
        "keys_to_keep": [str(path) for path in keys_outside_backups(settings)],
    }
    echo_result(lines, document, as_json=as_json)
    _list_missing_keys(settings)


def restore(
    settings: SettingsOptions,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", exists=True, dir_okay=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing database, which is renamed, not deleted.")
    ] = False,
    test: Annotated[
        bool, typer.Option("--test", help="Test by restoring into a temporary folder. The database is not changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify a backup and restore it over the database. Stop the service first. Keys are not changed."""
    _require_embedded(settings)
    try:
        if test:
            drilled = drill_restore(path, at=utc_now())
            document = {"file": str(path), **asdict(drilled.verified), "restored_in_seconds": round(drilled.seconds, 3)}
            echo_result([_drill_line(path, drilled)], document, as_json=as_json)
            return
        with progress("Restoring") as show:
            verified, former = restore_backup(path, settings.data_dir, replace=force, at=utc_now(), on_step=show)
    except FileExistsError:
        raise typer.BadParameter("a database exists; use --force to rename it and restore") from None
    except OSError as failure:
        raise typer.BadParameter(f"cannot write to the folder: {failure.strerror}") from None
    lines = [f"{settings.data_dir}: {_counts(verified)}, verified"]
    if former is not None:
        lines.append(f"Old database renamed to {former}")
    document = {
        "folder": str(settings.data_dir),
        **asdict(verified),
        "former_database": None if former is None else str(former),
        "keys_to_keep": [str(key) for key in keys_outside_backups(settings)],
    }
    echo_result(lines, document, as_json=as_json)
    _list_missing_keys(settings)


def _target_of(place: Path | None) -> Path:
    if place is None:
        raise SetupError(NO_PLACE)
    return backup_path(place, at=utc_now()) if place.is_dir() else place


def _counts(verified: Verified) -> str:
    return f"{verified.editions} editions and {verified.concerns} concerns"


def _erased_lines(erased: Mapping[Path, int]) -> list[str]:
    """Return a sentence about backups with text that was erased after they were made, or nothing if there are none."""
    if not erased:
        return []
    last = max(erased, key=lambda path: path.name)
    return [
        f"text erased since is still, encrypted, in {len(erased)} older backups, the newest of them {last.name}: "
        "a backup cannot be changed, only deleted"
    ]


def _drill_line(path: Path, drilled: Drilled) -> str:
    found = _counts(drilled.verified)
    return f"{path}: restored in {drilled.seconds:.1f} s into a temporary folder: {found}, as at a start"


def _require_embedded(settings: Settings) -> None:
    if settings.database_url is not None:
        raise BackupRefused("the database is PostgreSQL: use pg_dump and pg_restore")


def _list_missing_keys(settings: Settings) -> None:
    files = "".join(f"\n  {path}" for path in keys_outside_backups(settings))
    typer.echo(
        "Backups contain no keys, and concerns cannot be decrypted without them. Store these in another safe place: "
        f"the identities of every recipient in GUIDANCE_SEAL_TO{', and these files:' + files if files else '.'}",
        err=True,
    )


def verify(
    settings: SettingsOptions,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint stored elsewhere. Repeat the option for each.", exists=True),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="Key of the checkpoints (`guidance audit key`). Default: the keys on this computer."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify the database: pages, schema rules, digests and hash chains, and every row against the audit log.

    Exit status 1 if there is an error. With checkpoints it also detects a database that was rolled back or an audit
    log that was rewritten.
    """
    checkpoints = read_checkpoints(checkpoint or (), settings, key)
    lines: list[tuple[str, str | None]] = []
    try:
        with open_engine(settings) as engine, progress("Verifying") as show:
            lines.extend(_verify(engine, checkpoints, show))  # earlier results are printed even if the next read fails
    except DBAPIError:
        raise DatabaseUnreadable from None
    finally:
        told = [f"{name}: {fault or 'as published'}" for name, fault in lines]
        echo_result(told, [{"name": name, "fault": fault} for name, fault in lines], as_json=as_json)
    for name, each in checkpoints if not as_json else ():
        typer.echo(f"{name}: matches the first {each.size} entries")
    if any(fault is not None for _, fault in lines):
        raise typer.Exit(1)


def _verify(
    engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]], show: OnStep
) -> Iterator[tuple[str, str | None]]:
    """Verify the database, the editions, and the audit log. Yield the name of each subject, and its fault.

    The fault is None for an edition or a rendition that is as published.
    """
    for fault in verify_database(engine):
        yield "database", fault
    yield from verify_editions(engine)
    yield from find_faults(engine, checkpoints, show)


def migrate(settings: SettingsOptions, as_json: AsJson = False) -> None:
    """Migrate the database to the schema of this version, in one transaction.

    Nodes refuse to serve a shared database with an older schema. Stop the nodes, back up the database, run this
    once, then start the nodes.
    """
    with open_engine(settings) as engine:
        before, now = migrate_schema(engine, settings.data_dir)
    line = f"schema {now}: nothing to do" if before == now else f"schema {before or '(empty)'} to {now}"
    echo_result([line], {"before": before, "now": now}, as_json=as_json)


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

    Exit status 0 if all is well, 1 for warnings, 2 for errors. With --mail 0, and 3 if no email can be sent.
    """
    set_up_logs("error")
    findings: list[Finding] = [failed_unit(failed)] if failed else []
    _print(findings if not as_json else ())
    settings: Settings | None = None
    try:
        settings = read_settings(data_dir, env_file)
    except SetupError as refusal:
        refused = refused_settings(str(refusal))
        findings += refused
        _print(refused if not as_json else ())
    else:
        for finding in examine(settings, at=utc_now(), rehearse_start=rehearse_start, is_quick=quick):
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
    """If `findings` have errors, email them to `address`. Return the reason if no email can be sent, otherwise None.

    Check the mail settings even if there is no error to send.
    """
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
    """Print each finding as one line, with the action to take, if any."""
    for each in findings:
        condition = paint(f"{each.condition:<7}", COLOURS[each.condition])
        action = f". {each.action[:1].upper()}{each.action[1:]} (read {each.read})" if each.action else ""
        typer.echo(f"{condition}  {each.check:<{NAME_WIDTH}}  {each.found}{action}")
