"""Every command of `guidance`, in the order in which its help lists them."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.backup import backup, restore
from app.cli.clients import clients
from app.cli.desk import desk
from app.cli.keys import keys
from app.cli.options import DataDir, EnvFile, database_at_work, database_of, read_settings
from app.cli.receipts import receipts
from app.cli.serve import serve
from app.cli.webhooks import deliver, webhooks
from app.export.writer import export_reads
from app.logs import set_up_logs
from app.main import create_app, utc_now
from app.services.guidance.reference_data import read_reference_data
from app.services.guidance.seeding import publish_file
from app.services.operations.verification import verify_disclosures, verify_editions
from app.store.schema import migrate as migrate_schema

app = typer.Typer(
    name="guidance",
    help="Serve a council's safeguarding guidance as versioned data, and take concerns in confidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys, name="keys")
app.add_typer(clients, name="clients")
app.add_typer(desk, name="desk")
app.add_typer(receipts, name="receipts")
app.add_typer(webhooks, name="webhooks")
app.command()(deliver)
app.command()(backup)
app.command()(restore)
app.command()(serve)


@app.command()
def publish(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<number>.yaml")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Publish editions from files. The same words again change nothing; other words under a number are refused."""
    settings = read_settings(data_dir, env_file)
    reference_data = read_reference_data(settings.seed_dir)
    with database_at_work(settings) as (_, writer):
        for path in paths:
            published = publish_file(writer, reference_data, path, at=utc_now())
            told = "published" if published.is_new else "already published, nothing changed"
            typer.echo(f"{published.key.guide}, edition {published.key.number}: {told} ({published.digest})")


@app.command()
def verify(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Take every digest and every hash of the disclosures again from the rows: exit status 1 where one differs."""
    faults = 0
    with database_of(read_settings(data_dir, env_file)) as engine:
        for verdict in verify_editions(engine):
            faults += verdict.fault is not None
            typer.echo(f"{verdict.key.guide}, edition {verdict.key.number}: {verdict.fault or 'as published'}")
        for chain, fault in verify_disclosures(engine):
            faults += 1
            typer.echo(f"disclosures of {chain}: {fault}")
    if faults:
        raise typer.Exit(1)


@app.command()
def migrate(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Bring the database to the schema that this program works with: all the way, or not at all.

    A node refuses to serve a shared database that is behind. Stop the nodes, back it up, run this once, start them.
    """
    settings = read_settings(data_dir, env_file)
    with database_of(settings) as engine:
        before, now = migrate_schema(engine, settings.data_dir)
    typer.echo(f"schema {now}: nothing to do" if before == now else f"schema {before or '(empty)'} to {now}")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier export.")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Write every public read into DIR as plain files, for any web server or CDN. An earlier export is replaced whole.

    Feeds hold absolute addresses: set GUIDANCE_PUBLIC_URL to where the files will be reached.
    """
    settings = read_settings(data_dir, env_file).model_copy(update={"deliver": False})  # it only reads
    set_up_logs("error")
    try:
        exported = export_reads(create_app(settings), folder, public_url=settings.public_url)
    except FileExistsError:
        raise typer.BadParameter("that folder holds something else; it is left as it is") from None
    except OSError as failure:
        raise typer.BadParameter(f"that folder cannot be written: {failure.strerror}") from None
    for path in exported.left_out:
        typer.echo(f"Left out: {path} (longer than a page, and files have no pages)", err=True)
    typer.echo(f"{exported.answers} answers written to {folder}")
