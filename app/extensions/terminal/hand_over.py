"""`guidance desk hand-over` and `confirm`: hand a concern over to another organisation."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from app.age.keys import seal_to
from app.cli.option_groups import OptionGroup
from app.clock import utc_now
from app.errors import ValidationFailed
from app.extensions.terminal.client import DeskOptions, Reference, require_new
from app.extensions.terminal.desk import open_whole
from app.models.links import desk_concern_path
from app.services.concerns.sealing import read_identities
from app.services.desk.hand_overs import package_of, read_recipient
from app.services.key_files import write_key_file


@dataclass(frozen=True)
class Receiver:
    to: Annotated[str, typer.Option(help="The organisation's age recipient (public key). Confirm it by phone.")]
    body: Annotated[str, typer.Option(help="Name of the organisation.")]
    reason: Annotated[str, typer.Option(help="Reason, for the audit log. Do not name anyone.")]


def desk_hand_over(
    service: DeskOptions,
    *,
    reference: Reference,
    receiver: Annotated[Receiver, OptionGroup(Receiver)],
    out: Annotated[Path, typer.Option(help="Output file for the organisation. Must not exist.")],
    identity: Annotated[
        Path | None,
        typer.Option(
            help="Your age identity. It stays on this computer. Without it, the service decrypts the concern.",
            exists=True,
        ),
    ] = None,
) -> None:
    """Hand a concern over: write it, with its additions, to a file that only the other organisation can decrypt.

    The organisation decrypts the file with `age`. The audit log records the hand-over before the file is written.
    The receipt that the service signs is written beside the file, with the ending .receipt.
    """
    require_new(out)
    body, reason = receiver.body, receiver.reason
    hand_over: dict[str, Any] = {"recipient": receiver.to, "body": body, "reason": reason}
    try:
        recipient = read_recipient(receiver.to)
    except ValidationFailed:
        raise typer.BadParameter("--to is not an age recipient (age1...)") from None
    package = None
    if identity is not None:
        opened, added = open_whole(service, reference, read_identities(identity))
        additions = added["additions"]
        package = seal_to(package_of(opened, additions, body=body, reason=reason, at=utc_now()), recipient)
        hand_over |= {"package_sha256": hashlib.sha256(package).hexdigest(), "additions": len(additions)}
    entry = service.send_once(desk_concern_path(reference, "hand-over"), hand_over)
    write_key_file(out, package if package is not None else base64.b64decode(entry.pop("package")))
    write_key_file(out.with_name(f"{out.name}.receipt"), entry["receipt"].encode() + b"\n")
    service.show(entry, [f"{reference}: hand-over {entry['number']} to {body}, in {out}"])


def desk_confirm(
    service: DeskOptions,
    *,
    reference: Reference,
    number: Annotated[int, typer.Argument(help="Number of the hand-over.", min=1)],
    receipt: Annotated[
        typer.FileText, typer.Argument(metavar="FILE", help="File with the receipt. `-` is standard input.")
    ],
) -> None:
    """Store the receipt that the other organisation sent back."""
    path = desk_concern_path(reference, "hand-over", number, "receipt")
    entry = service.call("POST", path, body={"receipt": receipt.read().strip()})
    service.show(entry, [f"{reference}: hand-over {number} confirmed"])
