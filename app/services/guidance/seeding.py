"""Publishing the files of the seed folder, by the same function as every other edition."""

import datetime as dt
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from app.errors import EditionAlreadyPublished, EditionOutOfOrder, InvalidEdition, SeedError, SeedFileError
from app.logs import Log
from app.models.guidance.edition_files import EditionFile, read_edition_file
from app.models.guidance.seed_files import edition_place
from app.services.guidance.publishing import Precondition, Published, publish_edition
from app.services.guidance.reference_data import ReferenceData
from app.store.editions import EditionKey, find_history
from app.store.writer import Writer

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
            guide=key.guide,
            number=key.number,
            content=file.content,
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
