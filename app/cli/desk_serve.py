"""`guidance desk serve`: the pages of the desk on a worker's own machine, with the words opened there."""

import errno
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from app.cli.desk_client import KeyFileOption, KeyOption, Url, connect
from app.cli.published_words import fetch_code_lists, fetch_edition
from app.errors import SetupError
from app.models.guidance.editions import EditionContent
from app.pages.desk.local_pages import LocalPages
from app.server.local_desk import run_local_desk
from app.services.concerns.unsealing import read_identities
from app.services.guidance.reference_data import ReferenceData


def desk_serve(
    *,
    identity: Annotated[Path, typer.Option(help="Your age identity; it stays on this machine.", exists=True)],
    port: Annotated[int, typer.Option(help="Port to listen on; by default any free one.", min=0, max=65535)] = 0,
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
) -> None:
    """Serve the desk's pages on this machine alone, with every concern opened here. The service sees no word of one.

    Open the address that it prints. It works once. Stop it with Ctrl+C.
    """
    unsealer = read_identities(identity)
    with connect(url, key, key_file) as service:

        @cache
        def code_lists() -> ReferenceData:
            return fetch_code_lists(service)

        @cache
        def labels(guide: str, edition: int) -> tuple[EditionContent, ReferenceData]:
            return fetch_edition(service, guide, edition), code_lists()

        def announce(address: str) -> None:
            typer.echo(f"The desk is at {address} (once; stop it with Ctrl+C)", err=True)

        try:
            run_local_desk(service.http, LocalPages(unsealer, labels), port=port, announce=announce)
        except OSError as failure:
            if failure.errno != errno.EADDRINUSE:
                raise
            raise SetupError(f"Port {port} is taken by another program: choose another one by --port.") from None
