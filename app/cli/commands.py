"""Every command of `guidance`, in the order in which its help lists them."""

from typing import Annotated

import typer

from app.about import VERSION
from app.cli.ask import desk_ask
from app.cli.audit import audit
from app.cli.clients import clients
from app.cli.database import backup, migrate, restore, verify
from app.cli.desk import desk
from app.cli.editions import export, publish_files
from app.cli.hand_over import desk_confirm, desk_hand_over
from app.cli.keys import keys
from app.cli.receipts import receipts
from app.cli.serve import serve
from app.cli.statistics import desk_statistics
from app.cli.webhooks import deliver, webhooks
from app.config import built_commit

app = typer.Typer(
    name="guidance",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def print_version(is_given: bool) -> None:
    """Print the version and the commit, and end."""
    if is_given:
        commit = built_commit()
        typer.echo(f"guidance {VERSION}" + (f" ({commit})" if commit else ""))
        raise typer.Exit


VersionOption = Annotated[
    bool,
    typer.Option(
        "--version", callback=print_version, is_eager=True, help="Print the version, and the commit it was built from."
    ),
]


@app.callback()
def describe(_version: VersionOption = False) -> None:
    """Serve a council's safeguarding guidance as versioned data, and take concerns in confidence."""


desk.command("ask")(desk_ask)
desk.command("hand-over")(desk_hand_over)
desk.command("confirm")(desk_confirm)
desk.command("statistics")(desk_statistics)

app.add_typer(keys, name="keys")
app.add_typer(clients, name="clients")
app.add_typer(desk, name="desk")
app.add_typer(audit, name="audit")
app.add_typer(receipts, name="receipts")
app.add_typer(webhooks, name="webhooks")
app.command()(deliver)
app.command()(backup)
app.command()(restore)
app.command()(serve)
app.command("publish")(publish_files)
app.command()(verify)
app.command()(migrate)
app.command()(export)
