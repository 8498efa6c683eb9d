"""`guidance new`, `check`, `preview` and `approve`: from an idea to words that are agreed on."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.cli.options import DataDir, EnvFile, open_writer, read_settings
from app.cli.published_guides import open_published
from app.cli.serve import listening_at
from app.config import Settings
from app.errors import SeedError, SeedFileError
from app.main import utc_now
from app.server.run import run_server
from app.services.guidance.checking import CheckedFile, check_file
from app.services.guidance.drafting import write_new_file
from app.services.guidance.publishing import NewEdition, publish_edition, withdraw_published
from app.services.guidance.reference_data import ReferenceData, read_reference_data
from app.store.editions import find_history, read_content

EditionPath = Annotated[Path, typer.Argument(metavar="FILE", help=".../<guide>/<number>.yaml")]


def new(
    slug: Annotated[str, typer.Argument(metavar="GUIDE", help="Its name in addresses: lower-case words with hyphens.")],
    folder: Annotated[Path, typer.Option(help="Where the guide's own folder is made.")] = Path(),
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Write a file to fill in: a skeleton for a new guide, or the current words of a published one."""
    with open_published(read_settings(data_dir, env_file)) as session:
        path, is_new = write_new_file(folder, slug, session, today=utc_now().date())
    typer.echo(
        f"{path}: {'a new guide, to fill in' if is_new else 'the next edition, with the words of the current one'}"
    )
    typer.echo(f"Then: guidance check {path}")


def check(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<number>.yaml")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """List every fault and every warning in the files, each with its line. The exit status is 1 if there is a fault."""
    faulty = 0
    settings = read_settings(data_dir, env_file)
    reference_data, today = read_reference_data(settings.seed_dir), utc_now().date()
    with open_published(settings) as session:
        for path in paths:
            try:
                checked = check_file(path, reference_data, session, today=today)
            except SeedFileError as refusal:
                faulty += 1
                typer.echo(str(refusal))
                list_warnings(path, refusal.warnings)
            else:
                list_warnings(path, checked.warnings)
                typer.echo(f"{path}: no faults")
    if faulty:
        raise typer.Exit(1)


def preview(
    path: EditionPath,
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8001,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Serve a trial on this machine alone that has the file as an edition: its page, PDFs and changes.

    It has a folder of its own, which goes with it, and with all that was sent to it.
    """
    settings = read_settings(data_dir, env_file)
    reference_data = read_reference_data(settings.seed_dir)
    with TemporaryDirectory(prefix="guidance-preview-") as folder, listening_at(port):
        only_here = {"data_dir": Path(folder), "database_url": None, "seal_to": (), "deliver": False}
        trial = settings.model_copy(update=only_here | {"default_guide": None, "log_level": "error"})
        draft = _publish_in_trial(trial, path, reference_data, settings)
        list_warnings(path, draft.warnings)

        def announce(address: str) -> None:
            shown = f"{address}/guides/{draft.key.guide}"
            typer.echo(f"Preview on {shown} (stop it with Ctrl+C)", err=True)

        run_server(trial, host="127.0.0.1", port=port, workers=1, announce=announce)


def _publish_in_trial(trial: Settings, path: Path, reference_data: ReferenceData, settings: Settings) -> CheckedFile:
    """Publish the guide's editions in the trial, and then the file. Raises `SeedFileError`, and publishes nothing."""
    at = utc_now()
    with open_published(settings) as session:
        draft = check_file(path, reference_data, session, today=at.date())
        former = [] if session is None else list(reversed(find_history(session, guide=draft.key.guide)))
        contents = [read_content(session, each.key) for each in former] if session is not None else []
    with open_writer(trial) as (_, writer):
        for head, content in zip(former, contents, strict=True):
            if head.number == draft.key.number:
                continue
            new = NewEdition(head.guide, content, head.number)
            publish_edition(writer, reference_data, new, at=head.published_at)
            if head.withdrawn_at is not None:
                withdraw_published(writer, head.key, reason=head.reason or "", at=head.withdrawn_at)
        publish_edition(writer, reference_data, NewEdition(draft.key.guide, draft.file.content), at=at)
    return draft


def approve(path: EditionPath, data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Check the file, and print the digest of its words: what those who answer for the guide agree on."""
    settings = read_settings(data_dir, env_file)
    with open_published(settings) as session:
        checked = check_file(path, read_reference_data(settings.seed_dir), session, today=utc_now().date())
    list_warnings(path, checked.warnings)
    typer.echo(f"{checked.key.guide}, edition {checked.key.number}: {checked.digest}")
    option = " --new" if checked.is_new_guide else ""
    typer.echo(f"To publish these words: guidance publish {path} --digest {checked.digest}{option}", err=True)
    if checked.is_new_guide is None and checked.key.number == 1:
        typer.echo("Add `--new` too, if the guide is new where you publish it.", err=True)


def list_warnings(path: Path, warnings: Sequence[SeedError]) -> None:
    """Write the warnings to standard error."""
    if warnings:
        typer.echo(str(SeedFileError(path, warnings)), err=True)
