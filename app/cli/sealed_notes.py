"""Sealing notes on a worker's machine: to the keys that the service names, if each is known here."""

import base64
import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from app.cli.desk_client import DeskClient
from app.errors import KeysNotKnown
from app.models.desk.notes import MAX_NOTE_LENGTH
from app.models.links import DESK_RECIPIENTS
from app.services.concerns.sealing import make_sealer, seal_note

SealTo = Annotated[
    str | None,
    typer.Option(
        "--seal-to",
        help="The age recipients that a note may be sealed to, as the person who leads the desk gave them, separated "
        "by commas or spaces. A service that names another gets no note.",
        envvar="GUIDANCE_SEAL_TO",
    ),
]


def keys_given(text: str | None) -> tuple[str, ...]:
    """Return the recipients of the option. Raises `SetupError` if one of them is none."""
    keys = tuple(re.findall(r"[^\s,]+", text or ""))
    return tuple(map(str, make_sealer(keys).recipients)) if keys else ()


def fetch_recipients(service: DeskClient) -> list[str]:
    """Return the keys that the service names. Raises `DeskRequestFailed`."""
    recipients: list[str] = service.call("GET", DESK_RECIPIENTS)["recipients"]
    return recipients


def sealed_note(service: DeskClient, reference: str, text: str, known: Sequence[str]) -> dict[str, Any]:
    """Return the note as it is sent; with `known` keys, only if the service names no other.

    Raises `KeysNotKnown` or `DeskRequestFailed`.
    """
    if not 0 < len(text) <= MAX_NOTE_LENGTH:
        raise typer.BadParameter(f"a note has between 1 and {MAX_NOTE_LENGTH} characters")
    recipients = fetch_recipients(service)
    if known and not set(recipients) <= set(known):
        raise KeysNotKnown("The service names a key that is not in --seal-to. Nothing was sent.")
    sealed = base64.b64encode(seal_note(text, reference, recipients)).decode()
    return {"sealed": sealed, "recipients": recipients}
