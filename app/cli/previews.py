"""`guidance preview`."""

import errno
from pathlib import Path
from typing import Annotated

import typer

from app.cli.drafts import EditionPath
from app.cli.options import DataDir, EnvFile, read_settings
from app.cli.published_guides import open_published
from app.errors import SetupError
from app.logs import set_up_logs
from app.main import utc_now
from app.server.preview import Built, run_preview
from app.server.preview_copy import build_preview, read_former
from app.services.guidance.checking import check_file
from app.services.guidance.reference_data import read_reference_data
from app.store.editions import current_of


def preview(
    path: EditionPath,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8001,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Show the page, the PDFs and the changes of a file on this machine, and again whenever the file is saved."""
    settings = read_settings(data_dir, env_file)
    reference_data = read_reference_data(settings.seed_dir)
    set_up_logs("error")

    def build(address: str, folder: Path) -> Built:
        with open_published(settings) as session:
            draft = check_file(path, reference_data, session, today=utc_now().date())
            former = read_former(session, draft.key.guide) if session is not None else []
        former = [each for each in former if each.head.number != draft.key.number]
        own = settings.model_copy(update={"public_url": address})
        app = build_preview(own, reference_data, former, draft, folder=folder, at=utc_now())
        current = current_of([each.head for each in reversed(former)])
        return Built(app, draft, current.number if current else None)

    def announce(address: str) -> None:
        typer.echo(f"Preview on {address}/ (stop it with Ctrl+C)", err=True)

    try:
        run_preview(path, build, port=port, announce=announce)
    except OSError as failure:
        if failure.errno != errno.EADDRINUSE:
            raise
        raise SetupError(f"Port {port} is taken by another program: choose another one by --port.") from None
