"""`guidance audit`: checkpoints for an independent auditor."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.cli.open_database import open_writer
from app.cli.options import SettingsOptions
from app.clock import utc_now
from app.config import Settings
from app.errors import CheckpointNotGenuine, SetupError
from app.models.base import parse_json
from app.services.concerns.keys import RECEIPT_KEY, load_receipt_key, load_retired_keys
from app.services.operations.checkpoints import (
    Checkpoint,
    Verifier,
    open_checkpoint,
    open_checkpoints,
    parse_verifier_key,
)


def read_checkpoints(paths: Sequence[Path], settings: Settings, key: str | None) -> list[tuple[str, Checkpoint]]:
    """Read checkpoints, verified with `key` or the public keys of this service.

    Raise `SetupError` if a key is invalid, or a file is no checkpoint signed with one of them.
    """
    if not paths:
        return []
    if key is not None:
        verifiers = [parse_verifier_key(key)]
    else:
        own = settings.receipt_key_file or settings.data_dir / RECEIPT_KEY
        verifiers = [Verifier(each) for each in load_retired_keys([own, *settings.retired_receipt_keys])]
    checkpoints = []
    for path in paths:
        try:
            checkpoints.append((str(path), open_checkpoint(_read_note(path), verifiers)))
        except CheckpointNotGenuine:
            raise SetupError(f"{path} is not a checkpoint signed by one of the keys") from None
    return checkpoints


def _read_note(path: Path) -> str:
    """Return the signed note in `path`, or that in the member `checkpoint` of its JSON. Raise `SetupError`."""
    try:
        text = path.read_bytes().decode()
        if not text.lstrip().startswith("{"):
            return text
        document: dict[str, Any] = parse_json(text)
        return str(document.get("data", document)["checkpoint"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise SetupError(f"{path} is not a valid checkpoint") from None


def audit_checkpoint(
    settings: SettingsOptions,
    out: Annotated[Path | None, typer.Option(help="Also write the checkpoint to this file.")] = None,
) -> None:
    """Sign a checkpoint (number of entries and Merkle root), print it, and send it as `audit.checkpoint`."""
    with open_writer(settings) as (_, writer):
        made = open_checkpoints(settings, writer, _key_of(settings)).make(at=utc_now())
    typer.echo(made.note, nl=False)
    if out is None:
        return
    try:
        out.write_text(made.note, encoding="utf-8")
    except OSError as failure:
        raise typer.BadParameter(f"cannot write the file: {failure.strerror}") from None


def audit_key(settings: SettingsOptions) -> None:
    """Print the public key for checkpoints, for auditors: `guidance verify --key` and other tools."""
    with open_writer(settings) as (_, writer):
        typer.echo(open_checkpoints(settings, writer, _key_of(settings)).signer.verifier_key)


def _key_of(settings: Settings) -> Ed25519PrivateKey:
    return load_receipt_key(settings.receipt_key_file, settings.data_dir)
