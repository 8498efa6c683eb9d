"""The service of a preview: a database of its own, with the guide's editions and the draft as the next one."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from app.config import Settings
from app.main import GuidanceApp, create_app
from app.models.guidance.editions import EditionContent
from app.services.guidance.checking import CheckedFile
from app.services.guidance.publishing import publish_edition, withdraw_edition
from app.services.guidance.reference_data import ReferenceData
from app.store.contents import read_content
from app.store.database import open_database
from app.store.editions import EditionHead, find_history
from app.store.schema import prepare_schema
from app.store.writer import Writer


@dataclass(frozen=True)
class FormerEdition:
    """An edition that is published, whole."""

    head: EditionHead
    content: EditionContent


def read_former(session: Session, guide: str) -> list[FormerEdition]:
    """Return every edition of the guide, the oldest first."""
    history = sorted(find_history(session, guide=guide), key=lambda head: head.number)
    return [FormerEdition(head, read_content(session, head.key)) for head in history]


def build_preview(
    settings: Settings,
    reference_data: ReferenceData,
    former: Sequence[FormerEdition],
    draft: CheckedFile,
    *,
    folder: Path,
    at: dt.datetime,
) -> GuidanceApp:
    """Return the service, which has its database in the folder. Nothing else of the settings' data is touched."""
    own = settings.model_copy(
        update={"data_dir": folder, "database_url": None, "seal_to": (), "deliver": False, "default_guide": None}
    )
    engine = open_database(folder)
    prepare_schema(engine, folder)
    writer = Writer(engine, queue_size=own.writer_queue, wait_seconds=own.writer_wait_seconds)
    writer.start()
    try:
        for each in former:
            publish_edition(
                writer,
                reference_data,
                guide=each.head.guide,
                content=each.content,
                at=each.head.published_at,
                number=each.head.number,
            )
            if each.head.withdrawn_at is not None:
                withdraw_edition(writer, each.head.key, reason=each.head.reason or "", at=each.head.withdrawn_at)
        publish_edition(writer, reference_data, guide=draft.key.guide, content=draft.file.content, at=at)
    finally:
        writer.stop()
        engine.dispose()
    return create_app(own)
