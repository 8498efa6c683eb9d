"""Every command of `guidance`, in the order in which its help lists them."""

from typing import Annotated

import typer

from app.cli.access.clients import clients
from app.cli.access.people import desk_invite, desk_leave, desk_people
from app.cli.audit.audit_log import audit, receipts
from app.cli.concerns.keys import keys
from app.cli.desk.desk import desk
from app.cli.desk.find import desk_find
from app.cli.desk.write_down import desk_write_down
from app.cli.events.webhooks import deliver, webhooks
from app.cli.guides.exports import exports
from app.cli.guides.guides import (
    approve,
    check,
    due,
    import_document,
    new,
    preview,
    publish_files,
    rendition,
    withdraw_number,
)
from app.cli.operations.copying import copy
from app.cli.operations.health import health
from app.cli.operations.operations import backup, doctor, migrate, restore, verify
from app.cli.operations.serve import serve
from app.cli.option_groups import Commands
from app.config import VERSION, built_commit

app = Commands(name="guidance", no_args_is_help=True, pretty_exceptions_enable=False)


def print_version(is_given: bool) -> None:
    """If `is_given`, print the version and the commit, and exit."""
    if is_given:
        commit = built_commit()
        typer.echo(f"guidance {VERSION}" + (f" ({commit})" if commit else ""))
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and commit, and exit."),
]


@app.callback()
def describe(_version: VersionOption = False) -> None:
    """Serve a council's safeguarding guides as versioned data, and receive concerns in confidence."""


app.add_typer(keys, name="keys")
app.add_typer(clients, name="clients")
desk.command("find")(desk_find)
desk.command("write-down")(desk_write_down)
desk.command("invite")(desk_invite)
desk.command("leave")(desk_leave)
desk.command("people")(desk_people)
app.add_typer(desk, name="desk")
app.add_typer(audit, name="audit")
app.add_typer(receipts, name="receipts")
app.add_typer(webhooks, name="webhooks")
app.command()(deliver)
app.command()(backup)
app.command()(restore)
app.command()(serve)
app.command()(new)
app.command("import")(import_document)
app.command()(check)
app.command()(preview)
app.command()(approve)
app.command("publish")(publish_files)
app.command("withdraw")(withdraw_number)
app.add_typer(rendition, name="rendition")
app.command()(due)
app.command()(verify)
app.command()(migrate)
app.command()(copy)
app.add_typer(exports, name="export")
app.command()(doctor)
app.command()(health)
