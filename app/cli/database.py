"""`guidance verify` and `guidance migrate`."""

import typer

from app.cli.options import DataDir, EnvFile, open_engine, read_settings
from app.services.operations.verification import verify_disclosures, verify_editions
from app.store.schema import migrate_schema


def verify(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Compute every digest, and every hash of the disclosures, again from the rows: exit status 1 if one differs."""
    faults = 0
    with open_engine(read_settings(data_dir, env_file)) as engine:
        for edition, fault in verify_editions(engine):
            faults += fault is not None
            typer.echo(f"{edition}: {fault or 'as published'}")
        for chain, chain_fault in verify_disclosures(engine):
            faults += 1
            typer.echo(f"disclosures of {chain}: {chain_fault}")
    if faults:
        raise typer.Exit(1)


def migrate(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Migrate the database to the schema of this program: completely, or not at all.

    A node does not serve a shared database with an older schema. Stop the nodes, back up the database, run this once,
    then start the nodes.
    """
    settings = read_settings(data_dir, env_file)
    with open_engine(settings) as engine:
        before, now = migrate_schema(engine, settings.data_dir)
    typer.echo(f"schema {now}: nothing to do" if before == now else f"schema {before or '(empty)'} to {now}")
