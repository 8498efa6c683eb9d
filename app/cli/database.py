"""`guidance verify` and `guidance migrate`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.cli.options import AsJson, DataDir, EnvFile, open_engine, read_settings
from app.cli.record import read_checkpoints
from app.cli.terminal import echo_json, progress
from app.errors import DatabaseUnreadable
from app.models.progress import OnStep
from app.services.desk.checkpoints import Checkpoint
from app.services.operations.verification import find_faults, verify_database, verify_editions
from app.store.schema import migrate_schema


def verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint that somebody else stored. Repeat the option for each.", exists=True),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="The key of the checkpoints (`guidance audit key`). Without it: the keys on this machine."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Verify the pages, the rules, every digest and every hash, and compare rows with their disclosures.

    The exit status is 1 if one is wrong. With checkpoints it also finds a database that was rolled back, and a record
    that was rewritten as a whole.
    """
    settings = read_settings(data_dir, env_file)
    checkpoints = read_checkpoints(checkpoint or (), settings, key)
    lines: list[tuple[str, str | None]] = []
    try:
        with open_engine(settings) as engine, progress("Verifying") as show:
            lines.extend(_verify(engine, checkpoints, show))  # what was found stays, where the next cannot be read
    except DBAPIError:
        raise DatabaseUnreadable from None
    finally:
        _report(lines, as_json=as_json)
    for name, each in checkpoints if not as_json else ():
        typer.echo(f"{name}: compared with the first {each.size} disclosures")
    if any(fault is not None for _, fault in lines):
        raise typer.Exit(1)


def _report(lines: Sequence[tuple[str, str | None]], *, as_json: bool) -> None:
    if as_json:
        echo_json([{"name": name, "fault": fault} for name, fault in lines])
        return
    for name, fault in lines:
        typer.echo(f"{name}: {fault or 'as published'}")


def _verify(
    engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]], show: OnStep
) -> Iterator[tuple[str, str | None]]:
    """Yield each name, and its fault, or None for an edition or a rendition that is as published."""
    for fault in verify_database(engine):
        yield "database", fault
    yield from verify_editions(engine)
    yield from find_faults(engine, checkpoints, show)


def migrate(as_json: AsJson = False, data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Migrate the database to the schema of this program: completely, or not at all.

    A node does not serve a shared database with an older schema. Stop the nodes, back up the database, run this once,
    then start the nodes.
    """
    settings = read_settings(data_dir, env_file)
    with open_engine(settings) as engine:
        before, now = migrate_schema(engine, settings.data_dir)
    if as_json:
        echo_json({"before": before, "now": now})
        return
    typer.echo(f"schema {now}: nothing to do" if before == now else f"schema {before or '(empty)'} to {now}")
