"""`guidance new` to `withdraw`, and `rendition`: write, check and publish guides."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from app.cli.open_database import open_editions, open_published, open_writer
from app.cli.options import AsJson, SettingsOptions, echo_json, echo_result
from app.clock import utc_now
from app.config import Settings
from app.errors import SeedError, SeedFileError
from app.models.guides.edition_files import RenditionFile, read_edition_file, read_rendition_file
from app.models.guides.edition_keys import AnyKey, EditionKey, RenditionKey, name_of_edition
from app.services.access.access_record import by_operator
from app.services.guides.editions import EditionHead, get_history
from app.services.guides.publishing import (
    RENDITIONS,
    Precondition,
    Publication,
    Published,
    check_rendition_file,
    publish_file,
    publish_rendition_file,
    withdraw_published,
)
from app.services.guides.reference_data import read_reference_data
from app.services.guides.renditions import is_of_former_edition
from app.services.guides.validation import check_file, read_published, suggest_folder, write_new_file

NOT_AGREED = (
    "not published: nobody has approved this content yet. `{command} FILE` prints its digest; publish with `--digest` "
    "and that digest"
)
OTHER_WORDS = "not published: the content differs from what was approved. Its digest is now {}"
AgreedDigests = Annotated[
    list[str] | None, typer.Option("--digest", help="The digest printed by `approve`. Repeat for several files.")
]
EditionPath = Annotated[Path, typer.Argument(metavar="FILE", help=".../<guide>/<number>.yaml")]
NOT_NAMED_NEW = (
    "not published: there is no guide `{}` yet. For a new guide, add `--new`. Otherwise move the file to the folder "
    "of its guide.{}"
)
UNCHECKED = "an unchecked machine translation: every response will say so"
BEHIND = "a later edition is current: every response will say that this is behind"
RenditionPath = Annotated[Path, typer.Argument(metavar="FILE", help=".../<guide>/<language>.yaml")]
RenditionPaths = Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<language>.yaml")]


def _require_agreed(path: Path, digest: str, agreed: Sequence[str], *, command: str) -> None:
    """Raise `SeedFileError` if `digest` is not approved. `command`, named if none is, prints a digest for approval."""
    if digest not in agreed:
        reason = OTHER_WORDS.format(digest) if agreed else NOT_AGREED.format(command=command)
        raise SeedFileError(path, [SeedError(0, reason)])


def _is_in_seed(settings: Settings, path: Path, folder: str) -> bool:
    """Return True for files that need no approval, because the first start publishes them too."""
    return path.resolve().is_relative_to((settings.seed_dir / folder).resolve())


def new(
    settings: SettingsOptions,
    slug: Annotated[str, typer.Argument(metavar="GUIDE", help="Name in URLs: lower-case words with hyphens.")],
    folder: Annotated[Path, typer.Option(help="Folder in which the guide's folder is created.")] = Path(),
) -> None:
    """Write a file to edit: a template for a new guide, or the current content of a published one."""
    with open_published(settings) as session:
        path, is_new = write_new_file(folder, slug, session, today=utc_now().date())
    typer.echo(f"{path}: {'a new guide to fill in' if is_new else 'the next edition, with the current content'}")
    typer.echo(f"Then: guidance check {path}")


def check(
    settings: SettingsOptions,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<number>.yaml")],
    as_json: AsJson = False,
) -> None:
    """List every error and warning in the files, with line numbers. Exit status 1 if there is an error."""
    reference_data, today = read_reference_data(settings.seed_dir), utc_now().date()
    with open_published(settings) as session:

        def check_one(path: Path) -> Sequence[SeedError]:
            return check_file(path, reference_data, session, today=today).warnings

        _check_each(paths, check_one, as_json=as_json)


def _check_each(paths: Sequence[Path], check_one: Callable[[Path], Sequence[SeedError]], *, as_json: bool) -> None:
    """Print the faults of each file, and exit with status 1 if one is refused. `check_one` returns the warnings."""
    found = []
    for path in paths:
        errors: Sequence[SeedError] = ()
        try:
            warnings = check_one(path)
        except SeedFileError as refusal:
            errors, warnings = refusal.faults, refusal.warnings
        if not as_json:
            typer.echo(str(SeedFileError(path, errors)) if errors else f"{path}: no errors")
            list_warnings(path, warnings)
        found.append({"file": str(path), "errors": _described(errors), "warnings": _described(warnings)})
    if as_json:
        echo_json(found)
    if any(each["errors"] for each in found):
        raise typer.Exit(1)


def _described(found: Sequence[SeedError]) -> list[dict[str, Any]]:
    return [{"line": each.line or None, "reason": each.reason} for each in found]


def approve(settings: SettingsOptions, path: EditionPath) -> None:
    """Check the file and print the digest of its content, for the people responsible to approve."""
    with open_published(settings) as session:
        checked = check_file(path, read_reference_data(settings.seed_dir), session, today=utc_now().date())
    list_warnings(path, checked.warnings)
    typer.echo(f"{checked.key.guide}, edition {checked.key.number}: {checked.digest}")
    option = " --new" if checked.is_new_guide else ""
    typer.echo(f"To publish: guidance publish {path} --digest {checked.digest}{option}", err=True)
    if checked.is_new_guide is None and checked.key.number == 1:
        typer.echo("Add `--new` if the guide is not published there yet.", err=True)


def list_warnings(path: Path, warnings: Sequence[SeedError]) -> None:
    """Write the warnings to standard error."""
    if warnings:
        typer.echo(str(SeedFileError(path, warnings)), err=True)


def publish_files(
    settings: SettingsOptions,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help=".../<guide>/<number>.yaml")],
    digest: AgreedDigests = None,
    new: Annotated[bool, typer.Option("--new", help="Publish a guide that is not published yet.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish editions from files. Publishing the same content again changes nothing.

    Different content for a published number is refused. Files in the seed folder need neither option.
    """
    reference_data = read_reference_data(settings.seed_dir)
    results: list[Published] = []
    with _results_at_end(results, as_json=as_json), open_writer(settings, creates=True) as (engine, writer):
        for path in paths:
            if _is_in_seed(settings, path, "guides"):
                file, precondition = read_edition_file(path), None
            else:
                with Session(engine) as session:
                    checked = check_file(path, reference_data, session, today=utc_now().date())
                _require_agreed(path, checked.digest, digest or [], command="guidance approve")
                file, precondition = checked.file, None if new else _known_guide(path, checked.key.guide)
            two_people = settings.two_people_publish
            published = publish_file(
                writer, reference_data, file, at=utc_now(), two_people=two_people, precondition=precondition
            )
            results.append(published)
            if not as_json:
                _echo_published(published)


