"""`guidance verify` and `guidance migrate`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from app.cli.options import DataDir, EnvFile, open_engine, read_settings
from app.cli.stored_checkpoints import read_checkpoints
from app.errors import DatabaseUnreadable
from app.services.desk.signed_notes import Checkpoint
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
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Verify the pages, the rules, every digest and every hash, and compare rows with their disclosures.

    The exit status is 1 if one is wrong. With checkpoints it also finds a database that was rolled back, and a record
    that was rewritten as a whole.
    """
    settings = read_settings(data_dir, env_file)
    checkpoints = read_checkpoints(checkpoint or (), settings, key)
    faults = 0
    with open_engine(settings) as engine:
        try:
            for line, is_fault in _verify(engine, checkpoints):
                faults += is_fault
                typer.echo(line)
        except DBAPIError:
            raise DatabaseUnreadable from None
    for name, each in checkpoints:
        typer.echo(f"{name}: compared with the first {each.size} disclosures")
    if faults:
        raise typer.Exit(1)


def _verify(engine: Engine, checkpoints: Sequence[tuple[str, Checkpoint]]) -> Iterator[tuple[str, bool]]:
    """Yield each line of the report, and whether it is a fault."""
    for fault in verify_database(engine):
        yield f"database: {fault}", True
    for edition, edition_fault in verify_editions(engine):
        yield f"{edition}: {edition_fault or 'as published'}", edition_fault is not None
    for name, fault in find_faults(engine, checkpoints):
        yield f"{name}: {fault}", True


def migrate(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Migrate the database to the schema of this program: completely, or not at all.

    A node does not serve a shared database with an older schema. Stop the nodes, back up the database, run this once,
    then start the nodes.
    """
    settings = read_settings(data_dir, env_file)
    with open_engine(settings) as engine:
        before, now = migrate_schema(engine, settings.data_dir)
    typer.echo(f"schema {now}: nothing to do" if before == now else f"schema {before or '(empty)'} to {now}")
