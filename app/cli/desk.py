"""`guidance desk`: open a concern on a worker's own machine, and erase concerns at the end of their retention."""

import json

import typer

from app.cli.desk_client import (
    DeskKey,
    DeskKeyFile,
    Identity,
    ReferenceArgument,
    Url,
    open_desk,
    open_whole,
    parse_reference,
)
from app.cli.options import REMAINS, DataDir, EnvFile, open_writer, read_settings
from app.main import utc_now
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.services.concerns.unsealing import read_identities
from app.store.remnants import has_remnants

desk = typer.Typer(
    help="For the duty team: open concerns, and erase them when their retention ends.", no_args_is_help=True
)


@desk.command("open")
def desk_open(
    reference: ReferenceArgument,
    identity: Identity,
    url: Url,
    key: DeskKey = None,
    key_file: DeskKeyFile = None,
) -> None:
    """Fetch a sealed concern, open it on this machine, and print it as JSON with its additions."""
    unsealer, parsed = read_identities(identity), parse_reference(reference)
    with open_desk(url, key, key_file) as client:
        opened = open_whole(client, parsed, unsealer)
    typer.echo(json.dumps(opened, ensure_ascii=False, indent=2))


@desk.command("purge")
def desk_purge(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Erase the words of concerns whose retention has ended. Unacknowledged concerns are never erased."""
    settings = read_settings(data_dir, env_file)
    periods = RetentionPeriods(settings.retention_acknowledged_days, settings.retention_closed_days)
    with open_writer(settings) as (engine, writer):
        erased = sum(1 for _ in erase_due_concerns(engine, writer, periods, at=utc_now()))
        remains = has_remnants(engine)
    typer.echo(f"{erased} erased")
    if remains:
        typer.echo(REMAINS, err=True)
