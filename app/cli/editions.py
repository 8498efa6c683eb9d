"""`guidance export`."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import AsJson, DataDir, EnvFile, read_settings
from app.cli.terminal import echo_result
from app.export.writer import export_reads
from app.logs import set_up_logs
from app.main import create_app


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier export.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Write every public read into DIR as plain files, for any web server or CDN. An earlier export is replaced.

    Feeds hold absolute addresses: set GUIDANCE_PUBLIC_URL to the address at which the files will be served.
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
    document = {"folder": str(folder), "answers": exported.answers, "left_out": list(exported.left_out)}
    echo_result([f"{exported.answers} answers written to {folder}"], document, as_json=as_json)
