"""`guidance publish` and `guidance withdraw`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from app.cli.agreement import AgreedDigests, is_in_seed, require_agreed
from app.cli.options import AsJson, DataDir, EnvFile, open_writer, read_settings
from app.cli.terminal import echo_json, echo_result
from app.errors import SeedError, SeedFileError
from app.main import utc_now
from app.services.guidance.checking import check_file, meant_folder, read_published
from app.services.guidance.publishing import Precondition, Published, withdraw_published
from app.services.guidance.reference_data import read_reference_data
from app.services.guidance.seeding import publish_file, publish_read_file
from app.store.editions import EditionHead, EditionKey

NOT_NAMED_NEW = (
    "nothing is published: there is no guide `{}` yet. If it is a new guide, add `--new`. If not, put the file into "
    "the folder of its guide.{}"
)


def publish_files(
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<number>.yaml")],
    digest: AgreedDigests = None,
    new: Annotated[bool, typer.Option("--new", help="Publish a guide that is not published yet.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Publish editions from files. To publish the same words again changes nothing.

    Other words under a number that is published are refused. Files in the seed folder need neither option.
    """
    settings = read_settings(data_dir, env_file)
    reference_data = read_reference_data(settings.seed_dir)
    results: list[Published] = []
    with _results_at_end(results, as_json=as_json), open_writer(settings) as (engine, writer):
        for path in paths:
            if is_in_seed(settings, path, "guides"):
                published = publish_file(writer, reference_data, path, at=utc_now())
            else:
                with Session(engine) as session:
                    checked = check_file(path, reference_data, session, today=utc_now().date())
                require_agreed(path, checked.digest, digest or [], command="guidance approve")
                published = publish_read_file(
                    writer,
                    reference_data,
                    checked.file,
                    checked.key,
                    at=utc_now(),
                    precondition=None if new else _known_guide(path, checked.key.guide),
                )
            results.append(published)
            if not as_json:
                state = "published" if published.is_new else "already published, nothing changed"
                typer.echo(f"{published.key.guide}, edition {published.key.number}: {state} ({published.digest})")


def withdraw_number(
    guide: Annotated[str, typer.Argument(metavar="GUIDE", help="The guide's name.")],
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The edition's number.", min=1)],
    reason: Annotated[str, typer.Option(help="A sentence for readers: every read of the edition returns it.")],
    as_json: AsJson = False,
    data_dir: DataDir = None,
    env_file: EnvFile = None,
) -> None:
    """Withdraw an edition: its words stay on record, and readers get the reason and the edition before it."""
    if not reason.strip():
        raise typer.BadParameter("say why, in a sentence for readers", param_hint="--reason")
    with open_writer(read_settings(data_dir, env_file)) as (_, writer):
        withdrawn = withdraw_published(writer, EditionKey(guide, number), reason=reason.strip(), at=utc_now())
    state = "withdrawn" if withdrawn.is_new else "already withdrawn for that reason, nothing changed"
    document = {"guide": guide, "edition": number, "is_new": withdrawn.is_new}
    echo_result([f"{guide}, edition {number}: {state}"], document, as_json=as_json)


@contextmanager
def _results_at_end(results: list[Published], *, as_json: bool) -> Iterator[None]:
    """Print the results as JSON at the end, also after a file that was refused: those before it are published."""
    try:
        yield
    finally:
        if as_json:
            echo_json([_as_document(each) for each in results])


def _as_document(published: Published) -> dict[str, Any]:
    key = published.key
    return {"guide": key.guide, "edition": key.number, "digest": published.digest, "is_new": published.is_new}


def _known_guide(path: Path, guide: str) -> Precondition:
    """Return the precondition that the guide exists, checked in the transaction that publishes."""

    def require(session: Session, _current: EditionHead | None) -> None:
        published = read_published(session, guide)
        if not published.history:
            reason = NOT_NAMED_NEW.format(guide, meant_folder(guide, published.names))
            raise SeedFileError(path, [SeedError(0, reason)])

    return require
