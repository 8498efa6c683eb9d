"""`guidance serve`."""

from typing import Annotated

import typer

from app.cli.options import DataDir, EnvFile, read_settings
from app.logs import set_up_logs
from app.server.run import serve as run_server


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that serve together.", min=1, max=64)] = 1,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Serve: on the first start the seed is published and development keys are made."""
    settings = read_settings(data_dir, env_file)
    set_up_logs(settings.log_level)
    if not settings.seal_to:
        typer.echo(
            f"Concerns are sealed to a development identity in {settings.data_dir}. For real concerns set "
            "GUIDANCE_SEAL_TO to the duty team's own recipients (see `guidance keys new`).",
            err=True,
        )

    def tell(address: str) -> None:
        typer.echo(f"Serving on {address} (documentation: {address}/docs)", err=True)

    if not run_server(settings, host=host, port=port, workers=workers, told=tell):
        raise typer.Exit(1)
