"""`guidance desk`: the duty team's work, and the erasure of concerns at the end of their retention."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.desk_client import KeyFileOption, KeyOption, Reference, Url, connect
from app.cli.desk_holds import holds
from app.cli.desk_list import listing
from app.cli.desk_tables import print_json
from app.cli.desk_work import work
from app.cli.options import REMAINS, AsJson, DataDir, EnvFile, open_writer, read_settings
from app.cli.terminal import echo_result
from app.cli.whole_concern import open_whole
from app.main import utc_now
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.services.concerns.sealing import read_identities
from app.store.remnants import has_remnants

desk = typer.Typer(
    help="For the duty team: list, open, assign and close concerns, and erase them when their retention ends.",
    no_args_is_help=True,
)

desk.add_typer(listing)
desk.add_typer(work)
desk.add_typer(holds)


@desk.command("open")
def desk_open(
    reference: Reference,
    identity: Annotated[Path, typer.Option(help="Your age identity; it stays on this machine.", exists=True)],
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    _as_json: Annotated[bool, typer.Option("--json", help="Print JSON, which is the only form.")] = True,
) -> None:
    """Fetch a sealed concern, open it on this machine, and print it as JSON with its additions and the desk's notes."""
    unsealer = read_identities(identity)
    with connect(url, key, key_file) as service:
        opened, added = open_whole(service, reference, unsealer, with_notes=True)
    print_json(opened | added)


@desk.command("purge")
def desk_purge(as_json: AsJson = False, data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Erase the words of concerns whose retention has ended. Unacknowledged concerns are never erased."""
    settings = read_settings(data_dir, env_file)
    periods = RetentionPeriods(settings.retention_acknowledged_days, settings.retention_closed_days)
    with open_writer(settings) as (engine, writer):
        erased = sum(1 for _ in erase_due_concerns(engine, writer, periods, at=utc_now()))
        remains = has_remnants(engine)
    echo_result([f"{erased} erased"], {"erased": erased, "former_texts_remain": remains}, as_json=as_json)
    if remains:
        typer.echo(REMAINS, err=True)
