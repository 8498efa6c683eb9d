"""`guidance audit`: checkpoints of the record, for a second party."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.assembly import open_checkpoints
from app.cli.options import DataDir, EnvFile, open_writer, read_settings
from app.config import Settings
from app.main import utc_now
from app.services.access.key_files import load_receipt_key

audit = typer.Typer(help="Checkpoints of the record of disclosures, for a second party.", no_args_is_help=True)


@audit.command("checkpoint")
def audit_checkpoint(
    out: Annotated[
        Path | None,
        typer.Option(help="Write the checkpoint to this file too."),
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
    except OSError as failure:
        raise typer.BadParameter(f"that file cannot be written: {failure.strerror}") from None


@audit.command("key")
def audit_key(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Print the public key of the checkpoints, for the second party: `guidance verify --key`, and other tools."""
    settings = read_settings(data_dir, env_file)
    with open_writer(settings) as (engine, writer):
        typer.echo(open_checkpoints(settings, engine, writer, _key_of(settings)).signer.verifier_key)


def _key_of(settings: Settings) -> Ed25519PrivateKey:
    return load_receipt_key(settings.receipt_key_file, settings.data_dir)
