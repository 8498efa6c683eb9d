"""`guidance keys`: the keys that encrypt concerns, encrypt webhook secrets, and sign the rows that grant access."""

from pathlib import Path
from typing import Annotated

import typer

from app.age.keys import fingerprint_of
from app.cli.open_database import open_writer
from app.cli.options import REMAINS, AsJson, SettingsOptions, echo_result, progress
from app.clock import utc_now
from app.errors import SetupError
from app.models.audit.rows import Remnants
from app.models.base import counted
from app.services.access.row_signing import drop_old_access_keys, need_access_keys, sign_again
from app.services.audit.audit_log import by_key_holder
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import make_sealer, read_identities
from app.services.events.webhook_keys import drop_old_keys, encrypt_again, open_webhook_keys


def keys_new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Output file for the identity. Must not exist.")],
) -> None:
    """Create an age identity in FILE (readable only by its owner) and print its recipient, for GUIDANCE_SEAL_TO.

    Do not store the identity on the server. Only the people who read concerns need it.
    """
    try:
        recipient = create_identity(path, at=utc_now())
    except FileExistsError:
        raise typer.BadParameter("the file exists; choose another name") from None
    except OSError as failure:
        raise typer.BadParameter(f"cannot write the file: {failure.strerror}") from None
    typer.echo(recipient)


def keys_list(settings: SettingsOptions, as_json: AsJson = False) -> None:
    """List the recipients that new concerns are encrypted to, with their fingerprints (shown at the desk).

    A trial has one, for the development identity in its data folder.
    """
    own = settings.data_dir / DEVELOPMENT_IDENTITY
    recipients = settings.seal_to
    if not recipients and own.is_file():
        recipients = tuple(str(each.to_public()) for each in read_identities(own).identities)
        typer.echo(f"This is a trial: concerns are encrypted to the development identity in {own}.", err=True)
    elif not recipients:
        typer.echo("There are no recipients: GUIDANCE_SEAL_TO is not set, and there is no trial here.", err=True)
    listed = [{"fingerprint": fingerprint_of(each), "recipient": each} for each in recipients]
    echo_result([f"{each['fingerprint']}\t{each['recipient']}" for each in listed], listed, as_json=as_json)


def keys_reseal(
    settings: SettingsOptions,
    identity: Annotated[Path, typer.Option(help="An identity that can decrypt the concerns.", exists=True)],
) -> None:
    """Re-encrypt every concern to the recipients of GUIDANCE_SEAL_TO. Run it on the computer with the identity.

    Concerns and additions without a card get one.

    To retire a key, replace its recipient in GUIDANCE_SEAL_TO, then run this once. Texts that cannot be decrypted
    are listed and left unchanged, with exit status 1.
    """
    if not settings.seal_to:
        raise SetupError("set GUIDANCE_SEAL_TO to the recipients of concerns")
    unsealer, sealer = read_identities(identity), make_sealer(settings.seal_to)
    with open_writer(settings) as (engine, writer), progress("Sealing anew") as show:
        resealed = reseal(
            engine,
            writer,
            unsealer,
            sealer,
            actor=by_key_holder(utc_now()),
            on_step=show,
        )
    typer.echo(f"{resealed.count} re-encrypted")
    if resealed.cards:
        typer.echo(f"{counted(resealed.cards, 'card')} made")
    for text in resealed.unopened:
        typer.echo(f"{text}: not encrypted to this identity; left unchanged", err=True)
    for text in resealed.misplaced:
        typer.echo(f"{text}: the text belongs to another concern; left unchanged. Run guidance verify", err=True)
    if resealed.remnants is Remnants.PENDING:
        typer.echo(REMAINS, err=True)
    if resealed.unopened or resealed.misplaced:
        raise typer.Exit(1)


def keys_rotate_webhooks(
    settings: SettingsOptions,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish", help="Remove former keys, once every node has the new key and old backups are deleted."
        ),
    ] = False,
) -> None:
    """Create a new key for webhook secrets and re-encrypt them. Receivers are not affected.

    Then copy the file to every node with its own copy. Until then, other nodes cannot deliver.
    """
    webhook_keys = open_webhook_keys(settings)
    with open_writer(settings) as (_, writer):
        changed = writer.run(encrypt_again, keys=webhook_keys, at=utc_now(), with_new_key=not finish)
        if finish:
            writer.run(drop_old_keys, keys=webhook_keys)
    rest = "its only key" if finish else "the new key; former keys still decrypt until --finish"
    typer.echo(f"{webhook_keys.path}: {counted(changed, 'webhook is', 'webhooks are')} encrypted under {rest}")


def keys_rotate_access(
    settings: SettingsOptions,
    finish: Annotated[
        bool, typer.Option("--finish", help="Remove former keys, once every node has the new key.")
    ] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Also sign rows that no key has signed, if the key is lost. First compare them with what you know: "
            "guidance clients list, guidance desk people, guidance verify.",
        ),
    ] = False,
) -> None:
    """Create a new key for the rows of clients, people and sessions, and sign them again. Users are not affected.

    Then copy the file to every node with its own copy. Until then, other nodes refuse the new signatures. Rows not
    signed by any key are listed and left unchanged: they grant no access, and the exit status is 1.
    """
    with open_writer(settings, creates=True) as (engine, writer):  # the first start may need the key file
        access_keys = need_access_keys(engine)
        count, left = writer.run(sign_again, keys=access_keys, with_new_key=not finish, accept=accept)
        if finish:
            writer.run(drop_old_access_keys, keys=access_keys)
    rest = "its only key" if finish else "the new key; former keys stay valid until --finish"
    typer.echo(f"{access_keys.path}: {counted(count, 'row is', 'rows are')} signed with {rest}")
    for name in left:
        typer.echo(f"{name}: not signed by any key; left unchanged", err=True)
    if left:
        raise typer.Exit(1)
