"""`guidance new`, `guidance check` and `guidance approve`: from an idea to words that are agreed on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import DataDir, EnvFile, read_settings
from app.cli.published_guides import open_published
from app.errors import SeedError, SeedFileError
from app.main import utc_now
from app.services.guidance.checking import check_file
from app.services.guidance.drafting import write_new_file
from app.services.guidance.reference_data import read_reference_data

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
