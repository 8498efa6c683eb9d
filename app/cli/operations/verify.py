"""`guidance verify` and `migrate`: verify the whole database, and migrate its schema."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from app.cli.audit.audit_log import read_checkpoints
from app.cli.open_database import open_engine
from app.cli.options import AsJson, SettingsOptions, echo_result, progress
from app.clock import utc_now
from app.db.schema import migrate_schema
from app.errors import DatabaseUnreadable
from app.models.base import counted
from app.services.audit.lost_entries import find_new_loss, list_losses
from app.services.operations.audit_verification import CHECKPOINTS
from app.services.operations.verification import (
    Verified,
    count_verified,
    find_faults,
    verify_database,
    verify_editions,
)

AUDIT_LOG = "audit log"


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

    Exit status 1 if there is an error, also if the database ends before what the service knew on this computer. With
    checkpoints it also detects a database that was rolled back or an audit log that was rewritten.
    """
    checkpoints = read_checkpoints(checkpoint or (), settings, key)
    lines: list[tuple[str, str | None]] = []  # name and fault, which is None for an edition as published
    checked: list[Verified] = []
    try:
        with open_engine(settings) as engine, progress("Verifying") as show:
            # each extends the lines one by one: earlier results are printed even if the next read fails
            lines.extend(("database", fault) for fault in verify_database(engine))
            lines.extend(verify_editions(engine))
            lines.extend(find_faults(engine, checkpoints, show))
            checked.append(count_verified(engine))
            with Session(engine) as session:
                new = find_new_loss(session, settings.data_dir, at=utc_now())
                known = list_losses(session, at=utc_now())
            if new is not None and new.known > new.after:
                lines.append((AUDIT_LOG, str(new)))
            elif new is not None:
                known.append(new)
    except DBAPIError:
        raise DatabaseUnreadable from None
    finally:
        _echo_found(lines, checked, as_json=as_json)
    for loss in known:
        typer.echo(f"{AUDIT_LOG}: {loss}", err=True)
    faulty = {name for name, fault in lines if fault is not None}
    for name, each in checkpoints if not as_json else ():
        if not faulty & {name, CHECKPOINTS}:
            typer.echo(f"{name}: matches the first {counted(each.size, 'entry', 'entries')}")
    if faulty:
        raise typer.Exit(1)


def _echo_found(lines: Sequence[tuple[str, str | None]], checked: Sequence[Verified], *, as_json: bool) -> None:
    """`checked` is empty if the database could not be read to its end."""
    told = [f"{name}: {fault or 'as published'}" for name, fault in lines]
    document: list[dict[str, Any]] = [{"name": name, "fault": fault} for name, fault in lines]
    errors = sum(fault is not None for _, fault in lines)
    for counts in checked:
        result = counted(errors, "error") if errors else "no errors"
        told.append(f"checked pages, rules, digests, chains and every row: {counts}: {result}")
        document.append({"name": "checked", "fault": None, "counts": asdict(counts)})
    echo_result(told, document, as_json=as_json)


def migrate(settings: SettingsOptions, as_json: AsJson = False) -> None:
    """Migrate the database to the schema of this version, in one transaction.

    Nodes refuse to serve a shared database with an older schema. Stop the nodes, back up the database, run this
    once, then start the nodes.
    """
    with open_engine(settings) as engine, progress("Migrating"):
        before, now = migrate_schema(engine, settings.data_dir)
    line = f"schema {now}: nothing to do" if before == now else f"schema {before or '(empty)'} to {now}"
    echo_result([line], {"before": before, "now": now}, as_json=as_json)
