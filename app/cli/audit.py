"""`guidance audit`: checkpoints of the record, for a second party."""

import base64
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.assembly import open_checkpoints
from app.cli.options import DataDir, EnvFile, open_writer, read_settings
from app.cli.stored_checkpoints import read_note
from app.config import Settings
from app.main import utc_now
from app.models.base import format_utc
from app.services.access.key_files import load_receipt_key
from app.services.desk.timestamps import check_timestamp

audit = typer.Typer(help="Checkpoints of the record of disclosures, for a second party.", no_args_is_help=True)


@audit.command("checkpoint")
def audit_checkpoint(
    out: Annotated[
        Path | None,
        typer.Option(help="Write the checkpoint to this file too, and its time stamp beside it, with the ending .tsr."),
    ] = None,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Sign how many disclosures there are, and their Merkle root: print it, and send it as `audit.checkpoint`."""
    settings = read_settings(data_dir, env_file)
    with open_writer(settings) as (engine, writer):
        made = open_checkpoints(settings, engine, writer, _key_of(settings)).make(at=utc_now())
    typer.echo(made.note, nl=False)
    if out is None:
        return
    try:
        out.write_text(made.note, encoding="utf-8")
        if made.timestamp is not None:
            out.with_name(f"{out.name}.tsr").write_bytes(base64.b64decode(made.timestamp))
    except OSError as failure:
        raise typer.BadParameter(f"that file cannot be written: {failure.strerror}") from None


@audit.command("timestamp")
def audit_timestamp(
    checkpoint: Annotated[Path, typer.Argument(metavar="FILE", help="The checkpoint.", exists=True)],
    reply: Annotated[Path, typer.Option(help="The authority's reply (FILE.tsr).", exists=True)],
    authority: Annotated[Path, typer.Option(help="The authority's certificates, in one PEM file.", exists=True)],
) -> None:
    """Check the time stamp (RFC 3161) of a checkpoint, and print the time at which the checkpoint existed."""
    stamped = check_timestamp(reply.read_bytes(), read_note(checkpoint).encode(), authority)
    typer.echo(format_utc(stamped))


@audit.command("key")
def audit_key(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Print the public key of the checkpoints, for the second party: `guidance verify --key`, and other tools."""
    settings = read_settings(data_dir, env_file)
    with open_writer(settings) as (engine, writer):
        typer.echo(open_checkpoints(settings, engine, writer, _key_of(settings)).signer.verifier_key)


def _key_of(settings: Settings) -> Ed25519PrivateKey:
    return load_receipt_key(settings.receipt_key_file, settings.data_dir)
