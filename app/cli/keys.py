"""`guidance keys`: the keys that concerns are sealed to, and those of webhooks and of who may come in."""

from pathlib import Path
from typing import Annotated

import typer

from app.age.keys import fingerprint_of
from app.cli.options import REMAINS, AsJson, Commands, echo_result, open_writer, progress
from app.config import Settings
from app.errors import SetupError
from app.main import utc_now
from app.models.record import Remnants
from app.services.access import drop_old_access_keys, need_access_keys, sign_again
from app.services.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.record import Actor
from app.services.resealing import ChangeOfKeys, reseal
from app.services.sealing import make_sealer, read_identities
from app.services.webhooks import drop_old_keys, encrypt_again, open_webhook_keys

keys = Commands(
    help="Keys that concerns are sealed to, that encrypt the secrets of webhooks, and that sign who may come in.",
    no_args_is_help=True,
)


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
def keys_list(settings: Settings, as_json: AsJson = False) -> None:
    """List the recipients that new concerns are sealed to, each with its fingerprint (shown at the desk).

    A trial has one, of the development identity in its data folder.
    """
    own = settings.data_dir / DEVELOPMENT_IDENTITY
    recipients = settings.seal_to
    if not recipients and own.is_file():
        recipients = tuple(str(each.to_public()) for each in read_identities(own).identities)
        typer.echo(f"This is a trial: concerns are sealed to the development identity in {own}.", err=True)
    elif not recipients:
        typer.echo("GUIDANCE_SEAL_TO is not set, and no trial was started here: there is no recipient.", err=True)
    listed = [{"fingerprint": fingerprint_of(each), "recipient": each} for each in recipients]
    echo_result([f"{each['fingerprint']}\t{each['recipient']}" for each in listed], listed, as_json=as_json)


@keys.command("reseal")
def keys_reseal(
    settings: Settings,
    identity: Annotated[Path, typer.Option(help="An identity that opens the concerns.", exists=True)],
) -> None:
    """Seal every concern again, to the recipients of GUIDANCE_SEAL_TO. Run it where the identity is.

    To retire a key: in GUIDANCE_SEAL_TO add the new recipient and remove the old one, then run this once. A text that
    cannot be opened is named and left as it is, and the exit status is 1.
    """
    if not settings.seal_to:
        raise SetupError("set GUIDANCE_SEAL_TO to the recipients that concerns are to be sealed to")
    unsealer, sealer = read_identities(identity), make_sealer(settings.seal_to)
    with open_writer(settings) as (engine, writer), progress("Sealing anew") as show:
        resealed = reseal(
            engine,
            writer,
            ChangeOfKeys(unsealer, sealer),
            actor=Actor("key-holder", "command line", utc_now()),
            on_step=show,
        )
    typer.echo(f"{resealed.count} sealed anew")
    for text in resealed.unopened:
        typer.echo(f"{text}: not opened by this identity, and left as it is", err=True)
    for text in resealed.misplaced:
        typer.echo(f"{text}: the text belongs to another concern, and is left as it is: run guidance verify", err=True)
    if resealed.remnants is Remnants.PENDING:
        typer.echo(REMAINS, err=True)
    if resealed.unopened or resealed.misplaced:
        raise typer.Exit(1)


@keys.command("rotate-webhooks")
def keys_rotate_webhooks(
    settings: Settings,
    finish: Annotated[
        bool,
        typer.Option("--finish", help="Drop the former keys: every node has the new one, and old backups are gone."),
    ] = False,
) -> None:
    """Make a new key for the secrets of webhooks, and encrypt them again under it. Receivers notice nothing.

    Then copy the file to every node that has its own copy. Until then, other nodes do not deliver.
    """
    webhook_keys = open_webhook_keys(settings)
    with open_writer(settings) as (_, writer):
        changed = encrypt_again(writer, keys=webhook_keys, with_new_key=not finish)
        if finish:
            drop_old_keys(writer, keys=webhook_keys)
    rest = "its only key" if finish else "its first key; the former keys still decrypt, until --finish"
    typer.echo(f"{webhook_keys.path}: {changed} webhooks are encrypted under {rest}")


@keys.command("rotate-access")
def keys_rotate_access(
    settings: Settings,
    finish: Annotated[
        bool, typer.Option("--finish", help="Drop the former keys, when every node has the new one.")
    ] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Sign rows too that no key has signed, where the key is lost. First compare them with what you know: "
            "guidance clients list, guidance desk people, guidance verify.",
        ),
    ] = False,
) -> None:
    """Make a new key for the rows of clients, people and sessions, and sign them again with it. Nobody notices.

    Then copy the file to every node that has its own copy. Until then, other nodes refuse what is signed with it. A row
    that no key has signed is named and left as it is: it lets nobody in, and the exit status is 1.
    """
    with open_writer(settings) as (engine, writer):
        access_keys = need_access_keys(engine)
        done = sign_again(writer, keys=access_keys, with_new_key=not finish, accept=accept)
        if finish:
            drop_old_access_keys(writer, keys=access_keys)
    rest = "its only key" if finish else "its first key; the former keys still count, until --finish"
    typer.echo(f"{access_keys.path}: {done.count} rows are signed with {rest}")
    for name in done.left:
        typer.echo(f"{name}: not signed by any key, and left as it is", err=True)
    if done.left:
        raise typer.Exit(1)
