"""The `guidance` command."""

import sys
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from app.config import Settings
from app.errors import GuidanceError
from app.logs import set_up_logs
from app.main import create_app, join_parts, utc_now
from app.services.keys import new_identity
from app.services.seeding import publish_file
from app.store.database import make_schema

app = typer.Typer(
    name="guidance",
    help="Serve a council's safeguarding guidance as versioned data, and take concerns in confidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="Keys that concerns are sealed to.", no_args_is_help=True)
app.add_typer(keys, name="keys")

DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder for the database and the keys [GUIDANCE_DATA_DIR].")
]
EnvFile = Annotated[Path | None, typer.Option("--env-file", help="File with GUIDANCE_* settings.", exists=True)]


def _settings(data_dir: Path | None, env_file: Path | None) -> Settings:
    settings = Settings(_env_file=env_file)
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


@app.command()
def publish(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<number>.yaml")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Publish editions from files. The same words again change nothing; other words under a number are refused."""
    settings = _settings(data_dir, env_file)
    set_up_logs("warning")
    parts = join_parts(settings, utc_now)
    make_schema(parts.engine)
    parts.intake.writer.start()
    try:
        for path in paths:
            published = publish_file(parts.intake.writer, parts.reference_data, path, at=utc_now())
            told = "published" if published.is_new else "already published, nothing changed"
            typer.echo(f"{published.key.guide}, edition {published.key.number}: {told} ({published.digest})")
    finally:
        parts.intake.writer.stop()


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
    typer.echo(recipient)


def main() -> None:
    """Run the command; an error of the domain is one sentence, not a traceback."""
    try:
        app()
    except GuidanceError as error:
        sys.stderr.write(f"{error or type(error).__doc__}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
