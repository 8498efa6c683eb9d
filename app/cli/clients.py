"""`guidance clients`: the systems that may use the API as clients."""

from typing import Annotated

import typer
from sqlmodel import Session

from app.cli.options import DataDir, EnvFile, open_writer, read_settings
from app.main import utc_now
from app.models.clients import Scope
from app.services.access.clients import add_client, revoke_client
from app.store.clients import list_clients

clients = typer.Typer(help="Clients: systems that may use the API, and what each may do.", no_args_is_help=True)


@clients.command("add")
def clients_add(
    name: Annotated[str, typer.Argument(help="Lower-case words joined by hyphens.")],
    scope: Annotated[
        list[Scope], typer.Option("--scope", help="What the client may do. Repeat the option for each scope.")
    ],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Add a client and print its key. The key is shown only once and is not stored."""
    with open_writer(read_settings(data_dir, env_file)) as (_, writer):
        key = add_client(writer, name=name, scopes=scope, at=utc_now())
    typer.echo(key)


@clients.command("list")
def clients_list(data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """List the clients, revoked ones too."""
    with open_writer(read_settings(data_dir, env_file)) as (engine, _), Session(engine) as session:
        for client in list_clients(session):
            state = f"revoked {client.revoked_at:%Y-%m-%d}" if client.revoked_at else "active"
            typer.echo(f"{client.name}\t{state}\t{' '.join(client.scopes)}")


@clients.command("revoke")
def clients_revoke(
    name: Annotated[str, typer.Argument(help="The client's name.")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Revoke a client: its key is refused from now on."""
    with open_writer(read_settings(data_dir, env_file)) as (_, writer):
        revoke_client(writer, name, at=utc_now())
    typer.echo(f"{name}: revoked")