def _echo_published(published: Publication[Any]) -> None:
    state = "published" if published.is_new else "already published; nothing changed"
    typer.echo(f"{name_of_edition(published.key)}: {state} ({published.digest})")


def withdraw_number(
    settings: SettingsOptions,
    guide: Annotated[str, typer.Argument(metavar="GUIDE", help="The guide's name.")],
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The edition's number.", min=1)],
    reason: Annotated[str, typer.Option(help="A sentence for readers, returned by every read of the edition.")],
    as_json: AsJson = False,
) -> None:
    """Withdraw an edition. Its content is kept; readers get the reason and the previous edition."""
    _withdraw(settings, EditionKey(guide, number), reason, as_json=as_json)


def _withdraw(settings: Settings, key: AnyKey, reason: str, *, as_json: bool = False) -> None:
    if not reason.strip():
        raise typer.BadParameter("give a reason, in a sentence for readers", param_hint="--reason")
    at = utc_now()
    with open_writer(settings) as (_, writer):
        withdrawn = writer.run(withdraw_published, key, reason=reason.strip(), at=at, by=by_operator(at).client)
    state = "withdrawn" if withdrawn.is_new else "already withdrawn for that reason; nothing changed"
    document = {"guide": key.guide, "edition": key.number, "is_new": withdrawn.is_new}
    echo_result([f"{name_of_edition(key)}: {state}"], document, as_json=as_json)


@contextmanager
def _results_at_end(results: list[Published], *, as_json: bool) -> Iterator[None]:
    """Print `results` as JSON at the end, even after an error: what was published before it."""
    try:
        yield
    finally:
        if as_json:
            echo_json(
                [
                    {"guide": each.key.guide, "edition": each.key.number, "digest": each.digest, "is_new": each.is_new}
                    for each in results
                ]
            )


def _known_guide(path: Path, guide: str) -> Precondition:
    """Return a function for the publishing transaction that raises `SeedFileError` for an unpublished guide."""

    def require(session: Session, _current: EditionHead | None) -> None:
        published = read_published(session, guide)
        if not published.history:
            reason = NOT_NAMED_NEW.format(guide, suggest_folder(guide, published.names))
            raise SeedFileError(path, [SeedError(0, reason)])

    return require


def check_renditions(settings: SettingsOptions, paths: RenditionPaths, as_json: AsJson = False) -> None:
    """List every error in the files, compared with their editions, with line numbers. Exit status 1 if there is one."""
    with open_editions(settings) as session:
        _check_each(paths, lambda path: _check(session, path)[1], as_json=as_json)


def approve_rendition(settings: SettingsOptions, path: RenditionPath) -> None:
    """Check the file and print the digest of its content, for the people responsible to approve."""
    with open_editions(settings) as session:
        file, warnings = _check(session, path)
    list_warnings(path, warnings)
    typer.echo(f"{file.guide}, rendition {file.content.language}: {file.digest}")
    typer.echo(f"To publish: guidance rendition publish {path} --digest {file.digest}", err=True)


def publish_renditions(settings: SettingsOptions, paths: RenditionPaths, digest: AgreedDigests = None) -> None:
    """Publish renditions from files. The same content changes nothing; different content gets the next number.

    Files in the seed folder need no digest.
    """
    with open_writer(settings) as (_, writer):
        for path in paths:
            file = read_rendition_file(path)
            if not _is_in_seed(settings, path, RENDITIONS):
                _require_agreed(path, file.digest, digest or [], command="guidance rendition approve")
            two_people = settings.two_people_publish
            _echo_published(publish_rendition_file(writer, file, at=utc_now(), two_people=two_people))


def withdraw_published_rendition(
    settings: SettingsOptions,
    guide: Annotated[str, typer.Argument(metavar="GUIDE", help="The guide's name.")],
    language: Annotated[str, typer.Argument(metavar="LANGUAGE", help="The language, such as cy.")],
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The rendition's number.", min=1)],
    reason: Annotated[str, typer.Option(help="A sentence for readers, returned by every read of the rendition.")],
) -> None:
    """Withdraw a rendition. Its content is kept; readers get the reason."""
    _withdraw(settings, RenditionKey(guide, language, number), reason)


def _check(session: Session, path: Path) -> tuple[RenditionFile, list[SeedError]]:
    """Also return warnings: of an unchecked machine translation, and of one whose edition is not current."""
    file = read_rendition_file(path)
    check_rendition_file(session, file)
    is_behind = is_of_former_edition(get_history(session, guide=file.guide), file.content.of.edition)
    warnings = ((file.content.is_unchecked, UNCHECKED), (is_behind, BEHIND))
    return file, [SeedError(0, reason) for is_so, reason in warnings if is_so]
