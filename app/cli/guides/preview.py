"""`guidance preview`: serves a file as an edition, on this computer only."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.cli.guides.guides import EditionPath, list_warnings
from app.cli.open_database import open_published, open_writer
from app.cli.options import SettingsOptions
from app.cli.ports import listening_at, ports_from
from app.clock import utc_now
from app.config import Settings
from app.server.run import run_server
from app.services.guides.editions import find_history, read_content
from app.services.guides.publishing import publish_edition, withdraw_published
from app.services.guides.reference_data import ReferenceData, read_reference_data
from app.services.guides.validation import CheckedFile, check_file


def preview(
    settings: SettingsOptions,
    path: EditionPath,
    port: Annotated[
        int | None,
        typer.Option(help="Port to listen on: without one 8001, or the next free one.", min=0, max=65535),
    ] = None,
) -> None:
    """Preview the file as an edition, on this computer only: its page, PDFs and changes.

    Uses a temporary folder, which is deleted at the end with everything sent to it.
    """
    reference_data = read_reference_data(settings.seed_dir)
    ports = ports_from(port, 8001)
    with TemporaryDirectory(prefix="guidance-preview-") as folder, listening_at(ports):
        only_here = {"data_dir": Path(folder), "database_url": None, "seal_to": (), "deliver": False}
        trial = settings.model_copy(update=only_here | {"default_guide": None, "log_level": "error"})
        draft = _publish_in_trial(trial, path, reference_data, settings)
        list_warnings(path, draft.warnings)

        def announce(address: str) -> None:
            shown = f"{address}/guides/{draft.key.guide}"
            typer.echo(f"Preview on {shown} (stop it with Ctrl+C)", err=True)

        run_server(trial, host="127.0.0.1", ports=ports, workers=1, announce=announce)


def _publish_in_trial(trial: Settings, path: Path, reference_data: ReferenceData, settings: Settings) -> CheckedFile:
    """Copy the guide's other editions to the trial database, then publish the checked file in it.

    Raise `SeedFileError`, before any edition is copied, if the file has errors.
    """
    at = utc_now()
    with open_published(settings) as session:
        draft = check_file(path, reference_data, session, today=at.date())
        former = [] if session is None else list(reversed(find_history(session, guide=draft.key.guide)))
        contents = [read_content(session, each.key) for each in former] if session is not None else []
    with open_writer(trial, creates=True) as (_, writer):
        for head, content in zip(former, contents, strict=True):
            if head.number == draft.key.number:
                continue
            writer.run(
                publish_edition,
                reference_data,
                head.guide,
                content,
                head.number,
                at=head.published_at,
                two_people=False,
            )
            if head.withdrawn_at is not None:
                writer.run(withdraw_published, head.key, reason=head.reason or "", at=head.withdrawn_at)
        writer.run(publish_edition, reference_data, draft.key.guide, draft.file.content, at=at, two_people=False)
    return draft
