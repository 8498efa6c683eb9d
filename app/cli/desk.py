"""`guidance desk`: open a concern on a worker's own machine, and erase concerns at the end of their retention."""

import json
from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.cli.options import REMAINS, DataDir, EnvFile, open_writer, read_settings
from app.errors import DeskRequestFailed
from app.main import utc_now
from app.models.concerns.references import find_reference
from app.models.links import desk_concern_path
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.services.concerns.sealing import AGE_MEDIA_TYPE
from app.services.concerns.unsealing import read_identities
from app.store.remnants import has_remnants

desk = typer.Typer(
    help="For the duty team: open concerns, and erase them when their retention ends.", no_args_is_help=True
)

FETCH_TIMEOUT_SECONDS = 30


@desk.command("open")
def desk_open(
    reference: Annotated[str, typer.Argument(help="The concern's reference.")],
    identity: Annotated[Path, typer.Option(help="Your age identity; it stays on this machine.", exists=True)],
    url: Annotated[str, typer.Option(help="The address of the service.", envvar="GUIDANCE_DESK_URL")],
    key: Annotated[
        str | None,
        typer.Option(
            help="Your client key. On the command line every user of this machine can read it (`ps`): set the "
            "environment variable, or use --key-file.",
            envvar="GUIDANCE_DESK_KEY",
        ),
    ] = None,
    key_file: Annotated[
        typer.FileText | None, typer.Option(help="File with your client key; `-` is the standard input.")
    ] = None,
) -> None:
    """Fetch a sealed concern, open it on this machine, and print it as JSON with its additions."""
    unsealer = read_identities(identity)
    parsed = find_reference(reference)
    if parsed is None:
        raise typer.BadParameter("that is not a reference: check it for a mistake")
    secret = key_file.read().strip() if key_file is not None else key
    if not secret:
        raise typer.BadParameter("a client key is needed: GUIDANCE_DESK_KEY, --key-file or --key")
    path = desk_concern_path(parsed)
    headers = {"Authorization": f"Bearer {secret}", "Accept": AGE_MEDIA_TYPE}
    with httpx.Client(base_url=url, headers=headers, timeout=FETCH_TIMEOUT_SECONDS, trust_env=False) as client:
        response = _fetch(client, path)
        opened = unsealer.open(response.content, reference=parsed)
        numbers = range(1, int(response.headers.get("Additions", "0")) + 1)
        added = [
            unsealer.open(_fetch(client, f"{path}/additions/{number}").content, reference=parsed) for number in numbers
        ]
    typer.echo(json.dumps(opened | {"additions": added}, ensure_ascii=False, indent=2))


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


def _fetch(client: httpx.Client, path: str) -> httpx.Response:
    try:
        response = client.get(path)
    except httpx.HTTPError:
        raise DeskRequestFailed("The service does not response at that address.") from None
    if response.headers.get("content-type") != AGE_MEDIA_TYPE:
        raise DeskRequestFailed(f"The service answered {response.status_code}. {_detail_of(response)}".strip())
    return response


def _detail_of(response: httpx.Response) -> str:
    try:
        return str(response.json().get("detail", ""))
    except ValueError:
        return ""
