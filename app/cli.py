"""The `guidance` command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from app.config import Settings
from app.errors import GuidanceError, SetUpFault
from app.exporting import export_reads
from app.logs import set_up_logs
from app.main import create_app, utc_now
from app.models.clients import Scope
from app.services.clients import add_client
from app.services.keys import new_identity
from app.services.reference_data import read_reference_data
from app.services.seeding import publish_file
from app.services.verifying import verify_disclosures, verify_editions
from app.store.clients import list_clients, mark_revoked
from app.store.database import make_schema, open_database
from app.store.writer import Writer

app = typer.Typer(
    name="guidance",
    help="Serve a council's safeguarding guidance as versioned data, and take concerns in confidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="Keys that concerns are sealed to.", no_args_is_help=True)
app.add_typer(keys, name="keys")
clients = typer.Typer(help="Systems that may act here, and what each may do.", no_args_is_help=True)
app.add_typer(clients, name="clients")

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder for the database and the keys [GUIDANCE_DATA_DIR].")
]
EnvFile = Annotated[Path | None, typer.Option("--env-file", help="File with GUIDANCE_* settings.", exists=True)]


def _settings(data_dir: Path | None, env_file: Path | None) -> Settings:
    try:
        settings = Settings(_env_file=env_file)
    except ValidationError as refusal:
        told = refusal.errors(include_url=False, include_input=False)
        faults = [f"GUIDANCE_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in told]
        raise SetUpFault("\n".join(faults)) from None
    return settings if data_dir is None else settings.model_copy(update={"data_dir": data_dir})


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Serve: on the first start the seed is published and development keys are made."""
    settings = _settings(data_dir, env_file)
    set_up_logs(settings.log_level)
    service = create_app(settings)
    if not settings.seal_to:
        typer.echo(
            f"Concerns are sealed to a development identity in {settings.data_dir}. For real concerns set "
            "GUIDANCE_SEAL_TO to the duty team's own recipients (see `guidance keys new`).",
            err=True,
        )
    config = uvicorn.Config(
        service, host=host, port=port, log_config=None, access_log=False, server_header=False, proxy_headers=False
    )
    listening = config.bind_socket()
    address = f"http://{host}:{listening.getsockname()[1]}"
    typer.echo(f"Serving on {address} (documentation: {address}/docs)", err=True)
    server = uvicorn.Server(config)
    server.run(sockets=[listening])
    if not server.started:
        raise typer.Exit(1)


@contextmanager
def _database(settings: Settings) -> Iterator[tuple[Engine, Writer]]:
    """The database, with its writer at work, for one command."""
    set_up_logs("warning")
    engine = open_database(settings.data_dir)
    make_schema(engine)
    writer = Writer(engine, queue_size=settings.writer_queue, wait_seconds=settings.writer_wait_seconds)
    writer.start()
    try:
        yield engine, writer
    finally:
        writer.stop()
        engine.dispose()


@app.command()
def publish(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<number>.yaml")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Publish editions from files. The same words again change nothing; other words under a number are refused."""
    settings = _settings(data_dir, env_file)
    reference_data = read_reference_data(settings.seed_dir)
    with _database(settings) as (_, writer):
        for path in paths:
            published = publish_file(writer, reference_data, path, at=utc_now())
            told = "published" if published.is_new else "already published, nothing changed"
            typer.echo(f"{published.key.guide}, edition {published.key.number}: {told} ({published.digest})")


@app.command()
def verify(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Take every digest and every hash of the disclosures again from the rows: exit status 1 where one differs."""
    engine = open_database(_settings(data_dir, env_file).data_dir)
    faults = 0
    for verdict in verify_editions(engine):
        faults += verdict.fault is not None
        typer.echo(f"{verdict.key.guide}, edition {verdict.key.number}: {verdict.fault or 'as published'}")
    for chain, fault in verify_disclosures(engine):
        faults += 1
        typer.echo(f"disclosures of {chain}: {fault}")
    if faults:
        raise typer.Exit(1)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier export.")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Write every public read into DIR as plain files, for any web server or CDN. An earlier export is replaced whole.

    Feeds hold absolute addresses: set GUIDANCE_PUBLIC_URL to where the files will be reached.
    """
    settings = _settings(data_dir, env_file)
    set_up_logs("error")
    try:
        exported = export_reads(create_app(settings), folder)
    except FileExistsError:
        raise typer.BadParameter("that folder holds something else; it is left as it is") from None
    except OSError as failure:
        raise typer.BadParameter(f"that folder cannot be written: {failure.strerror}") from None
    for path in exported.left_out:
        typer.echo(f"Left out: {path} (longer than a page, and files have no pages)", err=True)
    typer.echo(f"{exported.answers} answers written to {folder}")


@clients.command("add")
def clients_add(
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")],
    scope: Annotated[list[Scope], typer.Option("--scope", help="What it may do; give it once for each.")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Add a client and print its key, which is shown here once and kept nowhere."""
    with _database(_settings(data_dir, env_file)) as (_, writer):
        key = writer.keep(lambda connection: add_client(connection, name=name, scopes=scope, at=utc_now()))
    typer.echo(key)


@clients.command("list")
def clients_list(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """List the clients, revoked ones too."""
    with _database(_settings(data_dir, env_file)) as (engine, _), Session(engine) as session:
        for client in list_clients(session):
            state = f"revoked {client.revoked_at:%Y-%m-%d}" if client.revoked_at else "active"
            typer.echo(f"{client.name}\t{state}\t{' '.join(client.scopes)}")


@clients.command("revoke")
def clients_revoke(
    name: Annotated[str, typer.Argument(help="The client's name.")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Revoke a client: from now on its key opens nothing."""
    with _database(_settings(data_dir, env_file)) as (_, writer):
        writer.keep(lambda connection: mark_revoked(connection, name=name, at=utc_now()))
    typer.echo(f"{name}: revoked")


@keys.command("new")
def keys_new(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the identity; must not exist yet.")],
) -> None:
    """Make an age identity in FILE (readable by its owner alone) and print its recipient, for GUIDANCE_SEAL_TO.

    Keep the identity away from the server: only whoever opens concerns needs it.
    """
    try:
        recipient = new_identity(path, at=utc_now())
    except FileExistsError:
        raise typer.BadParameter("that file exists already; it is left as it is") from None
    except OSError as failure:
        raise typer.BadParameter(f"that file cannot be written: {failure.strerror}") from None
    typer.echo(recipient)


def main() -> None:
    """Run the command; an error of the domain is one sentence, not a traceback."""
    try:
        app()
    except GuidanceError as error:
        sys.stderr.write(f"{str(error) or type(error).__doc__}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
