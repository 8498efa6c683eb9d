"""`guidance desk`: opening a concern on a worker's own machine, and retention."""

import json
from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.cli.options import DataDir, EnvFile, database_at_work, read_settings
from app.errors import DeskRequestFailed
from app.main import utc_now
from app.models.concerns.references import find_reference
from app.models.links import desk_concern_path
from app.services.concerns.retention import RetentionPeriods, erase_due_concerns
from app.services.concerns.unsealing import read_identities

desk = typer.Typer(help="The duty team's side.", no_args_is_help=True)

AGE = "application/age"
TIMEOUT_SECONDS = 30


@desk.command("open")
def desk_open(
    reference: Annotated[str, typer.Argument(help="The concern's reference.")],
    identity: Annotated[Path, typer.Option(help="Your age identity; it stays on this machine.", exists=True)],
    url: Annotated[str, typer.Option(help="Where the service is.", envvar="GUIDANCE_DESK_URL")],
    key: Annotated[
        str, typer.Option(help="Your client key; better in the environment than here.", envvar="GUIDANCE_DESK_KEY")
    ],
) -> None:
    """Fetch a concern sealed, open it on this machine, and print it as JSON with what was added to it."""
    unsealer = read_identities(identity)
    named = find_reference(reference)
    if named is None:
        raise typer.BadParameter("that is not a reference: check it for a slip")
    path = desk_concern_path(named)
    headers = {"Authorization": f"Bearer {key}", "Accept": AGE}
    with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        answer = _fetch(client, path)
        opened = unsealer.open(answer.content)
        numbers = range(1, int(answer.headers.get("Additions", "0")) + 1)
        added = [unsealer.open(_fetch(client, f"{path}/additions/{number}").content) for number in numbers]
    typer.echo(json.dumps(opened | {"additions": added}, ensure_ascii=False, indent=2))


@desk.command("purge")
def desk_purge(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Erase the words of concerns whose retention period has ended. What nobody acknowledged is never erased."""
    settings = read_settings(data_dir, env_file)
    periods = RetentionPeriods(settings.retention_acknowledged_days, settings.retention_closed_days)
    erased = 0
    with database_at_work(settings) as (engine, writer):
        for _ in erase_due_concerns(engine, writer, periods, at=utc_now()):
            erased += 1
    typer.echo(f"{erased} erased")


def _fetch(client: httpx.Client, path: str) -> httpx.Response:
    try:
        answer = client.get(path)
    except httpx.HTTPError:
        raise DeskRequestFailed("The service does not answer at that address.") from None
    if answer.headers.get("content-type") != AGE:
        raise DeskRequestFailed(f"The service answered {answer.status_code}. {_detail_of(answer)}".strip())
    return answer


def _detail_of(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("detail", ""))
    except ValueError:
        return ""
