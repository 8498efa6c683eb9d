"""`guidance export site`: writes the public reads as files."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.open_database import open_engine
from app.cli.options import AsJson, SettingsOptions, echo_result, progress
from app.db.schema import prepare_schema
from app.logs import set_up_logs
from app.main import create_app
from app.models.base import counted
from app.server.export import export_reads


def export_site(
    settings: SettingsOptions,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder, or an earlier export.")],
    as_json: AsJson = False,
) -> None:
    """Write every public response into DIR as static files, for any web server or CDN. Replaces an earlier export.

    Feeds contain absolute URLs: set GUIDANCE_PUBLIC_URL to the address where the files will be served.
    """
    settings = settings.model_copy(update={"deliver": False})  # an export sends no emails or events
    with open_engine(settings, creates=True) as engine:  # unlike a start of the service, an export does not migrate
        prepare_schema(engine, settings.data_dir, migrates=False)
    set_up_logs("error")
    try:
        with progress("Reading") as show:
            exported = export_reads(create_app(settings), folder, public_url=settings.public_url, on_step=show)
    except FileExistsError:
        raise typer.BadParameter("the folder has other files; choose an empty folder") from None
    except OSError as failure:
        raise typer.BadParameter(f"cannot write to the folder: {failure.strerror}") from None
    for path in exported.left_out:
        typer.echo(f"Left out: {path} (more than one page; files have no pages)", err=True)
    document = {"folder": str(folder), "answers": exported.answers, "left_out": list(exported.left_out)}
    echo_result([f"{counted(exported.answers, 'file')} written to {folder}"], document, as_json=as_json)
