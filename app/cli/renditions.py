"""`guidance rendition`: a guide in other languages and forms, from a file to published words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from app.cli.agreement import AgreedDigests, is_in_seed, require_agreed
from app.cli.options import DataDir, EnvFile, open_writer, read_settings
from app.cli.published_guides import open_published
from app.errors import SeedFileError, SetupError
from app.main import utc_now
from app.models.guidance.rendition_files import RenditionFile, read_rendition_file
from app.services.guidance.publishing import withdraw_published
from app.services.guidance.renditions import is_of_former_edition
from app.services.guidance.seeding import RENDITIONS, check_rendition_file, publish_rendition_file
from app.store.editions import RenditionKey, get_history

rendition = typer.Typer(
    help="Check, agree on, publish and withdraw renditions: a guide in other languages and forms.", no_args_is_help=True
)
RenditionPath = Annotated[Path, typer.Argument(metavar="FILE", help=".../<guide>/<language>.yaml")]
RenditionPaths = Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<language>.yaml")]


@rendition.command("check")
def check_renditions(paths: RenditionPaths, data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """List every fault in the files against their editions, each with its line. Exit status 1 if there is a fault."""
    faulty = 0
    with _open_editions(data_dir, env_file) as session:
        for path in paths:
            try:
                _check(session, path)
            except SeedFileError as refusal:
                faulty += 1
                typer.echo(str(refusal))
            else:
                typer.echo(f"{path}: no faults")
    if faulty:
        raise typer.Exit(1)


@rendition.command("approve")
def approve_rendition(path: RenditionPath, data_dir: DataDir = None, env_file: EnvFile = None) -> None:
    """Check the file, and print the digest of its words: what those who answer for them agree on."""
    with _open_editions(data_dir, env_file) as session:
        file = _check(session, path)
    typer.echo(f"{file.guide}, rendition {file.content.language}: {file.digest}")
    typer.echo(f"To publish these words: guidance rendition publish {path} --digest {file.digest}", err=True)


@rendition.command("publish")
def publish_renditions(
    paths: RenditionPaths, digest: AgreedDigests = None, data_dir: DataDir = None, env_file: EnvFile = None
) -> None:
    """Publish renditions from files. The same words again change nothing; other words are the next number.

    Files in the seed folder need no digest.
    """
    settings = read_settings(data_dir, env_file)
    with open_writer(settings) as (_, writer):
        for path in paths:
            file = read_rendition_file(path)
            if not is_in_seed(settings, path, RENDITIONS):
                require_agreed(path, file.digest, digest or [], command="guidance rendition approve")
            published = publish_rendition_file(writer, file, at=utc_now())
            state = "published" if published.is_new else "already published, nothing changed"
            guide, language, number = published.key
            typer.echo(f"{guide}, rendition {language} {number}: {state} ({published.digest})")


@rendition.command("withdraw")
def withdraw_published_rendition(
    guide: Annotated[str, typer.Argument(metavar="GUIDE", help="The guide's name.")],
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="The language, such as cy.")],
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The rendition's number.", min=1)],
    reason: Annotated[str, typer.Option(help="A sentence for readers: every read of the rendition returns it.")],
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Withdraw a rendition: its words stay on record, and readers get the reason."""
    if not reason.strip():
        raise typer.BadParameter("say why, in a sentence for readers", param_hint="--reason")
    with open_writer(read_settings(data_dir, env_file)) as (_, writer):
        key = RenditionKey(guide, language, number)
        withdrawn = withdraw_published(writer, key, reason=reason.strip(), at=utc_now())
    state = "withdrawn" if withdrawn.is_new else "already withdrawn for that reason, nothing changed"
    typer.echo(f"{guide}, rendition {language} {number}: {state}")


@contextmanager
def _open_editions(data_dir: Path | None, env_file: Path | None) -> Iterator[Session]:
    """Open what is published. Raise `SetupError` where there is nothing."""
    with open_published(read_settings(data_dir, env_file)) as session:
        if session is None:
            raise SetupError("there is no database here, so there is no edition to compare the file with")
        yield session


def _check(session: Session, path: Path) -> RenditionFile:
    """Return the file without faults, and write what every answer will say of it to standard error."""
    file = check_rendition_file(session, path)
    if file.content.is_unchecked:
        typer.echo(f"{path}: a machine made it and nobody has checked it: every answer will say so", err=True)
    if is_of_former_edition(get_history(session, guide=file.guide), file.content.of.edition):
        typer.echo(f"{path}: a later edition is current, so every answer will say that it is behind", err=True)
    return file
