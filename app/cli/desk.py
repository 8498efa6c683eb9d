"""`guidance desk`: the duty team's work, and the erasure of concerns at the end of their retention."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.desk_client import DeskClient, KeyFileOption, KeyOption, Reference, Url, connect
from app.cli.desk_holds import holds
from app.cli.desk_list import listing
from app.cli.desk_tables import print_json
from app.cli.desk_work import work
from app.cli.options import REMAINS, DataDir, EnvFile, open_writer, read_settings
from app.main import utc_now
from app.models.links import desk_concern_path, notes_path
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.services.concerns.unsealing import read_identities
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
) -> None:
    """Fetch a sealed concern, open it on this machine, and print it as JSON with its additions and the desk's notes."""
    unsealer = read_identities(identity)
    path = desk_concern_path(reference)
    with connect(url, key, key_file) as service:
        response = service.fetch_sealed(path)
        numbers = range(1, int(response.headers.get("Additions", "0")) + 1)
        sealed = {
            "additions": [service.fetch_sealed(f"{path}/additions/{number}").content for number in numbers],
            "notes": [service.fetch_sealed(each["links"]["self"]).content for each in _list_notes(service, reference)],
        }
    opened = unsealer.open(response.content, reference=reference)
    added = {name: [unsealer.open(each, reference=reference) for each in texts] for name, texts in sealed.items()}
    print_json(opened | added)


def _list_notes(service: DeskClient, reference: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = service.call("GET", notes_path(reference), query=cursor)
        yield from page["notes"]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None


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
