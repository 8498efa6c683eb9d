"""`guidance serve`."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from app.cli.options import Commands
from app.config import Settings
from app.errors import SetupError
from app.logs import set_up_logs
from app.server.run import check_recipients, run_server

server = Commands(add_completion=False, pretty_exceptions_enable=False)


@server.command()
def serve(
    settings: Settings,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Number of worker processes.", min=1, max=64)] = 1,
    trial: Annotated[
        bool,
        typer.Option(
            "--trial",
            help="Start without GUIDANCE_SEAL_TO although other computers can reach the service. Not for real "
            "concerns.",
        ),
    ] = False,
) -> None:
    """Start the service. The first start publishes the seed and creates development keys."""
    set_up_logs(settings.log_level)
    if check_recipients(settings, host=host, is_named_trial=trial):
        typer.echo(
            f"This is a trial: concerns are encrypted to a development identity in {settings.data_dir}. For real "
            f"concerns "
            "set GUIDANCE_SEAL_TO to the duty team's own recipients (see `guidance keys new`).",
            err=True,
        )

    with listening_at(port):
        has_started = run_server(settings, host=host, port=port, workers=workers, announce=_announce)
    if not has_started:
        raise typer.Exit(1)


@contextmanager
def listening_at(port: int) -> Iterator[None]:
    """Raise `SetupError` with what to do, where a server cannot listen since another program does."""
    try:
        yield
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        raise SetupError(
            f'Port {port} is in use by another program: choose another with --port (make serve ARGS="--port 9000").'
        ) from None


def _announce(address: str) -> None:
    typer.echo(
        f"Serving on {address}\n"
        f"  Home page:     {address}/\n"
        f"  Documentation: {address}/docs\n"
        f"  API:           {address}/v1",
        err=True,
    )
