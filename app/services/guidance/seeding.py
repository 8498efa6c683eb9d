"""Publishing files of editions and renditions, one by one and those of the seed folder, by the common functions."""

import datetime as dt
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import (
    EditionAlreadyPublished,
    EditionOutOfOrder,
    InvalidEdition,
    InvalidRendition,
    NoSuchGuide,
    SeedError,
    SeedFileError,
)
from app.logs import Log
from app.models.guidance.edition_files import EditionFile, RenditionFile, read_edition_file, read_rendition_file
from app.models.guidance.seed_files import edition_place
from app.services.guidance.publishing import (
    NewEdition,
    Precondition,
    Published,
    PublishedRendition,
    publish_edition,
    publish_rendition,
    write_rendition,
)
from app.services.guidance.reference_data import ReferenceData
from app.services.guidance.renditions import find_rendition_faults
from app.store.editions import EditionKey, every_rendition, find_history
from app.store.writer import Writer

RENDITIONS = "renditions"
"""The folder of the seed folder that holds `<guide>/<language>.yaml`."""
NO_GUIDE = "no guide of the folder's name is published, so it has no renditions"

log = Log(__name__)


def publish_file(writer: Writer, reference_data: ReferenceData, path: Path, *, at: dt.datetime) -> Published:
    """Publish one file, `.../<guide>/<number>.yaml`. Raise the errors of `publish_read_file`."""
    key = EditionKey(*edition_place(path))
    return publish_read_file(writer, reference_data, read_edition_file(path), key, at=at)


def publish_read_file(
    writer: Writer,
    reference_data: ReferenceData,
    file: EditionFile,
    key: EditionKey,
    *,
    at: dt.datetime,
    precondition: Precondition | None = None,
) -> Published:
    """Publish the edition that was read from a file.

    Raises the errors of the precondition, and `SeedFileError` with file, line and reason, also if `publish_edition`
    refuses the edition.
    """
    try:
        published = publish_edition(
            writer,
            reference_data,
            NewEdition(key.guide, file.content, key.number),
            at=at,
            precondition=precondition,
        )
    except InvalidEdition as refusal:
        raise file.refusal(refusal.faults) from None
    except (EditionAlreadyPublished, EditionOutOfOrder) as refusal:
        raise SeedFileError(file.path, [SeedError(0, str(type(refusal).__doc__))]) from None
    if published.is_new:
        log.info("edition_published", guide=key.guide, edition=key.number, digest=published.digest)
    return published


def publish_seed(
    engine: Engine, writer: Writer, reference_data: ReferenceData, seed_dir: Path, *, at: dt.datetime
) -> None:
    """Publish every edition of every guide in the folder that is not in the database yet.

    A guide that has any edition in the database is skipped: later ones come by `guidance publish` or over HTTP.
    """
    for folder in sorted(path for path in (seed_dir / "guides").glob("*") if path.is_dir()):
        with Session(engine) as session:
            known = bool(find_history(session, guide=folder.name))
        if not known:
            for path in sorted(folder.glob("*.yaml"), key=lambda path: edition_place(path)[1]):
                publish_file(writer, reference_data, path, at=at)


def check_rendition_file(session: Session, path: Path) -> RenditionFile:
    """Return the file if it can be published. Raise `SeedFileError` with every fault."""
    file = read_rendition_file(path)
    try:
        faults = find_rendition_faults(session, file.guide, file.content)
    except NoSuchGuide:
        raise SeedFileError(path, [SeedError(0, NO_GUIDE)]) from None
    if faults:
        raise file.refusal(faults)
    return file


def publish_rendition_file(writer: Writer, file: RenditionFile, *, at: dt.datetime) -> PublishedRendition:
    """Publish the file, which was read. Raise `SeedFileError` with every fault."""
    try:
        return publish_rendition(writer, file.guide, file.content, at=at)
    except InvalidRendition as refusal:
        raise file.refusal(refusal.faults) from None
    except NoSuchGuide:
        raise SeedFileError(file.path, [SeedError(0, NO_GUIDE)]) from None


def publish_seed_renditions(engine: Engine, writer: Writer, seed_dir: Path, *, at: dt.datetime) -> None:
    """Publish every rendition of the folder whose guide has none in that language yet, in one transaction.

    A rendition of an edition that is not published here, or was withdrawn, is left out, with a line in the log.
    """
    paths = sorted((seed_dir / RENDITIONS).glob("*/*.yaml"))
    with Session(engine) as session:
        known = {(key.guide, key.language) for key, _ in every_rendition(session)} if paths else set()
        files = [read_rendition_file(path) for path in paths if (path.parent.name, path.stem) not in known]
        ready = [file for file in files if _has_edition(session, file)]
    if not ready:
        return
    try:
        published = writer.run(
            lambda session: [write_rendition(session, file.guide, file.content, at=at) for file in ready]
        )
    except InvalidRendition:
        with Session(engine) as session:
            for file in ready:
                check_rendition_file(session, file.path)
        raise
    for each in published:
        log.info("rendition_published", guide=each.key.guide, digest=each.digest)


def _has_edition(session: Session, file: RenditionFile) -> bool:
    of = file.content.of
    found = any(
        (head.number, head.digest, head.withdrawn_at) == (of.edition, of.digest, None)
        for head in find_history(session, guide=file.guide)
    )
    if not found:
        log.warning("rendition_left_out", guide=file.guide, edition=of.edition)
    return found
