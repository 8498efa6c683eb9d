"""The desk's commands as a client of the service: their options, and requests that say in a sentence why they fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.errors import DeskRequestFailed
from app.models.concerns.references import find_reference
from app.models.links import desk_concern_path
from app.services.concerns.sealing import AGE_MEDIA_TYPE
from app.services.concerns.unsealing import Unsealer

FETCH_TIMEOUT_SECONDS = 30

ReferenceArgument = Annotated[str, typer.Argument(metavar="REFERENCE", help="The concern's reference.")]
Url = Annotated[str, typer.Option(help="The address of the service.", envvar="GUIDANCE_DESK_URL")]
DeskKey = Annotated[
    str | None,
    typer.Option(
        help="Your client key. On the command line every user of this machine can read it (`ps`): set the "
        "environment variable, or use --key-file.",
        envvar="GUIDANCE_DESK_KEY",
    ),
]
DeskKeyFile = Annotated[typer.FileText | None, typer.Option(help="File with your client key; `-`: standard input.")]
Identity = Annotated[Path, typer.Option(help="Your age identity; it stays on this machine.", exists=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer of the service as JSON.")]


def parse_reference(text: str) -> str:
    """Return the reference in its standard form."""
    parsed = find_reference(text)
    if parsed is None:
        raise typer.BadParameter("that is not a reference: check it for a mistake")
    return parsed


@contextmanager
def open_desk(url: str, key: str | None, key_file: typer.FileText | None) -> Iterator[httpx.Client]:
    """Yield a client of the service that sends the worker's key."""
    secret = key_file.read().strip() if key_file is not None else key
    if not secret:
        raise typer.BadParameter("a client key is needed: GUIDANCE_DESK_KEY, --key-file or --key")
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=url, headers=headers, timeout=FETCH_TIMEOUT_SECONDS, trust_env=False) as client:
        yield client


def request(client: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
    """Return the answer. Raises `DeskRequestFailed` with the sentence of the service where it refuses."""
    try:
        response = client.request(method, path, **options)
    except httpx.HTTPError:
        raise DeskRequestFailed("The service does not respond at that address.") from None
    if not response.is_success:
        raise DeskRequestFailed(f"The service answered {response.status_code}. {_detail_of(response)}".strip())
    return response


def open_whole(client: httpx.Client, reference: str, unsealer: Unsealer) -> dict[str, Any]:
    """Fetch the sealed files of a concern and of its additions, and return what they hold: opened on this machine."""
    path = desk_concern_path(reference)
    response = _fetch(client, path)
    opened = unsealer.open(response.content, reference=reference)
    numbers = range(1, int(response.headers.get("Additions", "0")) + 1)
    added = [
        unsealer.open(_fetch(client, f"{path}/additions/{number}").content, reference=reference) for number in numbers
    ]
    return opened | {"additions": added}


def _fetch(client: httpx.Client, path: str) -> httpx.Response:
    response = request(client, "GET", path, headers={"Accept": AGE_MEDIA_TYPE})
    if response.headers.get("content-type") != AGE_MEDIA_TYPE:
        raise DeskRequestFailed(f"The service answered {response.status_code}, and not with a sealed file.")
    return response


def _detail_of(response: httpx.Response) -> str:
    try:
        return str(response.json().get("detail", ""))
    except ValueError:
        return ""
