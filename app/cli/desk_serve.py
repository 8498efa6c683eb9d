"""`guidance desk serve`: the pages of the desk on a worker's own machine, with the words opened there."""

import errno
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from app.cli.desk_client import KeyFileOption, KeyOption, Url, connect
from app.cli.published_words import fetch_code_lists, fetch_edition
from app.cli.sealed_notes import SealTo, keys_given, warn_of_other_keys
from app.cli.whole_concern import open_saved
from app.config import BODIES, Bodies
from app.errors import SetupError
from app.main import utc_now
from app.models.guidance.editions import EditionContent
from app.pages.desk.local_pages import LocalPages
from app.server.local_desk import LocalDesk, run_local_desk
from app.server.local_hand_over import LocalHandOvers
from app.server.local_sealing import LocalSealing
from app.services.concerns.sealing import read_identities
from app.services.guidance.reference_data import ReferenceData


def desk_serve(
    *,
    identity: Annotated[Path, typer.Option(help="Your age identity; it stays on this machine.", exists=True)],
    port: Annotated[int, typer.Option(help="Port to listen on; by default any free one.", min=0, max=65535)] = 0,
    url: Url,
    bodies: Annotated[
        str | None,
        typer.Option(
            help='Bodies to hand over to, each with its age recipient, as JSON: {"Example Council": "age1..."}. '
            "Compare each key with its body by telephone.",
            envvar="GUIDANCE_HAND_OVER_BODIES",
        ),
    ] = None,
    seal_to: SealTo = None,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
) -> None:
    """Serve the desk's pages on this machine alone, with every concern opened here, and what you write sealed here.

    The service sees no word of either.

    Open the address that it prints. It works once. Stop it with Ctrl+C.
    """
    unsealer, keys_of_bodies = read_identities(identity), _parse_bodies(bodies)
    known = (*(str(each.to_public()) for each in unsealer.identities), *keys_given(seal_to))
    with connect(url, key, key_file) as service:
        warn_of_other_keys(service, known)

        @cache
        def code_lists() -> ReferenceData:
            return fetch_code_lists(service)

        @cache
        def labels(guide: str, edition: int) -> tuple[EditionContent, ReferenceData]:
            return fetch_edition(service, guide, edition), code_lists()

        def announce(address: str) -> None:
            typer.echo(f"The desk is at {address} (once; stop it with Ctrl+C)", err=True)

        def open_here(reference: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
            return open_saved(service, reference, unsealer)

        hand_overs = LocalHandOvers(keys_of_bodies, open_here, utc_now)
        try:
            sealing = LocalSealing(known, utc_now)
            desk = LocalDesk(service.http, LocalPages(unsealer, labels), hand_overs, sealing)
            run_local_desk(desk, port=port, announce=announce)
        except OSError as failure:
            if failure.errno != errno.EADDRINUSE:
                raise
            raise SetupError(f"Port {port} is taken by another program: choose another one by --port.") from None


def _parse_bodies(given: str | None) -> Mapping[str, str]:
    try:
        return TypeAdapter(Bodies | None).validate_python(given) or {}
    except ValidationError:
        raise typer.BadParameter(f"--bodies {BODIES}") from None
