"""`guidance desk hand-over`: give a concern to another body, sealed to that body's key."""

import base64
import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.desk_client import AnswerAsJson, KeyFileOption, KeyOption, Reference, Url, connect
from app.cli.terminal import echo_result
from app.cli.whole_concern import open_whole
from app.errors import ValidationFailed
from app.main import utc_now
from app.models.links import desk_hand_over_path
from app.services.access.key_files import write_key_file
from app.services.concerns.hand_over_package import package_of, parse_recipient, seal_package
from app.services.concerns.sealing import read_identities


def desk_hand_over(
    *,
    reference: Reference,
    to: Annotated[str, typer.Option(help="The body's age recipient. Compare it with the body by telephone.")],
    body: Annotated[str, typer.Option(help="The body's name.")],
    reason: Annotated[str, typer.Option(help="Why, for the record. Name nobody here.")],
    out: Annotated[Path, typer.Option(help="Where to write the file for the body. It must not exist.")],
    url: Url,
    identity: Annotated[
        Path | None,
        typer.Option(
            help="Your age identity; it stays on this machine. Without it the service opens the concern.", exists=True
        ),
    ] = None,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Seal a concern and its additions to another body, and record it. The body opens the file with plain `age`.

    The record comes first, then the file. Our signed receipt is written beside it, with the ending .receipt.
    """
    wanted: dict[str, Any] = {"recipient": to, "body": body, "reason": reason}
    if out.exists():
        raise typer.BadParameter("that file exists already; it is left as it is")
    try:
        recipient = parse_recipient(to)
    except ValidationFailed:
        raise typer.BadParameter("--to is not an age recipient (age1...)") from None
    with connect(url, key, key_file) as service:
        package = None
        if identity is not None:
            opened, added = open_whole(service, reference, read_identities(identity))
            additions = added["additions"]
            package = seal_package(package_of(opened, additions, body=body, reason=reason, at=utc_now()), recipient)
            wanted |= {"package_sha256": hashlib.sha256(package).hexdigest(), "additions": len(additions)}
        entry = service.send_once(desk_hand_over_path(reference), wanted)
    write_key_file(out, package if package is not None else base64.b64decode(entry.pop("package")))
    write_key_file(out.with_name(f"{out.name}.receipt"), entry["receipt"].encode() + b"\n")
    echo_result([f"{reference}: hand-over {entry['number']} to {body}, in {out}"], entry, as_json=as_json)


def desk_confirm(
    *,
    reference: Reference,
    number: Annotated[int, typer.Argument(help="The number of the hand-over.", min=1)],
    receipt: Annotated[typer.FileText, typer.Argument(metavar="FILE", help="The receipt; `-` is the standard input.")],
    url: Url,
    key: KeyOption = None,
    key_file: KeyFileOption = None,
    as_json: AnswerAsJson = False,
) -> None:
    """Store the receipt that another body sent back for a hand-over."""
    with connect(url, key, key_file) as service:
        path = f"{desk_hand_over_path(reference)}/{number}/receipt"
        entry = service.call("POST", path, body={"receipt": receipt.read().strip()})
    echo_result([f"{reference}: hand-over {number} confirmed"], entry, as_json=as_json)
