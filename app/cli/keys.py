"""`guidance keys`: the keys that concerns are sealed to."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import REMAINS, DataDir, EnvFile, open_writer, read_settings
from app.errors import SetupError
from app.main import utc_now
from app.models.desk.remnants import Remnants
from app.services.access.key_files import create_identity
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import fingerprint_of, make_sealer
from app.services.concerns.unsealing import read_identities
from app.store.disclosures import Actor

keys = typer.Typer(help="Keys that concerns are sealed to.", no_args_is_help=True)

KEY_HOLDER = Actor("key-holder", "command line")


@keys.command("new")
def keys_new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the identity. The file must not exist.")],
) -> None:
    """Make an age identity in FILE (readable by its owner alone) and print its recipient, for GUIDANCE_SEAL_TO.

    Do not put the identity on the server. Only the people who open concerns need it.
    """
    try:
        recipient = create_identity(path, at=utc_now())
    except FileExistsError:
        raise typer.BadParameter("that file exists already; it is left as it is") from None
    except OSError as failure:
        raise typer.BadParameter(f"that file cannot be written: {failure.strerror}") from None
    typer.echo(recipient)


@keys.command("list")
def keys_list(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """List the recipients that new concerns are sealed to, each with its fingerprint (shown at the desk)."""
    settings = read_settings(data_dir, env_file)
    for recipient in settings.seal_to:
        typer.echo(f"{fingerprint_of(recipient)}\t{recipient}")


@keys.command("reseal")
def keys_reseal(
    identity: Annotated[Path, typer.Option(help="An identity that opens the concerns.", exists=True)],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Seal every concern again, to the recipients of GUIDANCE_SEAL_TO. Run it where the identity is.

    To retire a key: in GUIDANCE_SEAL_TO add the new recipient and remove the old one, then run this once. A text that
    cannot be opened is named and left as it is, and the exit status is 1.
    """
    settings = read_settings(data_dir, env_file)
    if not settings.seal_to:
        raise SetupError("set GUIDANCE_SEAL_TO to the recipients that concerns are to be sealed to")
    unsealer, sealer = read_identities(identity), make_sealer(settings.seal_to)
    with open_writer(settings) as (engine, writer):
        resealed = reseal(engine, writer, unsealer, sealer, actor=KEY_HOLDER, at=utc_now())
    typer.echo(f"{resealed.count} sealed anew")
    for text in resealed.unopened:
        typer.echo(f"{text}: not opened by this identity, and left as it is", err=True)
    for text in resealed.misplaced:
        typer.echo(f"{text}: the text belongs to another concern, and is left as it is: run guidance verify", err=True)
    if resealed.remnants is Remnants.PENDING:
        typer.echo(REMAINS, err=True)
    if resealed.unopened or resealed.misplaced:
        raise typer.Exit(1)
