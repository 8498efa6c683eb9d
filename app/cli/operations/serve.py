"""`guidance serve`: the command that runs the service."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import typer

from app.cli.options import SettingsOptions
from app.cli.ports import PORT, PORTS_TO_TRY, listening_at, ports_from
from app.logs import set_up_logs
from app.server.run import check_recipients, run_server


def serve(
    settings: SettingsOptions,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            help=f"Port to listen on: without one {PORT}, and for a trial the next free one.", min=0, max=65535
        ),
    ] = None,
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
    is_trial = check_recipients(settings, host=host, is_named_trial=trial)
    if is_trial:
        typer.echo(
            f"This is a trial: concerns are encrypted to a development identity in {settings.data_dir}. For real "
            f"concerns "
            "set GUIDANCE_SEAL_TO to the duty team's own recipients (see `guidance keys new`).",
            err=True,
        )

    ports = ports_from(port, PORT, PORTS_TO_TRY if is_trial else 1)
    with listening_at(ports):
        has_started = run_server(settings, host=host, ports=ports, workers=workers, announce=partial(_announce, ports))
    if not has_started:
        raise typer.Exit(1)


def _announce(ports: Sequence[int], address: str) -> None:
    if ports[0] and not address.endswith(f":{ports[0]}"):
        typer.echo(f"Port {ports[0]} is in use by another program, so this trial has another.", err=True)
    typer.echo(
        f"Serving on {address}\n"
        f"  Home page:     {address}/\n"
        f"  Documentation: {address}/docs\n"
        f"  API:           {address}/v1",
        err=True,
    )
